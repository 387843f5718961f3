"""Devices of people on a real server, on any transport: what each was given, and the rules of a cursor, held at every frame.

    async with Crowd(server) as crowd:
        device = await crowd.device(alice, "sse")           # from now on; or from a cursor
        await device.switch("msgpack")                      # the cursor goes along
        await device.until(lambda: "在吗" in device.texts(lane))

A device follows in a task. What goes wrong there (a refusal, a broken rule) is raised by the next verb of the test.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Any, Literal, Self, get_args

import httpx

from tests.e2e.feeds import polled, server_sent, websocket
from tests.e2e.sockets import Frame, Lost, Socket, authorization, refusal
from tests.serving import SECONDS, Person, Refused, Server, new_client_id, texts

Transport = Literal["poll", "longpoll", "sse", "json", "msgpack"]
TRANSPORTS: tuple[Transport, ...] = get_args(Transport)
STREAMS: tuple[Transport, ...] = ("longpoll", "sse", "json", "msgpack")
"""Those that are told of things; a short poll asks."""


def place(cursor: str) -> int:
    """The position in a cursor. Clients must not look; a test of the cursor's rules has to."""
    return int(cursor.rpartition(".")[2])


class Crowd:
    """The devices of one test, and the HTTP connections they share. All are gone at the end."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.devices: list[Device] = []

    async def __aenter__(self) -> Self:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        timeout = httpx.Timeout(SECONDS, read=70)
        self.http = httpx.AsyncClient(base_url=self.server.url, timeout=timeout, limits=limits, verify=self.server.verify)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for device in self.devices:
            with contextlib.suppress(Exception):
                await device.disconnect()
        await self.http.aclose()

    async def device(self, person: Person, transport: Transport, cursor: str | None = None, *, limit: int = 100) -> "Device":
        """Connected, from `cursor` or from now."""
        device = Device(self, person, limit=limit)
        self.devices.append(device)
        await device.connect(transport, cursor)
        return device

    async def call(self, person: Person, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """As `Person.call`, beside everything else."""
        try:
            answer = await self.http.request(method, path, json=body, params=query, headers=authorization(person))
        except httpx.TransportError as error:
            raise Lost(repr(error)) from error
        if answer.status_code >= 400:
            raise refusal(answer)
        return answer.json() if answer.content else None

    async def send(self, person: Person, conversation: str, text: str, client_id: str | None = None) -> dict[str, Any]:
        """A message over REST: `seq`, `position`, `time`."""
        body = {"client_id": client_id or new_client_id(), "content": {"type": "text", "text": text}}
        answer: dict[str, Any] = await self.call(person, "POST", f"/v1/conversations/{conversation}/messages", body)
        return answer


class Device:
    """`events`, `signals`, `limited` and `cursor` are what was given on all transports that it was on."""

    def __init__(self, crowd: Crowd, person: Person, *, limit: int = 100) -> None:
        self._crowd = crowd
        self.person = person
        self.transport: Transport | None = None
        self.cursor: str | None = None
        self.events: list[Frame] = []
        self.signals: list[Frame] = []
        self.limited: list[str] = []
        """The reasons, of each time."""
        self.verdict: Frame | None = None
        """How the server ended the latest connection."""
        self.refused: Refused | None = None
        """Or how it refused it."""
        self.socket: Socket | None = None
        """While it is on a WebSocket."""
        self.heard: Callable[[], None] = lambda: None
        """Called after each frame."""
        self._limit = limit
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self.opened = False
        """The server has answered."""
        self._last = -1
        """The position of the last event; none may come twice or late."""

    async def connect(self, transport: Transport, cursor: str | None = None) -> None:
        """Returns when the server has answered. Without `cursor` it goes on where it was."""
        if cursor is not None:
            self.cursor = cursor
        self.begin(transport)
        await self.until(lambda: self.opened)

    def begin(self, transport: Transport) -> None:
        """Connect, and do not wait for it."""
        assert self._task is None or self._task.done()
        self.transport, self.verdict, self.refused, self.opened = transport, None, None, False
        self._task = asyncio.create_task(self._follow(transport), name=f"{self.person.id} on {transport}")

    async def disconnect(self) -> None:
        """At once, without a goodbye: what is on its way is lost. Raises what went wrong until then."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def switch(self, transport: Transport) -> None:
        await self.disconnect()
        await self.connect(transport)

    async def until(self, condition: Callable[[], Any], seconds: float = 2 * SECONDS) -> None:
        """Wait for what the device is to be given."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    if self._task is not None and self._task.done():
                        self._task.result()
                        assert condition(), f"{self} ended: {self.verdict or self.refused}"
                        return
                    await self._news()
        except TimeoutError:
            raise AssertionError(f"{self} was not given what the test waits for within {seconds:g} s") from None

    async def reached(self, position: int, seconds: float = 2 * SECONDS) -> None:
        """Wait until everything up to there was given."""
        await self.until(lambda: self.at >= position, seconds)

    async def given(self, count: int) -> None:
        """Wait until there are so many events."""
        await self.until(lambda: len(self.events) >= count)

    async def end(self, seconds: float = SECONDS) -> Frame | Refused | None:
        """Wait until the server ends the connection, and give how: a verdict, or a refusal. None when it was only cut."""
        assert self._task is not None
        async with asyncio.timeout(seconds):
            with contextlib.suppress(Lost):
                await asyncio.shield(self._task)
        self._task = None
        return self.verdict or self.refused

    @property
    def ended(self) -> bool:
        return self._task is None or self._task.done()

    @property
    def at(self) -> int:
        """Everything that its user may see up to here was given."""
        return place(self.cursor) if self.cursor else -1

    def texts(self, conversation: str | None = None) -> list[str]:
        return texts([event for event in self.events if conversation in (None, event["conversation"])])

    def __repr__(self) -> str:
        return f"<{self.person.id} on {self.transport} at {self.cursor} with {len(self.events)} events>"

    async def _news(self) -> None:
        """Something was given, or it ended."""
        self._changed.clear()
        waiting: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._changed.wait())]
        if self._task is not None:
            waiting.append(self._task)
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting[0].cancel()

    async def _follow(self, transport: Transport) -> None:
        try:
            async with aclosing(self._frames(transport)) as frames:
                async for frame in frames:
                    self._take(frame)
        except Refused as error:
            self.refused = error
        finally:
            self.socket = None
            self._changed.set()

    def _frames(self, transport: Transport) -> AsyncGenerator[Frame, None]:
        if transport == "poll":
            return polled(self._crowd.http, self.person, self.cursor, limit=self._limit)
        if transport == "longpoll":
            return polled(self._crowd.http, self.person, self.cursor, wait=50, limit=self._limit)
        return server_sent(self._crowd.http, self.person, self.cursor) if transport == "sse" else self._websocket(transport)

    def _take(self, frame: Frame) -> None:
        self.opened = True
        if frame.get("op") == "close":
            self.verdict = frame
        elif frame.get("op") == "signal":
            self.signals.append(frame)
        else:
            self._progress(frame)
        self._changed.set()
        self.heard()

    def _progress(self, frame: Frame) -> None:
        """Take events and cursor, and hold them to the rules."""
        events, cursor = frame["events"], frame["cursor"]
        if frame.get("limited"):
            assert not events, "a cursor that cannot be continued gives nothing"
            self.limited.append(frame["reason"])
            self.cursor, self._last = cursor, place(cursor)
            return
        before = self.at
        for event in events:
            at = place(event["cursor"])
            assert at > self._last, f"{self} was given {at} after {self._last}"
            assert at > before, f"{self} was given {at} again, which its cursor {before} had claimed"
            self._last = at
        assert place(cursor) >= max(before, self._last), f"the cursor of {self} went back to {cursor}"
        self.events += events
        self.signals += frame.get("signals", ())
        self.cursor = cursor

    async def _websocket(self, codec: Transport) -> AsyncGenerator[Frame, None]:
        sockets: list[Socket] = []

        def opened(socket: Socket) -> None:
            self.socket = socket
            sockets.append(socket)

        async with aclosing(websocket(self._crowd.server, self.person, codec, self.cursor, opened)) as frames:
            async for frame in frames:
                yield frame
        assert self.verdict is not None
        codes = {"resume": 4001, "later": 4002, "login": 4003, "stop": 4004}
        assert sockets[0].code == codes[self.verdict["do"]]
