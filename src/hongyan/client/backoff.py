"""Exponential back-off with full jitter: the n-th wait is anything between nothing and a doubling bound.

Full jitter spreads a crowd that lost its server at the same moment over the whole interval; half or no jitter keeps the
crowd together (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015).
"""

import random
from collections.abc import Callable


class Backoff:
    """Waits between tries. `draw` is called with nothing and gives a number from 0 up to 1."""

    def __init__(self, first: float = 0.5, most: float = 30.0, draw: Callable[[], float] = random.random) -> None:
        self._first = first
        self._most = most
        self._draw = draw
        self.tries = 0
        """How many waits were given since the last success."""

    def next(self, at_least: float | None = None) -> float:
        """Seconds to wait before the next try. What the server asked for is kept, and jitter comes on top of it."""
        bound = min(self._most, self._first * 2.0 ** min(self.tries, 32))
        self.tries += 1
        if at_least is not None:
            return at_least + self._draw() * min(bound, max(at_least, self._first))
        return self._draw() * bound

    def reset(self) -> None:
        """A try succeeded."""
        self.tries = 0
