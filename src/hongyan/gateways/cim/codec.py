"""Frames of CIM's TCP port, sans I/O: a varint32 length, then one protobuf message (docs/gateways/cim.md).

Bytes in any pieces become frames or a `BadFrame`; frames become bytes. Fields that are not known are ignored.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import msgspec
from google.protobuf.message import DecodeError

from hongyan.gateways.cim import cim_pb2

Command = Literal["login", "message", "ping", "offline"]

_COMMANDS: tuple[Command, ...] = ("login", "message", "ping", "offline")
"""By the number that stands for them on the wire."""
_LENGTH_BYTES = 5
"""Of a 32-bit varint, at most."""
_MOST = 0x7FFF_FFFF
_NOTHING: Mapping[str, str] = MappingProxyType({})


class BadFrame(Exception):
    """What cannot be a frame: the connection has to end. The text says why, for the log."""


class Frame(msgspec.Struct, frozen=True):
    """One message, whichever way it goes."""

    command: Command
    id: int = 0
    """The number of the user that it is from, or for."""
    text: str = ""
    properties: Mapping[str, str] = _NOTHING
    batch: Sequence[str] = ()


class Decoder:
    """`most` is the largest message, in bytes without the length before it; it may be changed between two frames."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._waiting = bytearray()

    @property
    def waiting(self) -> int:
        """Bytes of a frame that is not whole."""
        return len(self._waiting)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole now. Raises BadFrame behind the last good one; nothing may be fed after that."""
        waiting = self._waiting
        waiting += data
        at = 0
        try:
            while True:
                found = _length(waiting, at)
                if found is None:
                    return
                length, begin = found
                if length > self.most:
                    raise BadFrame(f"a frame of {length} bytes is longer than the {self.most} that one may have")
                if len(waiting) - begin < length:
                    return
                at = begin + length
                yield decode(bytes(waiting[begin:at]))
        finally:
            del waiting[:at]


def decode(message: bytes) -> Frame:
    """Raises BadFrame."""
    request = cim_pb2.Request()
    try:
        request.ParseFromString(message)
    except DecodeError:
        raise BadFrame("this is no message of CIM") from None
    command: int = request.cmd
    if not 0 <= command < len(_COMMANDS):
        raise BadFrame(f"there is no command {command}")
    return Frame(
        _COMMANDS[command],
        request.requestId,
        request.reqMsg,
        dict(request.properties) if request.properties else _NOTHING,
        tuple(request.batchReqMsg),
    )


def message(frame: Frame) -> bytes:
    """The message of a frame without its length. Messages one behind the other are one message that has the fields of all."""
    return cim_pb2.Response(
        resMsg=frame.text,
        responseId=frame.id,
        cmd=_COMMANDS.index(frame.command),  # type: ignore[arg-type]  # numbers are taken, too
        properties=frame.properties,
        batchResMsg=frame.batch,
    ).SerializeToString()


def framed(*messages: bytes) -> bytes:
    """One frame of the parts of a message."""
    length = sum(map(len, messages))
    head = bytearray()
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return b"".join((head, *messages))


def encode(frame: Frame) -> bytes:
    return framed(message(frame))


def _length(data: bytearray, at: int) -> tuple[int, int] | None:
    """The length that stands at `at` and where it ends; None while it is not whole. Raises BadFrame."""
    length = 0
    for number, byte in enumerate(data[at : at + _LENGTH_BYTES]):
        length |= (byte & 0x7F) << 7 * number
        if byte < 0x80:
            if length > _MOST:
                raise BadFrame("the length of a frame is negative")
            return length, at + number + 1
    if len(data) - at >= _LENGTH_BYTES:
        raise BadFrame("the length of a frame does not end")
    return None
