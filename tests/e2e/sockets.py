"""WebSockets of the tests: calls that are answered through futures, in both subprotocols."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, Protocol

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.typing import Subprotocol

from tests.serving import SECONDS, Refused, new_client_id

Frame = dict[str, Any]
_CODECS: dict[Any, tuple[Callable[[Any], bytes], Callable[[bytes], Any]]] = {
    "json": (lambda frame: json.dumps(frame, ensure_ascii=False).encode(), msgspec.json.Decoder().decode),
    "msgpack": (msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder().decode),
}


class Lost(Exception):
    """The connection broke without a verdict."""


class Foreign(Exception):
    """An answer that no Hongyan server gives: from a balancer in front of it, or from a fault."""


class Address(Protocol):
    @property
    def url(self) -> str: ...


class Bearer(Protocol):
    """Somebody with a token. It is good on every node."""

    @property
    def token(self) -> str: ...


class Socket:
    """A WebSocket with calls: each `say` is answered through a future, everything else comes from `frames`."""

    def __init__(self, connection: ClientConnection, codec: str) -> None:
        self._connection = connection
        self._encode, self._decode = _CODECS[codec]
        self._binary = codec == "msgpack"
        self._refs = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Frame]] = {}
        self.heard: Callable[[Frame], None] = lambda frame: None
        """Called with each answer, in its place among the frames."""

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
        self.heard(frame)
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


@contextlib.asynccontextmanager
async def open_socket(
    server: Address, person: Bearer, codec: str, cursor: str | None = None, *, seconds: float | None = None
) -> AsyncIterator[Socket]:
    """Raises Refused when the server does not let it in, Lost when it is not there or does not answer within `seconds`."""
    query = f"?after={cursor}" if cursor else ""
    try:
        connection = await connect(
            f"{server.url.replace('http', 'ws', 1)}/v1/events/ws{query}",
            additional_headers=authorization(person),
            subprotocols=[Subprotocol(f"hongyan.{codec}")],
            compression=None if codec == "msgpack" else "deflate",
            open_timeout=seconds or 2 * SECONDS,
            close_timeout=1,
            ping_interval=None,
            max_size=None,
        )
    except InvalidStatus as error:
        answer = error.response
        raise refusal(httpx.Response(answer.status_code, content=bytes(answer.body), headers=dict(answer.headers))) from None
    except (OSError, EOFError, InvalidMessage) as error:
        raise Lost(repr(error)) from error
    try:
        yield Socket(connection, codec)
    finally:
        # Who goes away says no goodbye: closing politely would read, and lose, what is on its way.
        connection.transport.abort()
        with contextlib.suppress(Exception):
            await connection.wait_closed()


def refusal(answer: httpx.Response) -> Refused:
    """With the header Retry-After as `problem["header"]`. Raises Foreign for what is no problem document."""
    if answer.headers.get("content-type") != "application/problem+json":
        raise Foreign(f"{answer.status_code} {answer.headers.get('content-type')}: {answer.text[:200]}")
    problem = answer.json()
    assert problem["status"] == answer.status_code
    if "retry-after" in answer.headers:
        problem["header"] = int(answer.headers["retry-after"])
    return Refused(answer.status_code, problem)


def authorization(person: Bearer) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.token}"}
