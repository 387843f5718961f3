"""Token buckets: so many a second, and a burst."""

import time
from collections.abc import Callable


class Bucket:
    """One bucket. The clock is in seconds and never goes back."""

    __slots__ = ("_at", "_burst", "_clock", "_left", "_rate")

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._clock = clock
        self._at = clock()

    def take(self, cost: float = 1.0) -> bool:
        """Whether there is enough left; then it is taken."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < cost:
            return False
        self._left -= cost
        return True

    def wait(self, cost: float = 1.0) -> float:
        """Seconds until `cost` is there."""
        return max(0.0, (cost - self._left) / self._rate)
