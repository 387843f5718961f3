"""The hand-over of a connection that was negotiated here to picows, which speaks frames from then on.

picows wants to see a handshake and to answer it. It is shown one of our own making, and its answer is swallowed, since the
client has ours.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from picows import WSAutoPingStrategy
from picows.picows import WSProtocol  # type: ignore[attr-defined]

from hongyan.gateways.web.websocket.connection import Connection
from hongyan.gateways.web.websocket.handshake import bare_request

log = logging.getLogger("hongyan.web.picows")

_READ_BUFFER = 2_048
"""The least that picows takes. It grows with the frames of a connection."""


def hand_over(
    transport: asyncio.Transport, connection: Connection, begin: Callable[[], None], pipelined: bytes, most: int
) -> None:
    """Let picows serve `connection` on `transport`, which is not being read.

    `begin` is called before the first frame. `pipelined` is what came behind the handshake, `most` the largest frame.
    """
    protocol = WSProtocol(
        None,  # host and port, of clients
        None,  # path, of clients
        False,  # a server
        lambda request: connection,
        _QUIET,
        True,  # disconnect when a frame's callback raises
        None,  # no handshake timeout
        False,  # no pings of its own: upkeep.py has one timer for all
        20,
        20,
        WSAutoPingStrategy.PING_WHEN_IDLE,
        False,  # no pongs of its own: they would grow without a bound when the peer does not read
        most,
        None,
        _READ_BUFFER,
    )
    protocol.connection_made(_Negotiated(transport, connection))
    _feed(protocol, bare_request())
    transport.set_protocol(protocol)
    begin()
    _feed(protocol, pipelined)
    transport.resume_reading()


def _feed(protocol: asyncio.BufferedProtocol, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        room = memoryview(protocol.get_buffer(-1))
        count = min(len(room), len(rest))
        room[:count] = rest[:count]
        protocol.buffer_updated(count)
        rest = rest[count:]


class _Negotiated:
    """The transport as picows sees it. The connection itself writes to the real one."""

    __slots__ = ("_connection", "_transport", "_write")

    def __init__(self, transport: asyncio.Transport, connection: Connection) -> None:
        self._transport = transport
        self._connection = connection
        self._write = self._swallow

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        self._write(data)

    def close(self) -> None:
        self._connection.leave()
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def _swallow(self, answer: bytes) -> None:
        self._write = self._transport.write  # type: ignore[assignment]


class _Quiet:
    """A logger, as far as picows uses one. What clients do wrong is no error of ours; no logger is made for a connection."""

    def isEnabledFor(self, level: int) -> bool:
        return False

    def log(self, level: int, message: str, *values: object) -> None:
        pass

    def debug(self, message: str, *values: object) -> None:
        pass

    info = warning = debug

    def error(self, message: str, *values: object) -> None:
        log.debug(message, *values)

    def exception(self, message: str, *values: object) -> None:
        log.exception(message, *values)


_QUIET = _Quiet()
