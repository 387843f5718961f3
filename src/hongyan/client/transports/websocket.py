"""The WebSocket: events, signals and answers on one connection, in msgpack, or JSON when the server prefers it.

Sends and the other calls go over it while it stands. When the reader of events is so slow that the queue of batches is full,
the connection is not read any further (the server then tells us to resume); calls are refused meanwhile, so that a
callback that waits for a send does not wait for itself.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from hongyan.client.errors import StreamEnded, TransportBroken, Unreachable, from_answer, from_frame
from hongyan.client.model import Batch, Event, Json, Sent, TransportName
from hongyan.client.rest import Rest

_PROTOCOLS = [Subprotocol("hongyan.msgpack"), Subprotocol("hongyan.json")]
_VERDICTS = {4001: "resume", 4002: "later", 4003: "login", 4004: "stop"}
_MAX_FRAME = 16 * 1024 * 1024
_SIGNALS_KEPT = 64


class Frame(msgspec.Struct):
    """Any frame of the server."""

    op: str
    ref: int | None = None
    events: list[Event] = []
    cursor: str | None = None
    limited: bool = False
    reason: str | None = None
    seq: int = 0
    position: int = 0
    time: int = 0
    type: str | None = None
    detail: str | None = None
    retry_after: float | None = None
    do: str = "resume"
    after: float | None = None


class WebSocket:
    """`call` raises TransportBroken when there is no connection, or none any more: the caller then tries another way."""

    name: TransportName = "websocket"

    def __init__(self, rest: Rest, *, silence: float = 60.0, answer_within: float = 10.0) -> None:
        self._rest = rest
        self._silence = silence
        self._answer_within = answer_within
        self._connection: ClientConnection | None = None
        self._waiting: dict[int, asyncio.Future[Frame]] = {}
        self._ref = 0
        self.delay: float | None = None
        """Seconds of the last ping's way there and back."""

    @property
    def ready(self) -> bool:
        """Whether `call` has a connection."""
        return self._connection is not None

    async def stream(self, cursor: str) -> AsyncGenerator[Batch, None]:
        server = self._rest.server
        url, options = server.websocket
        if server.secure:
            options["ssl"] = self._rest.tls
        try:
            async with connect(
                f"{url}/v1/events/ws?after={cursor}",
                additional_headers=self._rest.headers(),
                subprotocols=_PROTOCOLS,
                max_size=_MAX_FRAME,
                close_timeout=2,
                ping_interval=None,
                **options,
            ) as connection:
                yield Batch(opened=True)
                self._connection = connection
                async with aclosing(self._batches(connection)) as batches:
                    async for batch in batches:
                        yield batch
        except InvalidStatus as error:
            answer = error.response
            raise from_answer(answer.status_code, bytes(answer.body), answer.headers.get("Retry-After")) from error
        except ConnectionClosed as error:
            code, reason = (error.rcvd.code, error.rcvd.reason) if error.rcvd else (1006, "")
            if code in _VERDICTS:
                raise StreamEnded(_VERDICTS[code], reason=reason) from error
            if code in (1001, 1012, 1013):  # going away, restart, try again later (RFC 6455 and its registry)
                raise StreamEnded("later" if code == 1013 else "resume", reason=reason) from error
            raise TransportBroken(f"closed with {code} {reason}".strip()) from error
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise TransportBroken(str(error) or "nothing came in time") from error
            raise Unreachable(str(error)) from error  # no connection to begin with: no name, no route, nobody there, no trust
        except (WebSocketException, msgspec.MsgspecError, EOFError, ValueError) as error:
            raise TransportBroken(str(error) or type(error).__name__) from error
        finally:
            self._stop_calls()

    async def _batches(self, connection: ClientConnection) -> AsyncGenerator[Batch, None]:
        """Read frames in a task of its own, so that answers arrive while a batch is being worked on."""
        batches: asyncio.Queue[Batch | Exception] = asyncio.Queue(_SIGNALS_KEPT)
        reader = asyncio.create_task(self._read(connection, batches), name="websocket reader")
        pinger = asyncio.create_task(self._ping(connection), name="websocket pinger")
        try:
            while True:
                batch = await batches.get()
                if isinstance(batch, Exception):
                    raise batch
                yield batch
        finally:
            reader.cancel()
            pinger.cancel()
            await asyncio.gather(reader, pinger, return_exceptions=True)

    async def _read(self, connection: ClientConnection, batches: "asyncio.Queue[Batch | Exception]") -> None:
        verdict: StreamEnded | None = None
        within = self._answer_within  # the pong to the first ping; a proxy that lets no frames through is found out soon
        try:
            while True:
                async with asyncio.timeout(within):
                    raw = await connection.recv()
                within = self._silence
                frame = _decode(raw, Frame)
                match frame.op:
                    case "events":
                        batch = Batch(frame.cursor, frame.events, limited=frame.limited, reason=frame.reason)
                        await self._put(connection, batches, batch)
                    case "signal":
                        if not batches.full():
                            batches.put_nowait(Batch(signals=[_decode(raw, dict)]))
                    case "ack" | "error" | "pong":
                        waiting = self._waiting.pop(frame.ref, None) if frame.ref is not None else None
                        if waiting is not None and not waiting.done():
                            waiting.set_result(frame)
                        if frame.op == "pong" and not batches.full():
                            batches.put_nowait(Batch())
                    case "close":
                        verdict = StreamEnded(frame.do, frame.after, frame.reason or "")
                    case _:
                        pass
        except Exception as error:
            self._stop_calls()
            if not isinstance(error, ConnectionClosed):
                connection.transport.abort()  # nobody is there to say goodbye to
            await batches.put(verdict or error)

    async def _put(self, connection: ClientConnection, batches: "asyncio.Queue[Batch | Exception]", batch: Batch) -> None:
        if batches.full():
            self._stop_calls()
            await batches.put(batch)
            self._connection = connection
        else:
            batches.put_nowait(batch)

    async def _ping(self, connection: ClientConnection) -> None:
        """The first pong shows that frames get through both ways; later ones keep the way open and measure it."""
        while True:
            began = time.monotonic()
            try:
                await self._call({"op": "ping"})
                self.delay = time.monotonic() - began
            except (TransportBroken, ConnectionClosed):
                pass
            await asyncio.sleep(20)

    async def send(self, conversation: str, client_id: str, content: Json) -> Sent:
        body = {"op": "send", "conversation": conversation, "client_id": client_id, "content": content}
        frame = await self._call(body)
        return Sent(frame.seq, frame.position, frame.time)

    async def tell(self, body: Json) -> None:
        """One of the calls that answer nothing of interest (`read`, `typing`, `presence`)."""
        await self._call(body, wait=body["op"] == "read")

    async def ping(self) -> float:
        """Seconds there and back."""
        began = time.monotonic()
        await self._call({"op": "ping"})
        self.delay = time.monotonic() - began
        return self.delay

    async def _call(self, body: Json, *, wait: bool = True) -> Frame:
        connection = self._connection
        if connection is None:
            raise TransportBroken("no WebSocket connection")
        encode = msgspec.msgpack.encode if connection.subprotocol == "hongyan.msgpack" else msgspec.json.encode
        answer: asyncio.Future[Frame] | None = None
        if wait:
            self._ref += 1
            body = body | {"ref": self._ref}
            answer = asyncio.get_running_loop().create_future()
            self._waiting[self._ref] = answer
        ref = self._ref
        try:
            data = encode(body)
            async with asyncio.timeout(self._answer_within):
                await connection.send(data if encode is msgspec.msgpack.encode else data.decode())
                if answer is None:
                    return Frame("none")
                frame = await answer
        except (ConnectionClosed, TimeoutError) as error:
            raise TransportBroken("no answer on the WebSocket") from error
        finally:
            if answer is not None:
                self._waiting.pop(ref, None)
        if frame.op == "error":
            raise from_frame(frame.type, frame.detail, frame.retry_after)
        return frame

    def _stop_calls(self) -> None:
        self._connection = None
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(TransportBroken("the WebSocket was closed"))
                answer.exception()
        self._waiting.clear()


def _decode(raw: str | bytes, kind: type[Any]) -> Any:
    return msgspec.msgpack.decode(raw, type=kind) if isinstance(raw, bytes) else msgspec.json.decode(raw, type=kind)
