"""What a benchmark's message carries in its text: who sent which message of which run, and when.

The text begins with 40 hexadecimal digits: run (8), lane (6), the sender's place among the lane's members (4), the sender's
number of the message (8), microseconds of the monotonic clock when it was sent (14); then Chinese filling up to the wanted
size. All processes of one machine share the monotonic clock, so a receiver in any of them can tell the delay.
"""

import random
import time

import msgspec

from hongyan.bench.wire import BINARY, TEXT, frame

REF_BASE = 1_000_000_000
"""Message number n goes out as `ref` REF_BASE + n: always ten digits, always four bytes in msgpack."""
PREFIX = 14
"""Length of run and lane: a receiver compares this much to know that a message is its own."""
STAMP = 40
_FILL = "鸿雁传书，一字不失；"
_WALL_OFFSET_MS = time.time_ns() // 1_000_000 - time.monotonic_ns() // 1_000_000


def now_us() -> int:
    """Microseconds of the clock that all stamps are read on."""
    return time.monotonic_ns() // 1000


def lane_prefix(run: int, lane: int) -> str:
    return f"{run:08x}{lane:06x}"


def filling(size: int) -> bytes:
    """What follows the stamp so that the whole text has exactly `size` bytes of UTF-8. Sizes below 40 give no filling."""
    room = max(0, size - STAMP)
    text = (_FILL * (room // len(_FILL.encode()) + 1)).encode()[:room].decode(errors="ignore").encode()
    return b" " * (room - len(text)) + text


class SendForm:
    """One sender's `send` frames, ready for the socket. They differ in ref, client id and stamp; the rest is built once.

    `binary` chooses msgpack over JSON. Client ids are 32 hexadecimal digits that grow with time as UUIDv7 does, or are
    random with `random_ids`.
    """

    def __init__(self, *, binary: bool, conversation: str, prefix: str, member: int, size: int, random_ids: bool = False) -> None:
        self._binary = binary
        self._random = random_ids
        self._salt = b"%012x" % random.getrandbits(48)
        self._stamp = b"%s%04x" % (prefix.encode(), member)
        fill = filling(size)
        if binary:
            pack = msgspec.msgpack.encode
            self._head = b"\x85" + pack("op") + pack("send") + pack("ref") + b"\xce"
            self._middle = pack("conversation") + pack(conversation) + pack("client_id") + b"\xd9\x20"
            length = STAMP + len(fill)
            header = b"\xd9" + length.to_bytes(1, "big") if length < 256 else b"\xda" + length.to_bytes(2, "big")
            self._late = pack("content") + b"\x82" + pack("type") + pack("text") + pack("text") + header
            self._tail = fill
        else:
            self._head = b'{"op":"send","ref":'
            self._middle = b',"conversation":' + msgspec.json.encode(conversation) + b',"client_id":"'
            self._late = b'","content":{"type":"text","text":"'
            self._tail = fill + b'"}}'
        body = self._body(0, b"0" * 32, 0)
        whole = frame(BINARY if binary else TEXT, body)
        self._head = whole[: len(whole) - len(body)] + self._head

    def _body(self, n: int, client_id: bytes, sent_us: int) -> bytes:
        ref = REF_BASE + n
        written = ref.to_bytes(4, "big") if self._binary else b"%d" % ref
        stamp = b"%s%08x%014x" % (self._stamp, n, sent_us)
        return b"".join((self._head, written, self._middle, client_id, self._late, stamp, self._tail))

    def frame(self, n: int, sent_us: int) -> bytes:
        """The whole WebSocket frame of message number `n`, sent at `sent_us` of now_us()."""
        if self._random:
            client_id = b"%032x" % random.getrandbits(128)
        else:
            client_id = b"%012x%08x%s" % (sent_us // 1000 + _WALL_OFFSET_MS, n, self._salt)
        return self._body(n, client_id, sent_us)
