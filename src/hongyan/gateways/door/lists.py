"""All TCP connections, and what happens to them by the clock: one timer for all, none of their own."""

import asyncio
import contextlib
import itertools
from functools import partial
from typing import Protocol

from hongyan.gateways.door.peers import safely

_GRACE_SECONDS = 1.0
"""For the last bytes of a connection that is closing."""
_LOOKS, _LOOK_SECONDS = 20, 0.01
"""For the last bytes to be acknowledged when the server stops, so that they do not come again."""


class Listed(Protocol):
    """A connection."""

    def tick(self, now: float) -> None: ...

    def progress(self) -> object:
        """Changes when the peer has taken something."""

    def stuck(self) -> None:
        """It has taken nothing for too long."""

    def settled(self) -> bool:
        """Nothing more is written to it from now on; whether everything has arrived."""

    def drop(self) -> None:
        """Cut it now."""

    def dismiss(self, reason: str, detail: str) -> None: ...


class Lists:
    """`most` connections, of which strangers make room for newcomers. Seconds are the loop's."""

    def __init__(self, *, most: int, drain: float, tick: float) -> None:
        self._most = most
        self._drain = drain
        self._tick_seconds = tick
        self._loop = asyncio.get_running_loop()
        self._strangers: dict[Listed, None] = {}
        self._clients: dict[Listed, None] = {}
        self._full: dict[Listed, tuple[object, float]] = {}
        """What was last seen of its progress, and when that was news."""
        self._closing: dict[Listed, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._none = asyncio.Event()

    def __len__(self) -> int:
        """All that are open."""
        return len(self._strangers) + len(self._clients)

    @property
    def logged_in_count(self) -> int:
        return len(self._clients)

    def start(self) -> None:
        self._timer = self._loop.call_later(self._tick_seconds, self._tick)

    def admit(self, connection: Listed) -> bool:
        """Whether there is room for it, if need be that of the stranger who has been there for longest."""
        if len(self) >= self._most:
            oldest = next(iter(self._strangers), None)
            if oldest is None:
                return False
            oldest.dismiss("full", "room was made for another")
            self._strangers.pop(oldest, None)
        self._strangers[connection] = None
        return True

    def logged_in(self, connection: Listed) -> None:
        if self._strangers.pop(connection, 0) is None:
            self._clients[connection] = None

    def full(self, connection: Listed) -> None:
        self._full[connection] = connection.progress(), self._loop.time()

    def not_full(self, connection: Listed) -> None:
        self._full.pop(connection, None)

    def closing(self, connection: Listed) -> None:
        """Cut it if it is still there after a moment."""
        self._closing.setdefault(connection, self._loop.time() + _GRACE_SECONDS)

    def gone(self, connection: Listed) -> None:
        for where in (self._strangers, self._clients, self._full, self._closing):
            where.pop(connection, None)
        if not len(self) and not self._closing:
            self._none.set()

    async def stop(self, seconds: float) -> None:
        """Close all when what was written has arrived, and cut what is left after so many seconds."""
        clients = list(self._clients)
        for _ in range(_LOOKS):
            clients = [one for one in clients if not one.settled()]
            if not clients:
                break
            await asyncio.sleep(_LOOK_SECONDS)
        for connection in [*self._strangers, *self._clients]:
            safely(partial(connection.dismiss, "stopping", "the server is stopping"))
        if not await self._none_left(seconds):
            for connection in [*self._strangers, *self._clients, *self._closing]:
                safely(connection.drop)
            await self._none_left(seconds)
        if self._timer is not None:
            self._timer.cancel()

    async def _none_left(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(self) or self._closing:
                    self._none.clear()
                    await self._none.wait()
        return not (len(self) or self._closing)

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._tick_seconds, self._tick)
        now = self._loop.time()
        for connection in [*self._strangers, *self._clients]:
            safely(partial(connection.tick, now))
        for full, (seen, since) in list(self._full.items()):
            progress = full.progress()
            if progress != seen:
                self._full[full] = progress, now
            elif now - since >= self._drain:
                self._full.pop(full, None)
                safely(full.stuck)
        for late in [one for one, _ in itertools.takewhile(lambda item: item[1] <= now, self._closing.items())]:
            safely(late.drop)
