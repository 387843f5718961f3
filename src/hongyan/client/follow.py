"""Following the log: one task reads whichever transport is in use, another hands what came to the dispatcher, in order.

The reader keeps the cursor of what it has queued and starts every new stream there; the dispatcher drops what it has already
handed over. So a change of transport, even in the middle of a batch, neither loses nor repeats an event.
The queue between the two has a bound; when it is full the transport is not read until there is room.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Literal

import msgspec

from hongyan.client.backoff import Backoff
from hongyan.client.errors import StreamEnded, TransportBroken, Unreachable, is_elsewhere, wait_of
from hongyan.client.ladder import Ladder
from hongyan.client.model import Batch, TransportName
from hongyan.client.servers import Address, Servers
from hongyan.client.transports import Transport
from hongyan.core.errors import HongyanError, Invalid, InvalidCursor, NotAuthenticated

log = logging.getLogger("hongyan.client")

Connection = Literal["new", "connecting", "online", "waiting", "login", "stopped", "closed"]
_QUEUED = 64
_LONG = 1.0
"""Seconds that a stream lasts which is worth beginning again at once."""


class Link(msgspec.Struct, frozen=True):
    """How the connection is: told to `on_state` at every change.

    `login`: the token has ended, log in again. `stopped`: the server says that this client must not go on.
    """

    connection: Connection
    transport: TransportName
    wait: float = 0.0
    """Seconds until the next try, when `waiting`."""
    reason: str = ""
    server: str = ""
    """The URL of the server in use, or to be tried next."""


class Follower:
    """Reads from the transports from `cursor` on and calls `take` with each batch, one after the other.

    A stream stays on its server until it ends. Then the next one goes to another server at once, as long as there is one that was
    not tried since the last wait.
    """

    def __init__(
        self,
        transports: Mapping[TransportName, Transport],
        ladder: Ladder,
        servers: Servers,
        *,
        backoff: Backoff,
        take: Callable[[Batch], Awaitable[None]],
        changed: Callable[[Link], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transports = transports
        self._ladder = ladder
        self._servers = servers
        self._backoff = backoff
        self._take = take
        self._changed = changed
        self._clock = clock
        self._batches: asyncio.Queue[tuple[int, Batch]] = asyncio.Queue(_QUEUED)
        self._switch = asyncio.Event()
        self._cursor = ""
        self._begun = 0
        """How often a cursor was set from outside: what was read from an older one is not handed over."""
        self._heard_at: float | None = None
        self._ended_early = 0
        self._server = servers.current
        """The server of the newest stream."""
        self._tried: set[Address] = set()
        self.link = Link("new", ladder.current, server=self._server.url)

    async def run(self, cursor: str) -> None:
        """Until cancelled, or until the server says `stop`. What `take` raises is a fault, and stops too: nothing is skipped."""
        self._cursor = cursor
        try:
            async with asyncio.TaskGroup() as tasks:
                dispatcher = tasks.create_task(self._dispatch(), name="hongyan dispatcher")
                await self._follow()
                await self._batches.join()
                dispatcher.cancel()
        except* Exception as errors:
            log.error("following has ended", exc_info=errors.exceptions[0])
            await self._tell("stopped", self.link.transport, reason=repr(errors.exceptions[0]))

    def restart(self, cursor: str | None = None) -> None:
        """Begin a new stream now: another transport, another token, or another cursor (what is queued is then forgotten)."""
        if cursor is not None:
            self._cursor = cursor
            self._begun += 1
        self._switch.set()

    async def _dispatch(self) -> None:
        while True:
            begun, batch = await self._batches.get()
            try:
                if begun == self._begun:
                    await self._take(batch)
            finally:
                self._batches.task_done()

    async def _follow(self) -> None:
        while True:
            self._switch.clear()
            name = self._ladder.current
            if self.link.connection not in ("waiting", "connecting") or self.link.transport != name:
                await self._tell("connecting", name)
            wait = await self._one_stream(name)
            if wait is None:
                return
            if wait > 0:
                await self._tell("waiting", name, wait, self.link.reason)
                await self._pause(wait)

    async def _one_stream(self, name: TransportName) -> float | None:
        """Follow one stream to its end. Gives the seconds to wait before the next one, None to end for good."""
        self._heard_at = None
        opened, told = asyncio.Event(), asyncio.Event()
        reading = asyncio.create_task(self._read(self._transports[name], opened, told), name=f"hongyan {name}")
        opening = asyncio.create_task(opened.wait())
        switch = asyncio.create_task(self._switch.wait())
        climb = self._ladder.climb_in(self._clock())
        until = None if climb is None else self._clock() + climb
        try:
            await asyncio.wait({reading, opening, switch}, timeout=climb, return_when=asyncio.FIRST_COMPLETED)
            if opening.done():
                await self._tell("online", name)  # here and not in the reader, which a switch may cancel in a callback
                told.set()
                rest = None if until is None else max(0.0, until - self._clock())
                await asyncio.wait({reading, switch}, timeout=rest, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (opening, switch, reading):
                task.cancel()
            await asyncio.gather(opening, switch, reading, return_exceptions=True)
        if self._switch.is_set():
            return 0.0
        if reading.cancelled():
            self._ladder.climb(self._clock())
            return 0.0
        return await self._ended(name, reading.exception())

    async def _read(self, transport: Transport, opened: asyncio.Event, told: asyncio.Event) -> None:
        begun = self._begun
        await self._servers.find()
        self._server = self._servers.current
        async with aclosing(transport.stream(self._cursor)) as stream:
            async for batch in stream:
                if batch.opened:
                    opened.set()
                    await told.wait()
                    continue
                if self._heard_at is None:
                    self._heard_at = self._clock()
                    self._ladder.worked()
                    self._backoff.reset()
                if batch.signals and not batch.events and not batch.cursor and self._batches.full():
                    continue  # signals go first
                await self._batches.put((begun, batch))
                if begun != self._begun:
                    return
                if batch.cursor:
                    self._cursor = batch.cursor

    async def _ended(self, name: TransportName, error: BaseException | None) -> float | None:
        now = self._clock()
        long = self._heard_at is not None and now - self._heard_at >= _LONG
        if long:
            self._tried.clear()
        self.link = msgspec.structs.replace(self.link, reason=str(error or ""))
        match error:
            case StreamEnded(do="stop"):
                await self._tell("stopped", name, reason=str(error))
                return None
            case StreamEnded(do="login") | NotAuthenticated():
                await self._tell("login", name, reason=str(error))
                await self._switch.wait()
                return 0.0
            case StreamEnded(do="later"):
                return self._elsewhere(error)
            case StreamEnded():
                if self._servers.leave(self._server, self._tried):
                    return 0.0
                if long:
                    self._ended_early = 0
                    return 0.0
                self._ended_early += 1  # a server that ends each stream at once is not asked without a pause
                return 0.0 if self._ended_early == 1 else self._backoff.next(self._servers.peace)
            case InvalidCursor():
                await self._batches.put((self._begun, Batch(limited=True, reason="invalid-cursor")))
                await self._batches.join()
                return self._backoff.next()
            case HongyanError() if error.retry_after is not None:
                return self._elsewhere(error)
            case Unreachable():
                return self._elsewhere(error)
            case TransportBroken() | Invalid() | HongyanError():
                pass
            case _:
                log.error("the %s transport failed", name, exc_info=error)
        if self._heard_at is None:
            self._ladder.broke(now)
        log.debug("%s ended: %r", name, error)
        return self._elsewhere(error)

    def _elsewhere(self, error: BaseException | None) -> float:
        """Seconds until the next stream: none when there is another server to try."""
        wait = wait_of(error) if isinstance(error, Exception) else None
        if is_elsewhere(error):
            if self._servers.leave(self._server, self._tried, wait):
                return 0.0
            wait = self._servers.peace
        return self._backoff.next(wait)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._switch.wait()
        except TimeoutError:
            pass

    async def _tell(self, connection: Connection, transport: TransportName, wait: float = 0.0, reason: str = "") -> None:
        server = self._server if connection == "online" else self._servers.current
        self.link = Link(connection, transport, wait, reason, server.url)
        await self._changed(self.link)
