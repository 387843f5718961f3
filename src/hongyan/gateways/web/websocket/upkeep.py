"""What happens by the clock on all WebSockets: heartbeats, silence, readers that take nothing, closings that nobody answers.

One timer for all: an idle connection costs no task and no timer of its own.
"""

import asyncio
import contextlib
import itertools
import logging
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

import msgspec

from hongyan.core.errors import HongyanError
from hongyan.gateways.web.websocket.output import Frames
from hongyan.messaging import Verdict

log = logging.getLogger("hongyan.web")


T = TypeVar("T")


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds. The defaults are those of docs/protocol.md."""

    beat: float = 25.0
    """Between two visits of a connection: it is told its cursor. Silent for two visits it is pinged, for three it is cut."""
    tick: float = 1.0
    login: float = 10.0
    """Until the first frame with a token."""
    grace: float = 2.0
    """Between the server's close frame and cutting the connection."""
    drain: float = 20.0
    """That a full connection may take nothing."""


class Visited(Protocol):
    """An open connection."""

    def visit(self, frames: Frames) -> None: ...


class Watched(Protocol):
    """A connection whose buffer is full."""

    def progress(self) -> object:
        """Changes when the peer has taken something."""

    def stuck(self) -> None:
        """It has taken nothing for too long."""


class Droppable(Protocol):
    def drop(self) -> None: ...


class Waiting(Protocol):
    """A connection that has not logged in."""

    site: str
    """Where it comes from: see `addresses.site`."""

    def late(self) -> None: ...

    def refuse(self, ref: int | None, error: HongyanError, verdict: Verdict) -> None: ...


class Upkeep:
    def __init__(self, pace: Pace, loop: asyncio.AbstractEventLoop) -> None:
        self._pace = pace
        self._loop = loop
        self._slots: list[set[Visited]] = [set() for _ in range(max(1, round(pace.beat / pace.tick)))]
        self._at = 0
        self._full: dict[Watched, tuple[object, float]] = {}
        """What was last seen of its progress, and when that was news."""
        self._closing: dict[Droppable, float] = {}
        self._waiting: dict[Waiting, float] = {}
        self._waiting_from: Counter[str] = Counter()
        self._none_closing = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self.cut = 0
        """Connections that took nothing for too long."""

    def start(self) -> None:
        self._timer = self._loop.call_later(self._pace.tick, self._tick)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def add(self, connection: Visited) -> int:
        """Visit it from now on. Gives its slot, for `remove`."""
        self._slots[self._at].add(connection)
        return self._at

    def remove(self, connection: Visited, slot: int) -> None:
        self._slots[slot].discard(connection)

    def full(self, connection: Watched) -> None:
        self._full[connection] = connection.progress(), self._loop.time()

    def not_full(self, connection: Watched) -> None:
        self._full.pop(connection, None)

    def closing(self, connection: Droppable) -> None:
        """Drop it if it is still there after the grace."""
        self._closing.setdefault(connection, self._loop.time() + self._pace.grace)

    def closed(self, connection: Droppable) -> None:
        self._closing.pop(connection, None)
        if not self._closing:
            self._none_closing.set()

    async def all_closed(self, deadline: float) -> None:
        """Return when nobody is closing any more, at the latest at `deadline` of the loop's clock."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                while self._closing:
                    self._none_closing.clear()
                    await self._none_closing.wait()

    def wait(self, connection: Waiting) -> None:
        """Tell it that it is late unless it logs in in time."""
        self._waiting[connection] = self._loop.time() + self._pace.login
        self._waiting_from[connection.site] += 1

    def arrived(self, connection: Waiting) -> None:
        if self._waiting.pop(connection, None) is None:
            return
        self._waiting_from[connection.site] -= 1
        if not self._waiting_from[connection.site]:
            del self._waiting_from[connection.site]

    @property
    def waiting(self) -> list[Waiting]:
        return list(self._waiting)

    @property
    def waiting_count(self) -> int:
        return len(self._waiting)

    def waiting_from(self, site: str) -> int:
        return self._waiting_from[site]

    @property
    def closing_count(self) -> int:
        return len(self._closing)

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._pace.tick, self._tick)
        now = self._loop.time()
        self._at = (self._at + 1) % len(self._slots)
        frames = Frames()
        for connection in list(self._slots[self._at]):
            _safely(partial(connection.visit, frames))
        for full, (seen, since) in list(self._full.items()):
            progress = full.progress()
            if progress != seen:
                self._full[full] = progress, now
            elif now - since >= self._pace.drain:
                del self._full[full]
                self.cut += 1
                _safely(full.stuck)
        for closing in _overdue(self._closing, now):
            _safely(closing.drop)
        for waiting in _overdue(self._waiting, now):
            _safely(waiting.late)


def _overdue(those: dict[T, float], now: float) -> list[T]:
    """The oldest come first, since all of a kind wait equally long."""
    return [one for one, _ in itertools.takewhile(lambda item: item[1] <= now, those.items())]


def _safely(call: Callable[[], None]) -> None:
    """One connection's fault is not the others'."""
    try:
        call()
    except Exception:
        log.exception("the upkeep of a connection failed")
