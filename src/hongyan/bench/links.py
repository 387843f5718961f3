"""The four transports as seen by a benchmark's connection: sockets around the readers of wire.py, one asyncio.Protocol each.

A link reports to its `Owner` and decides nothing. Every link says `link_open` and `link_closed` at most once each.
"""

import asyncio
import ssl
from typing import Protocol, cast

from hongyan.bench.stamp import now_us
from hongyan.bench.wire import (
    CLOSE,
    PING,
    PONG,
    AnswerReader,
    Frame,
    FrameReader,
    SseReader,
    decode_json,
    decode_msgpack,
    frame,
    get,
    upgrade,
)


class Owner(Protocol):
    """Who a link belongs to."""

    def link_open(self) -> None: ...

    def link_frame(self, frame: Frame, now: int) -> None:
        """One map from the server, received at `now` microseconds."""

    def link_closed(self, reason: str, retry_after: float | None) -> None:
        """The link is over, or was never opened: a short stable `reason`, and the seconds the server asked to wait."""


class Target:
    """Where the server is, for all links of one process."""

    def __init__(self, host: str, port: int, prefix: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.host = host
        self.tls = tls
        self.port = port
        self.authority = f"{host}:{port}"
        self.prefix = prefix
        """Path before `/v1`, without a slash at its end."""


def retry_after(answer: AnswerReader) -> float | None:
    value = answer.headers.get("retry-after", "")
    return float(value) if value.isdigit() else None


class _Link(asyncio.Protocol):
    """What the three kinds share: the transport, and that the end is told once."""

    transport: asyncio.Transport | None = None
    _told = False

    def __init__(self, owner: Owner) -> None:
        self.owner = owner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.end("lost" if exc is None else type(exc).__name__)

    def end(self, reason: str, wait: float | None = None) -> None:
        if not self._told:
            self._told = True
            self.owner.link_closed(reason, wait)
        self.drop()

    def drop(self) -> None:
        """Cut the connection without a goodbye, and tell the owner nothing."""
        self._told = True
        if self.transport is not None:
            self.transport.abort()


class WebSocketLink(_Link):
    """`GET /v1/events/ws`, msgpack or JSON."""

    def __init__(self, owner: Owner, target: Target, token: str, after: str | None, *, binary: bool) -> None:
        super().__init__(owner)
        path = f"{target.prefix}/v1/events/ws" + (f"?after={after}" if after else "")
        self._hello = upgrade(target.authority, path, token, "hongyan.msgpack" if binary else "hongyan.json")
        self._decode = decode_msgpack if binary else decode_json
        self._answer: AnswerReader | None = AnswerReader()
        self._frames = FrameReader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        cast(asyncio.Transport, transport).write(self._hello)
        self._hello = b""

    def data_received(self, data: bytes) -> None:
        if self._answer is not None:
            data = self._handshake(self._answer, data)
        now = now_us()
        decode, tell = self._decode, self.owner.link_frame
        for opcode, payload in self._frames.feed(data):
            if opcode < CLOSE:
                tell(decode(payload), now)
            elif opcode == PING:
                self.write(frame(PONG, payload))
            elif opcode == CLOSE:
                self.end(f"close-{int.from_bytes(payload[:2], 'big')}")

    def _handshake(self, answer: AnswerReader, data: bytes) -> bytes:
        behind = answer.feed(data)
        if answer.status == 101:
            self._answer = None
            self.owner.link_open()
            return behind
        if answer.status:
            self.end(f"http-{answer.status}", retry_after(answer))
        return b""

    def write(self, data: bytes) -> None:
        if self.transport is not None:
            self.transport.write(data)


class SseLink(_Link):
    """`GET /v1/events/sse`."""

    def __init__(self, owner: Owner, target: Target, token: str, after: str | None) -> None:
        super().__init__(owner)
        path = f"{target.prefix}/v1/events/sse" + (f"?after={after}" if after else "")
        self._request = get(target.authority, path, token, "Accept: text/event-stream\r\n")
        self._answer = AnswerReader()
        self._stream = SseReader()
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        cast(asyncio.Transport, transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        body = self._answer.feed(data)
        if not self._open and self._answer.status:
            if self._answer.status != 200:
                self.end(f"http-{self._answer.status}", retry_after(self._answer))
                return
            self._open = True
            self.owner.link_open()
        now = now_us()
        for event, value in self._stream.feed(body):
            found = decode_json(value)
            if event == "close":
                found.op = "close"
            self.owner.link_frame(found, now)
        if self._answer.done:
            self.end("ended")


class PollLink(_Link):
    """`GET /v1/events` again and again: at once with `wait` (long poll), else every `interval` seconds (short poll)."""

    def __init__(self, owner: Owner, target: Target, token: str, after: str | None, *, wait: int, interval: float) -> None:
        super().__init__(owner)
        self._target = target
        self._token = token
        self._after = after
        self._wait = wait
        self._interval = interval
        self._answer = AnswerReader()
        self._body: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel()
        super().connection_lost(exc)

    def drop(self) -> None:
        self._cancel()
        super().drop()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ask(self) -> None:
        self._answer = AnswerReader()
        self._body.clear()
        query = "limit=1000" + (f"&after={self._after}" if self._after else "")
        if self._wait and self._open:
            query += f"&wait={self._wait}"
        if self.transport is not None:
            self.transport.write(get(self._target.authority, f"{self._target.prefix}/v1/events?{query}", self._token))

    def data_received(self, data: bytes) -> None:
        self._body.append(self._answer.feed(data))
        if not self._answer.done:
            return
        if self._answer.status != 200:
            self.end(f"http-{self._answer.status}", retry_after(self._answer))
            return
        found = decode_json(b"".join(self._body))
        self._after = found.cursor
        if not self._open:
            self._open = True
            self.owner.link_open()
        self.owner.link_frame(found, now_us())
        if found.more or self._wait:
            self._ask()
        else:
            self._timer = asyncio.get_running_loop().call_later(self._interval, self._ask)
