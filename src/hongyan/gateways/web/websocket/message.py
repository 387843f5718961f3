"""Messages from data frames, sans I/O: fragments (RFC 6455, 5.4), compression (RFC 7692, 6), and the bounds of both."""

from hongyan.core.errors import Invalid, TooLarge
from hongyan.gateways.web.websocket.codec import BINARY, TEXT
from hongyan.gateways.web.websocket.deflate import inflate

_CONTINUATION = 0x0
PROTOCOL_ERROR, BAD_DATA, TOO_BIG = 1002, 1007, 1009
"""Close codes of RFC 6455, 7.4.1."""


class Violation(Exception):
    """What ends the connection, with a close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Message:
    """One message while it comes. Over `soft` bytes it is refused when it is whole, over `hard` bytes at once."""

    __slots__ = ("_compressed", "_data", "_hard", "_opcode", "_soft")

    def __init__(self, soft: int, hard: int) -> None:
        self._soft = soft
        self._hard = hard
        self._opcode = _CONTINUATION
        self._compressed = False
        self._data = bytearray()

    def add(self, opcode: int, compressed: bool, payload: bytes | memoryview) -> None:
        """A frame of it, in order. Raises Violation."""
        if (opcode == _CONTINUATION) != (self._opcode != _CONTINUATION):
            raise Violation(PROTOCOL_ERROR, "A fragment without its message, or a message inside another one")
        if opcode != _CONTINUATION:
            self._opcode = opcode
            self._compressed = compressed
        elif compressed:
            raise Violation(PROTOCOL_ERROR, "Only the first fragment says that a message is compressed")
        if len(self._data) + len(payload) > self._hard:
            raise Violation(TOO_BIG, f"A message may have {self._soft} bytes")
        self._data += payload

    @property
    def opcode(self) -> int:
        return self._opcode

    def whole(self) -> bytes:
        """After its last frame: what was said. Raises Violation for data that do not inflate within `soft` bytes."""
        data = bytes(self._data)
        if self._compressed:
            try:
                return inflate(data, self._soft)
            except TooLarge as error:
                raise Violation(TOO_BIG, error.detail) from None
            except Invalid as error:
                raise Violation(BAD_DATA, error.detail) from None
        return data

    def check(self, opcode: int, data: bytes) -> None:
        """Raises Invalid for the other kind of data frame, TooLarge above `soft` bytes."""
        if self._opcode != opcode:
            wanted = {TEXT: "text", BINARY: "binary"}[opcode]
            raise Invalid(f"The subprotocol of this connection comes in {wanted} frames")
        if len(data) > self._soft:
            raise TooLarge(f"A frame may have {self._soft} bytes; this one has {len(data)}")
