"""The frames of a WebSocket as bytes, sans I/O: what clients may say, what they are told, and RFC 6455's headers.

Everything the server writes is a whole frame, so that many of them go out in one write. `events` frames are joined from the
bytes that every reader of an event shares.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from struct import Struct
from typing import Annotated, Any, Literal

import msgspec

from hongyan.core.acts import Act
from hongyan.core.content import Content
from hongyan.core.errors import HongyanError, Invalid
from hongyan.core.model import Status
from hongyan.core.own import Own
from hongyan.core.wire import Entry
from hongyan.messaging import Verdict

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
RESERVED_1 = 0x40
"""The bit of the first byte that means: compressed (RFC 7692, 6)."""
VERDICT_CODES = {"resume": 4001, "later": 4002, "login": 4003, "stop": 4004}

_FIN = 0x80
_REASON = 123  # a control frame carries 125 bytes, two of them the code (RFC 6455, 5.5)
_ERRORS = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)

Ref = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Seq = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Auth(msgspec.Struct, frozen=True, tag_field="op", tag="auth", gc=False):
    token: str
    ref: Ref | None = None


class Send(msgspec.Struct, frozen=True, tag_field="op", tag="send", gc=False):
    ref: Ref
    conversation: str
    client_id: str
    content: Content


class Do(msgspec.Struct, frozen=True, tag_field="op", tag="act", gc=False):
    """An act on a message."""

    ref: Ref
    conversation: str
    act: Act
    client_id: str | None = None


class DoOwn(msgspec.Struct, frozen=True, tag_field="op", tag="own", gc=False):
    """What one does for oneself alone."""

    ref: Ref
    act: Own
    client_id: str | None = None


class Read(msgspec.Struct, frozen=True, tag_field="op", tag="read", gc=False):
    conversation: str
    seq: Seq
    ref: Ref | None = None


class Typing(msgspec.Struct, frozen=True, tag_field="op", tag="typing", gc=False):
    conversation: str
    typing: bool
    ref: Ref | None = None


class Presence(msgspec.Struct, frozen=True, tag_field="op", tag="presence", gc=False):
    status: Status
    text: str | None = None
    ref: Ref | None = None


class Ping(msgspec.Struct, frozen=True, tag_field="op", tag="ping", gc=False):
    ref: Ref | None = None


Request = Auth | Send | Do | DoOwn | Read | Typing | Presence | Ping


class _AnyRef(msgspec.Struct, frozen=True, gc=False):
    ref: Ref | None = None


class _Sent(msgspec.Struct, frozen=True, tag_field="op", tag="ack", gc=False):
    ref: int
    seq: int
    position: int
    time: int


class _Positioned(msgspec.Struct, frozen=True, tag_field="op", tag="ack", gc=False):
    ref: int
    position: int


class _Marked(msgspec.Struct, frozen=True, tag_field="op", tag="ack", gc=False):
    ref: int
    seq: int


class _Welcome(msgspec.Struct, frozen=True, tag_field="op", tag="ack", gc=False):
    ref: int | None
    user_id: str


class _Done(msgspec.Struct, frozen=True, tag_field="op", tag="ack", gc=False):
    ref: int


class _Error(msgspec.Struct, frozen=True, tag_field="op", tag="error", gc=False):
    ref: int | None
    type: str
    detail: str
    retry_after: float | msgspec.UnsetType = msgspec.UNSET


class _Pong(msgspec.Struct, frozen=True, tag_field="op", tag="pong", gc=False):
    ref: int | None
    cursor: str


class _Close(msgspec.Struct, frozen=True, tag_field="op", tag="close", gc=False):
    do: str
    after: float | msgspec.UnsetType = msgspec.UNSET
    reason: str | msgspec.UnsetType = msgspec.UNSET


class _Limited(msgspec.Struct, frozen=True, tag_field="op", tag="events", gc=False):
    events: tuple[()]
    cursor: str
    limited: bool
    reason: str


_pack_2 = Struct("!BB").pack
_pack_4 = Struct("!BBH").pack
_pack_10 = Struct("!BBQ").pack


def header(first: int, size: int) -> bytes:
    """The header of a final frame from a server, which is not masked. `first` is the opcode and what is set beside it."""
    if size < 126:
        return _pack_2(_FIN | first, size)
    if size < 65_536:
        return _pack_4(_FIN | first, 126, size)
    return _pack_10(_FIN | first, 127, size)


def control(opcode: int, payload: bytes = b"") -> bytes:
    """A ping, pong or close. At most 125 bytes."""
    return header(opcode, len(payload)) + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """The frame that ends a connection. A reason that is too long is cut between characters."""
    words = reason.encode()[:_REASON].decode(errors="ignore").encode()
    return control(CLOSE, code.to_bytes(2, "big") + words)


class Codec:
    """One subprotocol. Every method that answers gives whole frames."""

    def __init__(self, name: str, opcode: int, encode: Callable[[Any], bytes], kind: Literal["json", "msgpack"]) -> None:
        self.name = name
        self.opcode = opcode
        """What data frames have, in both directions."""
        decoder = msgspec.json.Decoder if kind == "json" else msgspec.msgpack.Decoder
        self._decode: Callable[[bytes], Request] = decoder(Request).decode
        self._decode_ref: Callable[[bytes], _AnyRef] = decoder(_AnyRef).decode
        self._encode = encode
        self._payload = _json_events if kind == "json" else _msgpack_events
        self._words = "JSON in UTF-8" if kind == "json" else "msgpack"
        self._short = tuple(_pack_2(_FIN | opcode, size) for size in range(126))

    def request(self, data: bytes) -> Request:
        """What a client says. Raises Invalid."""
        try:
            return self._decode(data)
        except _ERRORS as error:
            raise _refused(error, self._words) from None

    def ref_of(self, data: bytes) -> int | None:
        """The `ref` of a frame that could not be understood otherwise, if there is one."""
        try:
            return self._decode_ref(data).ref
        except _ERRORS:
            return None

    def sent(self, ref: int, seq: int, position: int, time: int) -> bytes:
        return self._frame(self._encode(_Sent(ref, seq, position, time)))

    def positioned(self, ref: int, position: int) -> bytes:
        return self._frame(self._encode(_Positioned(ref, position)))

    def marked(self, ref: int, seq: int) -> bytes:
        return self._frame(self._encode(_Marked(ref, seq)))

    def welcome(self, ref: int | None, user: str) -> bytes:
        return self._frame(self._encode(_Welcome(ref, user)))

    def done(self, ref: int) -> bytes:
        return self._frame(self._encode(_Done(ref)))

    def error(self, ref: int | None, error: HongyanError) -> bytes:
        wait = msgspec.UNSET if error.retry_after is None else error.retry_after
        return self._frame(self._encode(_Error(ref, error.type, error.detail, wait)))

    def pong(self, ref: int | None, cursor: str) -> bytes:
        return self._frame(self._encode(_Pong(ref, cursor)))

    def limited(self, cursor: str, reason: str) -> bytes:
        """The first frame of a stream that cannot be continued."""
        return self._frame(self._encode(_Limited((), cursor, True, reason)))

    def signal(self, body: Mapping[str, Any]) -> bytes:
        return self._frame(self._encode({"op": "signal", **body}))

    def close(self, verdict: Verdict) -> bytes:
        """The verdict for programs, and the frame that closes."""
        after = msgspec.UNSET if verdict.after is None else verdict.after
        told = self._frame(self._encode(_Close(verdict.do, after, verdict.reason or msgspec.UNSET)))
        return told + close_frame(VERDICT_CODES[verdict.do], verdict.reason)

    def events(self, entries: Sequence[Entry], cursor: str) -> bytes:
        """All entries in one frame."""
        return self._frame(self._payload(entries, cursor))

    def events_payload(self, entries: Sequence[Entry], cursor: str) -> bytes:
        """The same without the header, to be compressed."""
        return self._payload(entries, cursor)

    def _frame(self, payload: bytes) -> bytes:
        size = len(payload)
        return self._short[size] + payload if size < 126 else header(self.opcode, size) + payload


def _json_events(entries: Sequence[Entry], cursor: str) -> bytes:
    events = b",".join([entry.json() for entry in entries])
    return b"".join((b'{"op":"events","events":[', events, b'],"cursor":"', cursor.encode(), b'"}'))


def _msgpack_events(entries: Sequence[Entry], cursor: str) -> bytes:
    count, place = len(entries), cursor.encode()
    many = bytes((0x90 | count,)) if count < 16 else b"\xdc" + count.to_bytes(2, "big")
    size = len(place)
    text = bytes((0xA0 | size,)) if size < 32 else bytes((0xD9, size))
    events = [entry.msgpack() for entry in entries]
    return b"".join((b"\x83\xa2op\xa6events\xa6events", many, *events, b"\xa6cursor", text, place))


_PLACE = re.compile(r" - at `(?:key in )?\$\.?(?P<path>[^`]*)`$")


def _refused(error: Exception, words: str) -> Invalid:
    """The sentence for a frame that does not fit; names the field."""
    if isinstance(error, RecursionError):
        return Invalid("The frame is nested too deeply")
    message = str(error)[:500]
    if not isinstance(error, msgspec.ValidationError):
        return Invalid(f"The frame is not {words}: {message}")
    place = _PLACE.search(message)
    if place is None:
        return Invalid(f"The frame: {_plain(message)}")
    return Invalid(f"{place['path'] or 'The frame'}: {_plain(message[: place.start()])}")


def _plain(message: str) -> str:
    message = message.replace("`", "")
    return message[:1].lower() + message[1:]


JSON = Codec("hongyan.json", TEXT, msgspec.json.Encoder().encode, "json")
MSGPACK = Codec("hongyan.msgpack", BINARY, msgspec.msgpack.Encoder().encode, "msgpack")
