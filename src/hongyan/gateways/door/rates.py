"""How many requests each user may make, and each address before log-in. Token buckets as one number each (GCRA)."""

import time
from collections.abc import Callable

from hongyan.core.errors import RateLimited

_MOST = 100_000


class Rates:
    """A bucket for each key: `rate` a second for long, `burst` at once. Keys that are full again are forgotten."""

    def __init__(self, rate: float, burst: int, *, clock: Callable[[], float] = time.monotonic, most: int = _MOST) -> None:
        self._step = 1.0 / rate
        self._room = burst * self._step
        self._clock = clock
        self._most = most
        self._full_at: dict[str, float] = {}
        """When the key's bucket will be full again; the least recently used first."""

    def __len__(self) -> int:
        return len(self._full_at)

    def spend(self, key: str) -> None:
        """One request. Raises RateLimited with the seconds to wait."""
        now = self._clock()
        self._forget(now)
        full_at = max(self._full_at.pop(key, now), now)
        over = full_at + self._step - now - self._room
        if over > 1e-9:
            self._full_at[key] = full_at
            raise RateLimited("You are asking faster than allowed", retry_after=round(max(over, 0.05), 2))
        self._full_at[key] = full_at + self._step

    def _forget(self, now: float) -> None:
        """Whoever has waited long enough; and the one unused for longest when there are too many to remember."""
        while self._full_at:
            oldest = next(iter(self._full_at))
            if self._full_at[oldest] > now and len(self._full_at) < self._most:
                return
            del self._full_at[oldest]
