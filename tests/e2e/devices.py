"""Devices of people on a real server, on any transport: what each was given, and the rules of a cursor, held at every frame.

    async with Crowd(server) as crowd:
        device = await crowd.device(alice, "sse")           # from now on; or from a cursor
        await device.switch("msgpack")                      # the cursor goes along
        await device.until(lambda: "在吗" in device.texts(lane))

A device follows in a task. What goes wrong there (a refusal, a broken rule) is raised by the next verb of the test.
"""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Any, Literal, Self, get_args

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from hongyan.client.sse import EventStreamDecoder
from tests.serving import SECONDS, Person, Refused, Server, new_client_id, texts

Frame = dict[str, Any]
Transport = Literal["poll", "longpoll", "sse", "json", "msgpack"]
TRANSPORTS: tuple[Transport, ...] = get_args(Transport)
STREAMS: tuple[Transport, ...] = ("longpoll", "sse", "json", "msgpack")
"""Those that are told of things; a short poll asks."""

_PAUSE = 0.02
_CODECS: dict[Any, tuple[Callable[[Any], bytes], Callable[[bytes], Any]]] = {
    "json": (lambda frame: json.dumps(frame, ensure_ascii=False).encode(), msgspec.json.Decoder().decode),
    "msgpack": (msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder().decode),
}


def place(cursor: str) -> int:
    """The position in a cursor. Clients must not look; a test of the cursor's rules has to."""
    return int(cursor.rpartition(".")[2])


class Lost(Exception):
    """The connection broke without a verdict."""


class Crowd:
    """The devices of one test, and the HTTP connections they share. All are gone at the end."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.devices: list[Device] = []

    async def __aenter__(self) -> Self:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self.http = httpx.AsyncClient(base_url=self.server.url, timeout=httpx.Timeout(SECONDS, read=70), limits=limits)
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
            answer = await self.http.request(method, path, json=body, params=query, headers=_authorization(person))
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
        async with asyncio.timeout(seconds):
            while not condition():
                if self._task is not None and self._task.done():
                    self._task.result()
                    assert condition(), f"{self} ended: {self.verdict or self.refused}"
                    return
                self._changed.clear()
                waiting = [asyncio.ensure_future(self._changed.wait())]
                if self._task is not None:
                    waiting.append(self._task)  # type: ignore[arg-type]
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                waiting[0].cancel()

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
            return self._polled(0)
        if transport == "longpoll":
            return self._polled(50)
        return self._server_sent() if transport == "sse" else self._websocket(transport)

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

    async def _polled(self, wait: int) -> AsyncGenerator[Frame, None]:
        http, headers = self._crowd.http, _authorization(self.person)
        waits = 0  # the first answer comes at once, so that it is known where "now" is
        while True:
            query = {"after": self.cursor, "wait": waits or None, "limit": self._limit}
            params = {name: value for name, value in query.items() if value is not None}
            try:
                answer = await http.get("/v1/events", params=params, headers=headers)
            except httpx.TransportError as error:
                raise Lost(repr(error)) from error
            if answer.status_code != 200:
                raise refusal(answer)
            frame = answer.json()
            yield frame
            waits = wait
            if not wait and not frame["more"]:
                await asyncio.sleep(_PAUSE)

    async def _server_sent(self) -> AsyncGenerator[Frame, None]:
        headers = _authorization(self.person) | ({"Last-Event-ID": self.cursor} if self.cursor else {})
        decoder = EventStreamDecoder()
        try:
            async with self._crowd.http.stream("GET", "/v1/events/sse", headers=headers) as answer:
                if answer.status_code != 200:
                    await answer.aread()
                    raise refusal(answer)
                async for piece in answer.aiter_raw():
                    for event in decoder.feed(piece):
                        yield self._of_stream(event.event, event.data, event.id)
        except httpx.TransportError as error:
            raise Lost(repr(error)) from error
        if self.verdict is None:
            raise Lost("the event stream ended without a verdict")

    def _of_stream(self, kind: str, data: str, id: str) -> Frame:
        frame: Frame = msgspec.json.decode(data)
        if kind == "close":
            return {"op": "close"} | frame
        if kind == "heartbeat":
            return {"events": [], "cursor": id}
        assert frame["cursor"] == id
        return frame

    async def _websocket(self, codec: Transport) -> AsyncGenerator[Frame, None]:
        async with open_socket(self._crowd.server, self.person, codec, self.cursor) as socket:
            self.socket = socket
            async for frame in socket.frames():
                yield frame
        if self.verdict is None:
            raise Lost("the WebSocket ended without a verdict")
        codes = {"resume": 4001, "later": 4002, "login": 4003, "stop": 4004}
        assert socket.code == codes[self.verdict["do"]]


class Socket:
    """A WebSocket with calls: each `say` is answered through a future, everything else comes from `frames`."""

    def __init__(self, connection: ClientConnection, codec: str) -> None:
        self._connection = connection
        self._encode, self._decode = _CODECS[codec]
        self._binary = codec == "msgpack"
        self._refs = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Frame]] = {}

    @property
    def code(self) -> int | None:
        """Of the server's close frame."""
        return self._connection.close_code

    async def say(self, op: str, **members: Any) -> "asyncio.Future[Frame]":
        """One frame. The future has its answer, or Refused, or Lost."""
        ref = next(self._refs)
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._waiting[ref] = future
        future.add_done_callback(_looked_at)
        frame = self._encode({"op": op, "ref": ref, **members})
        try:
            await self._connection.send(frame, text=not self._binary)
        except ConnectionClosed as error:
            self._lose(error)
        return future

    async def post(self, conversation: str, text: str, client_id: str | None = None) -> "asyncio.Future[Frame]":
        """A message on its way."""
        content = {"type": "text", "text": text}
        return await self.say("send", conversation=conversation, client_id=client_id or new_client_id(), content=content)

    async def send(self, conversation: str, text: str, client_id: str | None = None) -> Frame:
        """A message and its acknowledgement. Somebody has to read `frames` meanwhile."""
        return await (await self.post(conversation, text, client_id))

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """What is no answer, until the connection ends."""
        reason: Exception | None = None
        try:
            while True:
                data: Any = await self._connection.recv(decode=False)
                frame: Frame = self._decode(data)
                if frame["op"] in ("ack", "error", "pong"):
                    self._answer(frame)
                else:
                    yield frame
        except ConnectionClosed as error:
            reason = error
        finally:
            self._lose(reason)

    def _answer(self, frame: Frame) -> None:
        future = self._waiting.pop(frame["ref"])
        if future.done():
            return
        if frame["op"] == "error":
            future.set_exception(Refused(0, frame))
        else:
            future.set_result(frame)

    def _lose(self, error: Exception | None) -> None:
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(Lost(str(error)))


