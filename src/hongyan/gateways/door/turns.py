"""Connections that have something to say, let to say it together."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

MANY = 32
"""Connections written to in one turn, from which on the next turn waits."""
PAUSE = 0.003

C = TypeVar("C")


class Turns(Generic[C]):
    """Under load the kernel's socket writes are most of the cost (docs/performance.md), so after a turn with many of them the
    next one waits for a few milliseconds and then carries more in each. Who is alone never waits.
    """

    def __init__(self, flush: Callable[[list[C]], None], *, many: int = MANY, pause: float = PAUSE) -> None:
        self._flush = flush
        self._many = many
        self._pause = pause
        self._quiet_until = 0.0
        self._dirty: list[C] = []

    def add(self, connection: C) -> None:
        """It is among those that are flushed soon. It is added once until then, which it sees to itself."""
        dirty = self._dirty
        if not dirty:
            loop = asyncio.get_running_loop()
            wait = self._quiet_until - loop.time()
            if wait > 0:
                loop.call_later(wait, self._turn)
            else:
                loop.call_soon(self._turn)
        dirty.append(connection)

    def _turn(self) -> None:
        dirty, self._dirty = self._dirty, []
        self._flush(dirty)
        if len(dirty) >= self._many:
            self._quiet_until = asyncio.get_running_loop().time() + self._pause
