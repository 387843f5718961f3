"""The opening handshake (RFC 6455, 4.2), sans I/O: an HTTP request becomes an offer that is good, or a typed error."""

import base64
import binascii
import hashlib
import secrets
from urllib.parse import parse_qsl

import msgspec

from hongyan.core.cursor import parse_cursor
from hongyan.core.errors import Invalid, InvalidCursor, MethodNotAllowed, NotFound
from hongyan.gateways.web.access import WEBSOCKET
from hongyan.gateways.web.headers import RawHeaders, all_of
from hongyan.gateways.web.websocket.codec import JSON, MSGPACK, Codec
from hongyan.gateways.web.websocket.deflate import Agreement, negotiate

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CODECS = {codec.name: codec for codec in (JSON, MSGPACK)}


class UpgradeRequest(msgspec.Struct, frozen=True):
    """A request to become a WebSocket, as the HTTP parser gives it: names of headers in lower case."""

    method: str
    version: str
    """Of HTTP, as `1.1`."""
    target: bytes
    headers: list[tuple[bytes, bytes]]
    peer: str | None
    """The address at the other end of the socket."""
    scheme: str


class Offer(msgspec.Struct, frozen=True):
    """A good handshake."""

    codec: Codec
    deflate: Agreement | None
    cursor: str | None
    """None is from now on."""
    answer: bytes
    """101 Switching Protocols, whole."""


def read_offer(request: UpgradeRequest, *, compression: bool) -> Offer:
    """Raises NotFound, MethodNotAllowed, Invalid, InvalidCursor."""
    path, _, query = request.target.partition(b"?")
    if path != WEBSOCKET.encode():
        raise NotFound("There is no WebSocket at this address")
    key = _good(request)
    headers = request.headers
    cursor = _cursor(query)
    asked, codec = _subprotocol(headers)
    deflate = negotiate(all_of(headers, b"sec-websocket-extensions")) if compression else None
    return Offer(codec, deflate, cursor, _answer(key, codec.name if asked else None, deflate))


def read_other(request: UpgradeRequest, subprotocol: str) -> bytes:
    """The answer to a handshake for another gateway's subprotocol. Raises MethodNotAllowed, Invalid."""
    key = _good(request)
    named = [name.strip() for value in all_of(request.headers, b"sec-websocket-protocol") for name in value.split(",")]
    if subprotocol not in named:
        raise Invalid(f"The subprotocol here is {subprotocol}")
    return _answer(key, subprotocol, None)


def _good(request: UpgradeRequest) -> bytes:
    """The key of a request that may become a WebSocket. Raises MethodNotAllowed, Invalid."""
    if request.method != "GET":
        raise MethodNotAllowed("A WebSocket is opened with GET")
    headers = request.headers
    if request.version != "1.1":
        raise Invalid("A WebSocket is opened over HTTP/1.1")
    if all_of(headers, b"transfer-encoding") or any(size != "0" for size in all_of(headers, b"content-length")):
        raise Invalid("A WebSocket is opened without a body")
    if all_of(headers, b"sec-websocket-version") != ["13"]:
        raise Invalid("Sec-WebSocket-Version is 13 (RFC 6455)")
    return _key(headers)


def _answer(key: bytes, subprotocol: str | None, deflate: Agreement | None) -> bytes:
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest()).decode()}",
    ]
    if subprotocol is not None:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    if deflate is not None:
        lines.append(f"Sec-WebSocket-Extensions: {deflate.answer}")
    return "\r\n".join([*lines, "\r\n"]).encode()


def bare_request() -> bytes:
    """The smallest good handshake: for a WebSocket library whose connection was negotiated already."""
    key = base64.b64encode(secrets.token_bytes(16))
    return (
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: %b\r\n\r\n" % key
    )


def _key(headers: RawHeaders) -> bytes:
    keys = all_of(headers, b"sec-websocket-key")
    try:
        if len(keys) == 1 and len(base64.b64decode(keys[0], validate=True)) == 16:
            return keys[0].encode()
    except (binascii.Error, ValueError):
        pass
    raise Invalid("Sec-WebSocket-Key is 16 bytes in base64, once")


def _cursor(query: bytes) -> str | None:
    try:
        found = [value for name, value in parse_qsl(query.decode("ascii"), keep_blank_values=True) if name == "after"]
    except ValueError:
        raise Invalid("The query is not ASCII") from None
    if not found:
        return None
    if len(found) > 1:
        raise InvalidCursor("There is one cursor: after came twice")
    parse_cursor(found[0])
    return found[0]


def _subprotocol(headers: RawHeaders) -> tuple[bool, Codec]:
    """Whether the client asked for any, and what it gets: the first that it names and we know, JSON when it names none."""
    named = [name.strip() for value in all_of(headers, b"sec-websocket-protocol") for name in value.split(",")]
    if not named:
        return False, JSON
    for name in named:
        if name in _CODECS:
            return True, _CODECS[name]
    raise Invalid(f"The subprotocols here are {' and '.join(_CODECS)}; {', '.join(named)[:200]} is none of them")
