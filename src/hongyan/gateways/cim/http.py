"""HTTP/1.1 for the route: small requests with small answers, one after the other on a connection that stays open.

Bounded in everything that a client can make large or slow: head, body, time, requests that wait, answers that are not taken.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import httptools
import msgspec

from hongyan.gateways.cim.answers import INVALID, Answer, envelope
from hongyan.gateways.cim.route import Request
from hongyan.gateways.door.peers import address_of
from hongyan.gateways.door.progress import progress

log = logging.getLogger("hongyan.cim")

_HEAD_BYTES = 16_384
_FIELDS = 100
_PENDING = 16
"""Requests that may wait behind the one that is being answered."""
_REASONS = {
    200: b"OK",
    400: b"Bad Request",
    404: b"Not Found",
    405: b"Method Not Allowed",
    413: b"Content Too Large",
    503: b"Busy",
}


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds."""

    request: float = 15.0
    """For a request to come, once it has begun or the connection was made."""
    idle: float = 75.0
    """Between two requests."""
    drain: float = 20.0
    """That a client may take nothing of an answer."""


class Desk(msgspec.Struct):
    """What all connections of the route share."""

    answer: Callable[[Request], Awaitable[tuple[int, bytes]]]
    task: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
    pace: Pace
    most: int
    """Connections."""
    body_bytes: int
    fewer: asyncio.Event
    """A connection has ended."""
    open: "dict[HttpConnection, None]" = {}
    stopping: bool = False


class _BadRequest(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class HttpConnection(asyncio.Protocol):
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._loop = asyncio.get_running_loop()
        self._parser: Any = httptools.HttpRequestParser(self)
        self._pending: deque[tuple[Request, bool]] = deque()
        """With whether the connection stays open behind it."""
        self._task: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._taken: tuple[object, float] | None = None
        self._deaf = False
        """Nothing more is read from it."""
        self._method = ""
        self._lacks = 0
        """Bytes of a body that the parser does not read."""
        self._url = b""
        self._authorization: str | None = None
        self._body = bytearray()
        self._head = self._fields = self._length = 0
        self._expects = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._address = address_of(transport)
        here = transport.get_extra_info("sockname")
        self._reached = str(here[0]).removeprefix("::ffff:") if here else ""
        self._due = self._loop.time() + self._desk.pace.request
        self._desk.open[self] = None
        if len(self._desk.open) > self._desk.most or self._desk.stopping:
            self._refuse(_BadRequest(503, "There are as many connections as there may be"))

    def connection_lost(self, error: Exception | None) -> None:
        self._desk.open.pop(self, None)
        self._desk.fewer.set()
        self._room.set()
        self._parser = None  # it and this object hold each other
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        try:
            if self._lacks:
                data = self._bare(data)
            while data:
                try:
                    self._parser.feed_data(data)
                    return
                except httptools.HttpParserUpgrade as upgrade:
                    data = self._bare(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            fault = error.__context__
            self._refuse(fault if isinstance(fault, _BadRequest) else _BadRequest(400, "This is no request of HTTP/1.1"))

    def pause_writing(self) -> None:
        self._room.clear()
        self._transport.pause_reading()
        self._taken = progress(self._transport), self._loop.time()

    def resume_writing(self) -> None:
        self._room.set()
        self._taken = None
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def look(self, now: float) -> None:
        """Cut it when it is late, or does not take what it asked for."""
        if self._taken is not None:
            seen, since = self._taken
            if (taken := progress(self._transport)) != seen:
                self._taken = taken, now
            elif now - since >= self._desk.pace.drain:
                self._transport.abort()
        elif self._task is None and now >= self._due:
            self._transport.abort()

    def stop(self) -> None:
        """Close it, after the answer that is under way."""
        self._deaf = True
        while len(self._pending) > 1:
            self._pending.pop()
        if self._task is None:
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    # httptools calls these

    def on_message_begin(self) -> None:
        if len(self._pending) >= _PENDING:
            raise _BadRequest(503, "Too many requests wait")
        self._begin()
        self._due = self._loop.time() + self._desk.pace.request

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields += 1
        self._count(len(name) + len(value))
        name = name.lower()
        if name == b"authorization":
            self._authorization = value.decode("latin-1")
        elif name == b"content-length" and value.isdigit():
            self._length = int(value[:20])
            if self._length > self._desk.body_bytes:
                raise self._too_large()
        elif name == b"expect":
            self._expects = True

    def on_headers_complete(self) -> None:
        if self._expects and self._task is None and not self._pending:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > self._desk.body_bytes:
            raise self._too_large()

    def on_message_complete(self) -> None:
        if self._parser.should_upgrade():  # the parser stops here, before the body
            self._lacks = self._length
            self._method = self._parser.get_method().decode("ascii")
        else:
            self._asked(self._parser.get_method().decode("ascii"), self._parser.should_keep_alive())

    def _bare(self, data: bytes) -> bytes:
        """Another protocol is offered (Java's client offers h2c) and not taken: the request is answered as it is. Its body is
        read here; gives what is behind it, which is HTTP again.
        """
        body, rest = data[: self._lacks], data[self._lacks :]
        self._lacks -= len(body)
        self._body += body
        if not self._lacks:
            self._parser = httptools.HttpRequestParser(self)
            self._asked(self._method, True)
        return rest

    def _asked(self, method: str, stays: bool) -> None:
        request = Request(
            method,
            self._url.decode("latin-1"),
            self._authorization,
            bytes(self._body),
            self._address,
            self._reached,
        )
        self._pending.append((request, stays))
        self._begin()
        if self._task is None:
            self._task = self._desk.task(self._answer())

    def _begin(self) -> None:
        self._url = b""
        self._authorization = None
        self._body = bytearray()
        self._head = self._fields = self._length = 0
        self._expects = False

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > _HEAD_BYTES or self._fields > _FIELDS:
            raise _BadRequest(400, f"The head of a request may have {_HEAD_BYTES} bytes and {_FIELDS} fields")

    def _too_large(self) -> _BadRequest:
        return _BadRequest(413, f"The body of a request may have {self._desk.body_bytes} bytes")

    async def _answer(self) -> None:
        stays = True
        try:
            while self._pending and stays:
                request, stays = self._pending[0]
                status, body = await self._desk.answer(request)
                self._pending.popleft()
                stays = stays and not self._deaf
                self._write(status, body, stays)
                await self._room.wait()
        except Exception:
            log.exception("a request of the CIM route failed")
            stays = False
        finally:
            self._task = None
            self._due = self._loop.time() + self._desk.pace.idle
            if not stays:
                self._transport.close()

    def _write(self, status: int, body: bytes, stays: bool) -> None:
        head = b"HTTP/1.1 %d %b\r\ncontent-type: application/json;charset=UTF-8\r\ncontent-length: %d\r\n%b\r\n" % (
            status,
            _REASONS[status],
            len(body),
            b"" if stays else b"connection: close\r\n",
        )
        self._transport.write(head + body)

    def _refuse(self, fault: _BadRequest) -> None:
        """What cannot be read on: answered behind what was asked before, then closed."""
        self._deaf = True
        if self._task is None:
            self._write(fault.status, envelope(Answer(INVALID, message=str(fault)), None), False)
            self._transport.close()
