"""What a store counts about itself. Plain numbers, so that counting costs nothing; whoever serves metrics reads them."""

from bisect import bisect_left
from collections.abc import Sequence


class Histogram:
    """How many observations were at most each of `bounds`; the last count is of those above all."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        """Not cumulative: each observation is in one of them."""
        self.total = 0.0
        """The sum of all observations."""

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    @property
    def count(self) -> int:
        return sum(self.counts)


class Stats:
    """Changed in the loop's thread only."""

    def __init__(self) -> None:
        self.commits = 0
        """Commits that stored events."""
        self.events = 0
        """Events stored by this store object."""
        self.refused = 0
        """Appends and transactions that were answered with an error."""
        self.queued = 0
        """Appends and transactions that are not answered yet."""
        self.batch_size = Histogram((1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000))
        """Events of each commit."""
        self.latency = Histogram((0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0))
        """Seconds from the call to the answer, of the one that waited longest in each commit."""
