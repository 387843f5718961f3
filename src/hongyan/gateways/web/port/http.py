"""One HTTP connection: uvicorn's protocol on httptools, with bounds on what a client may keep open, and the way to a WebSocket.

uvicorn bounds neither the head of a request nor the time it may take to come. What is used here of the inside of its class is
held down by tests/gateways/web/test_listener.py.
"""

import asyncio
from collections.abc import Callable

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from hongyan.core.errors import HongyanError, Invalid, Overloaded, TooLarge
from hongyan.gateways.door.progress import progress
from hongyan.gateways.web.files import FILES
from hongyan.gateways.web.problems import problem
from hongyan.gateways.web.websocket.door import Door
from hongyan.gateways.web.websocket.handshake import UpgradeRequest

_HEAD_BYTES = 32_768
"""Of the request line and the headers."""
_FIELDS = 100
_LARGE = FILES.encode()
"""Bodies that are put to addresses that begin so may take longer, as long as something comes and is wanted."""
_LINGER_SECONDS = 2.0
_PENDING = 16
"""Requests that may wait behind the one that is being answered: all of one read are parsed at once."""


class _HeadTooLargeError(Exception):
    pass


class _TooManyPendingError(Exception):
    pass


class HttpProtocol(HttpToolsProtocol):
    """`admits` is asked once: whether there may be another connection. `gone` is called when it is none of HTTP any more."""

    def __init__(
        self,
        config: Config,
        state: ServerState,
        door: Door,
        *,
        admits: Callable[[], bool],
        gone: Callable[[], None],
        head_seconds: float,
        body_seconds: float,
    ) -> None:
        super().__init__(config, state, {})
        self._door = door
        self._admits = admits
        self._gone = gone
        self._head_seconds = head_seconds
        self._body_seconds = body_seconds
        self._in_head = False
        self._head = 0
        self._fed = 0
        """Bytes of the head that came so far, parsed and not."""
        self._upgraded = False
        self._refused = False
        self._due: float | None = None
        """When what the client has begun must be whole."""
        self._taken: object = None
        self._taken_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._due = self.loop.time() + self._head_seconds
        if not self._admits():
            self.refuse(Overloaded("The server has as many connections as it may have", retry_after=10.0))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._gone()

    def data_received(self, data: bytes) -> None:
        if self._upgraded or self._refused or self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, _HeadTooLargeError):
                self._refuse_head()
            elif isinstance(error.__context__, _TooManyPendingError):
                self.transport.abort()
            else:
                self.refuse(Invalid("This is no request of HTTP/1.1"))
        else:
            self._fed = self._fed + len(data) if self._in_head else 0
            if self._fed > _HEAD_BYTES:
                self._refuse_head()
            elif self._due is None and self._running is None:
                self._due = self.loop.time() + self._head_seconds  # empty lines, which are no request yet

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= _PENDING:
            raise _TooManyPendingError
        super().on_message_begin()
        self._in_head = True
        self._head = self._fed = 0
        self._due = self.loop.time() + self._head_seconds

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # a trailer is none of the headers (RFC 9110, 6.5.1)
            super().on_header(name, value)
        self._count(len(name) + len(value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._due = self.loop.time() + self._body_seconds
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        wanted = self._running is not None and self.scope["method"] == "PUT"
        if wanted and self._due is not None and self.url.startswith(_LARGE):
            self._due = self.loop.time() + self._body_seconds  # bounded by who takes it
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._due = None
        super().on_message_complete()

    def release(self) -> None:
        """It is a WebSocket from now on."""
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        self.parser = self.cycle = None  # type: ignore[assignment]
        self._gone()

    def refuse(self, error: HongyanError) -> None:
        """Answer with a problem and close.

        Closing with something unread would reset the connection, and the answer might be lost (RFC 9112, 9.6): so the client is
        left some time to stop.
        """
        if self._refused or self.transport.is_closing():
            return
        running = self._running
        if running is not None:
            running.keep_alive = False  # an answer is under way, and this one would end up in its middle
            self.transport.pause_reading()
            return
        status, headers, body = problem(error)
        lines = [STATUS_LINE[status]]
        for name, value in [*self.server_state.default_headers, *headers, (b"connection", b"close")]:
            lines.append(b"%b: %b\r\n" % (name, value))
        self.transport.write(b"".join([*lines, b"\r\n", body]))
        self._refused = True
        self._due = self.loop.time() + _LINGER_SECONDS
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.transport.resume_reading()
        else:
            self.transport.close()

    def look(self, now: float, drain_seconds: float) -> None:
        """Cut it when the client does not finish what it began, or does not take what it asked for."""
        if self._due is not None and now >= self._due:
            self.transport.abort()
        elif not self.transport.get_write_buffer_size():
            self._taken = None
        elif (taken := progress(self.transport)) != self._taken:
            self._taken, self._taken_at = taken, now
        elif now - self._taken_at >= drain_seconds:
            self.transport.abort()

    @property
    def _running(self) -> RequestResponseCycle | None:
        """The request that is not answered yet."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle if cycle is not None and not cycle.response_complete else None

    def _should_upgrade_to_ws(self) -> bool:
        return True

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > _HEAD_BYTES or len(self.headers) > _FIELDS:
            raise _HeadTooLargeError

    def _refuse_head(self) -> None:
        self.refuse(TooLarge(f"The head of a request may have {_HEAD_BYTES} bytes and {_FIELDS} fields"))

    def _upgrade(self, pipelined: bytes) -> None:
        """The parser has stopped behind the head of a request that wants to change the protocol."""
        self._due = None
        running = self._running
        if running is not None:
            # Another protocol, which is not changed to: the request is answered as it is. Or a WebSocket behind a request without
            # an answer: it is not waited for. In both cases nothing more can be parsed.
            running.keep_alive = False
        elif self._should_upgrade():
            self._upgraded = True
            self._door.knock(
                self,
                UpgradeRequest(
                    self.parser.get_method().decode("ascii"),
                    self.parser.get_http_version(),
                    self.url,
                    self.headers,
                    self.client[0] if self.client else None,
                    self.scheme or "http",
                ),
                pipelined,
            )
