"""What `/health` looks at. Each check is called with every question and gives a sentence when something is wrong."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

_MIB = 1_048_576
_ROOM_MIB = 256


class Following:
    """The follower of the log has not reached, for `patience` seconds, what was the head then."""

    def __init__(
        self,
        head: Callable[[], int],
        position: Callable[[], int],
        *,
        patience: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._head = head
        self._position = position
        self._patience = patience
        self._clock = clock
        self._goal = 0
        self._since = clock()

    def __call__(self) -> str | None:
        position, now = self._position(), self._clock()
        if position >= self._goal:
            self._goal, self._since = self._head(), now
        elif now - self._since >= self._patience:
            behind, seconds = self._head() - position, now - self._since
            return f"This node is {behind} events behind the log and has not caught up for {seconds:.0f} s"
        return None


class Room:
    """The disk of the data directory is nearly full."""

    def __init__(self, directory: Path, *, free: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free) -> None:
        self._directory = directory
        self._free = free

    def __call__(self) -> str | None:
        try:
            free = self._free(self._directory) // _MIB
        except OSError as error:
            return f"The data directory {self._directory} cannot be looked at: {error.strerror or error}"
        return f"The disk of {self._directory} has only {free} MiB left" if free < _ROOM_MIB else None


class Seldom:
    """A check that costs something (a certificate's is a handshake): it is asked once a minute."""

    def __init__(
        self, look: Callable[[], str | None], *, every: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._look = look
        self._every = every
        self._clock = clock
        self._next = clock()
        self._found: str | None = None

    def __call__(self) -> str | None:
        now = self._clock()
        if now >= self._next:
            self._found = self._look()
            self._next = now + self._every
        return self._found
