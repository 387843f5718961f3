"""A WebSocket before log-in: a browser cannot send the Authorization header, so the first frame carries the token.

Nothing is kept for such a connection but its first frame, up to a few kilobytes: frames are read here, to the byte, and what
comes behind the first one is handed on unread.
"""

import asyncio
from collections.abc import Callable
from struct import Struct

import msgspec

from hongyan.core.errors import HongyanError, NotAuthenticated
from hongyan.gateways.web.websocket.codec import CLOSE, PING, PONG, Codec, close_frame, control
from hongyan.gateways.web.websocket.message import PROTOCOL_ERROR, TOO_BIG, Message, Violation
from hongyan.gateways.web.websocket.upkeep import Upkeep
from hongyan.messaging import Verdict

_MOST = 4_096
"""Bytes of the first message, which is a token and little else."""
_FRAMES = 64
_KNOWN = frozenset({0x0, 0x1, 0x2, 0x8, 0x9, 0xA})
_unpack_2 = Struct("!H").unpack_from
_unpack_8 = Struct("!Q").unpack_from


class ClientFrame(msgspec.Struct, frozen=True, gc=False):
    opcode: int
    final: bool
    compressed: bool
    payload: bytes
    size: int
    """Bytes of the whole frame."""


def read_frame(data: bytes | bytearray, compresses: bool, most: int = _MOST) -> ClientFrame | None:
    """The first frame of `data` (RFC 6455, 5.2), of up to `most` bytes; None when it is not all there. Raises Violation."""
    if len(data) < 2:
        return None
    first, second = data[0], data[1]
    opcode = first & 0x0F
    if opcode not in _KNOWN or first & (0x30 if compresses else 0x70):
        raise Violation(PROTOCOL_ERROR, "An opcode or a reserved bit that was not agreed on")
    if not second & 0x80:
        raise Violation(PROTOCOL_ERROR, "Frames of clients are masked")
    size, at = second & 0x7F, 2
    if opcode & 0x8 and (size > 125 or first & 0xC0 != 0x80):
        raise Violation(PROTOCOL_ERROR, "Control frames are short, whole and not compressed")
    if size > 125:
        at = 4 if size == 126 else 10
        if len(data) < at:
            return None
        size = _unpack_2(data, 2)[0] if size == 126 else _unpack_8(data, 2)[0]
    if size > most:
        raise Violation(TOO_BIG, f"Before log-in a message may have {most} bytes" if most == _MOST else "A message is too large")
    end = at + 4 + size
    if len(data) < end:
        return None
    mask = (bytes(data[at : at + 4]) * (size // 4 + 1))[:size]
    masked = int.from_bytes(data[at + 4 : end], "big") ^ int.from_bytes(mask, "big")
    return ClientFrame(opcode, bool(first & 0x80), bool(first & 0x40), masked.to_bytes(size, "big"), end)


class Login(asyncio.Protocol):
    """Waits for the first message and gives it to `on_message`, with reading paused."""

    def __init__(
        self,
        transport: asyncio.Transport,
        codec: Codec,
        upkeep: Upkeep,
        on_message: Callable[["Login", bytes], None],
        *,
        site: str,
        compresses: bool,
    ) -> None:
        self.transport = transport
        self.codec = codec
        self.site = site
        self._upkeep = upkeep
        self._on_message = on_message
        self._compresses = compresses
        self._message: Message | None = None
        self._frames = 0
        self._asked = False
        self._closing = False
        self.pipelined = b""
        """What came and was not read."""

    def begin(self, data: bytes) -> None:
        """`data` is what came behind the handshake."""
        self._upkeep.wait(self)
        self.data_received(data)

    def data_received(self, data: bytes) -> None:
        self.pipelined += data
        try:
            while not self._asked or self._closing:
                frame = read_frame(self.pipelined, self._compresses)
                if frame is None:
                    return
                self._frames += 1
                if self._frames > _FRAMES:
                    raise Violation(PROTOCOL_ERROR, "Too many frames before log-in")
                self.pipelined = self.pipelined[frame.size :]
                message = self._take(frame)
                if message is not None:
                    self._asked = True
                    self.transport.pause_reading()
                    self._on_message(self, message)
                    return
        except Violation as violation:
            if self._closing:
                self.drop()
            self._leave(close_frame(violation.code, violation.reason))

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._upkeep.arrived(self)
        self._upkeep.closed(self)

    def late(self) -> None:
        self.refuse(None, NotAuthenticated("No token came in time"), Verdict("login", reason="No token came in time"))

    def refuse(self, ref: int | None, error: HongyanError, verdict: Verdict) -> None:
        """Tell why, and what to do next."""
        self._leave(self.codec.error(ref, error) + self.codec.close(verdict))

    def drop(self) -> None:
        self.transport.abort()

    def _take(self, frame: ClientFrame) -> bytes | None:
        """The message that this frame completes."""
        if frame.opcode == CLOSE:
            self._leave(control(CLOSE, frame.payload[:2]))
            self.transport.close()
        elif self._closing:
            return None
        elif frame.opcode == PING:
            self.transport.write(control(PONG, frame.payload))
        elif frame.opcode != PONG:
            self._message = self._message or Message(_MOST, _MOST)
            self._message.add(frame.opcode, frame.compressed, frame.payload)
            if frame.final:
                return self._message.whole()
        return None

    def _leave(self, last: bytes) -> None:
        if not self._closing:
            self._closing = True
            self._upkeep.arrived(self)
            self._upkeep.closing(self)
            self.transport.write(last)
            self.transport.resume_reading()