def _looked_at(future: "asyncio.Future[Frame]") -> None:
    """What is lost with its connection need not be asked for."""
    if not future.cancelled():
        future.exception()


class open_socket(contextlib.AbstractAsyncContextManager[Socket]):  # noqa: N801 - it is used as a function
    """Raises Refused when the server does not let it in."""

    def __init__(self, server: Server, person: Person, codec: str, cursor: str | None = None) -> None:
        query = f"?after={cursor}" if cursor else ""
        self._codec = codec
        self._connecting = connect(
            f"ws://127.0.0.1:{server.port}/v1/events/ws{query}",
            additional_headers=_authorization(person),
            subprotocols=[Subprotocol(f"hongyan.{codec}")],
            compression=None if codec == "msgpack" else "deflate",
            open_timeout=2 * SECONDS,
            close_timeout=1,
            ping_interval=None,
            max_size=None,
        )

    async def __aenter__(self) -> Socket:
        try:
            self._connection = await self._connecting.__aenter__()
        except InvalidStatus as error:
            answer = error.response
            raise refusal(httpx.Response(answer.status_code, content=bytes(answer.body), headers=dict(answer.headers))) from None
        except (OSError, EOFError) as error:
            raise Lost(repr(error)) from error
        return Socket(self._connection, self._codec)

    async def __aexit__(self, *exc: object) -> None:
        # A device that goes away says no goodbye: closing politely would read, and lose, what is on its way.
        self._connection.transport.abort()
        with contextlib.suppress(Exception):
            await self._connection.wait_closed()


def refusal(answer: httpx.Response) -> Refused:
    """With the header Retry-After as `problem["header"]`."""
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json", problem
    assert problem["status"] == answer.status_code
    if "retry-after" in answer.headers:
        problem["header"] = int(answer.headers["retry-after"])
    return Refused(answer.status_code, problem)


def _authorization(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.token}"}
