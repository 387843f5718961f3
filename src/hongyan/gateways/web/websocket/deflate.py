"""permessage-deflate (RFC 7692), without context takeover in both directions.

So a connection keeps no window between messages, and the same compressed bytes serve every receiver. What is inflated is bounded
while it grows, not afterwards.
"""

import re
import zlib
from collections.abc import Sequence

import msgspec

from hongyan.core.errors import Invalid, TooLarge

WORTH_IT = 256
"""Bytes from which a frame is compressed: an event of 370 becomes 230 in 10 microseconds, smaller ones gain next to nothing."""

_LEVEL = 3  # as small as level 6 for frames of a few events, at two thirds of the time for large ones
_TAIL = b"\x00\x00\xff\xff"
_ITEM = re.compile(r'\s*([A-Za-z0-9_-]+)\s*(?:=\s*(?:"([^"]*)"|([A-Za-z0-9_-]+)))?\s*')
_BITS = re.compile(r"[89]|1[0-5]")
_NAMES = ("server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits", "client_max_window_bits")


class Agreement(msgspec.Struct, frozen=True):
    """What was agreed for one connection."""

    window_bits: int
    """Of what the server sends."""
    answer: str
    """The Sec-WebSocket-Extensions header of the answer."""


def negotiate(headers: Sequence[str]) -> Agreement | None:
    """The first offer that can be accepted, in the client's order; None when there is none (RFC 7692, 5 and 7.1)."""
    for offer in ",".join(headers).split(","):
        bits = _window_bits(offer)
        if bits is not None:
            answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
            if bits != 15:
                answer += f"; server_max_window_bits={bits}"
            return Agreement(bits, answer)
    return None


def _window_bits(offer: str) -> int | None:
    """The server's window of a good offer."""
    name, *parameters = offer.split(";")
    if name.strip().lower() != "permessage-deflate":
        return None
    given: dict[str, str | None] = {}
    for parameter in parameters:
        match = _ITEM.fullmatch(parameter)
        if match is None or match[1] in given or match[1] not in _NAMES:
            return None
        given[match[1]] = match[2] if match[2] is not None else match[3]
    if any(given.get(name) is not None for name in _NAMES[:2]):
        return None
    if not all(given.get(name) is None or _BITS.fullmatch(given[name] or "") for name in _NAMES[2:]):
        return None
    server = given.get("server_max_window_bits", "15")
    # zlib has no raw window of 8 bits; an offer that insists on it is declined.
    return int(server) if server is not None and server != "8" else None


class Deflater:
    """Compresses messages with one window size, each by itself. One serves all connections of the same size."""

    def __init__(self, window_bits: int) -> None:
        self._zlib = zlib.compressobj(_LEVEL, zlib.DEFLATED, -window_bits)

    def deflate(self, message: bytes) -> bytes:
        # A full flush forgets what came before, so the next message does not refer to it, and ends with the four bytes
        # that RFC 7692, 7.2.1 takes off.
        return (self._zlib.compress(message) + self._zlib.flush(zlib.Z_FULL_FLUSH))[:-4]


def inflate(message: bytes, limit: int) -> bytes:
    """A message as it was before compression. Raises TooLarge above `limit` bytes, Invalid for what is not deflated data."""
    inflater = zlib.decompressobj(-15)
    try:
        found = inflater.decompress(message + _TAIL, limit + 1)
        if len(found) > limit:
            raise TooLarge(f"A frame may have {limit} bytes after decompression")
        if inflater.unconsumed_tail or (inflater.unused_data.strip(b"\0") not in (b"", b"\xff\xff")):
            raise Invalid("A compressed frame ends before its data do")
    except zlib.error:
        raise Invalid("A compressed frame is not deflated data") from None
    return found
