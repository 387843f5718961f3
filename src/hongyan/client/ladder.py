"""Which transport to use: the best one that gets through, and back up again after a while. No I/O, no clock."""

from collections.abc import Sequence

from hongyan.client.model import TransportName

ORDER: tuple[TransportName, ...] = ("websocket", "sse", "longpoll", "poll")
"""From the best to the one that always works."""


class Ladder:
    """Goes down a rung after `patience` failures that were the transport's own fault. Later it climbs: tries the top again, and
    then each rung once on the way back to where it was.

    A server that cannot be reached at all is nobody's fault here: the follower does not report it.
    """

    def __init__(
        self, order: Sequence[TransportName] = ORDER, *, patience: int = 2, climb_after: float = 60.0, climb_most: float = 960.0
    ) -> None:
        self._order = tuple(order)
        self._patience = patience
        self._first = climb_after
        self._most = climb_most
        self._wait = climb_after
        self._rung = 0
        self._failures = 0
        self._climb_at: float | None = None
        self._home = 0
        """The rung to which a climb that fails goes back."""
        self.forced: TransportName | None = None

    @property
    def current(self) -> TransportName:
        return self.forced or self._order[self._rung]

    def worked(self) -> None:
        """The server was heard on the current transport."""
        self._failures = 0
        if self.forced is None:
            self._home = self._rung
            if self._rung == 0:
                self._wait, self._climb_at = self._first, None

    def broke(self, now: float) -> None:
        """The current transport failed without the server being heard, although the server can be reached."""
        if self.forced is not None:
            return
        self._failures += 1
        if self._rung < self._home:
            self._rung, self._failures = self._rung + 1, 0
            if self._rung == self._home:
                self._wait = min(self._most, self._wait * 2)
                self._climb_at = now + self._wait
        elif self._failures >= self._patience and self._rung < len(self._order) - 1:
            self._rung += 1
            self._failures = 0
            self._climb_at = now + self._wait

    def climb_in(self, now: float) -> float | None:
        """Seconds until the next try of the top; None when already there, or forced."""
        if self.forced is not None or self._rung == 0 or self._climb_at is None:
            return None
        return max(0.0, self._climb_at - now)

    def climb(self, now: float) -> None:
        """Try the top again."""
        if self.forced is None and self._rung > 0:
            self._home, self._rung, self._failures = self._rung, 0, 0
            self._climb_at = now + self._wait

    def force(self, name: TransportName | None) -> None:
        """Use only this one; None returns to the ladder, from the top."""
        self.forced = name
        self._rung = self._home = self._failures = 0
        self._wait, self._climb_at = self._first, None
