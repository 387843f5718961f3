"""The opening handshake, without a socket."""

import base64

import pytest

from hongyan.core.errors import HongyanError, Invalid, InvalidCursor, MethodNotAllowed, NotFound
from hongyan.gateways.web.websocket.codec import JSON, MSGPACK, Codec
from hongyan.gateways.web.websocket.handshake import Offer, UpgradeRequest, read_offer

GOOD = {
    "host": "chat.example",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-protocol": "hongyan.json",
}


def offer(
    target: str = "/v1/events/ws",
    *,
    method: str = "GET",
    version: str = "1.1",
    compression: bool = True,
    more: dict[str, str | None] | None = None,
) -> Offer:
    """What is read from the good request with other headers; None leaves one out."""
    chosen = {name: value for name, value in {**GOOD, **(more or {})}.items() if value is not None}
    headers = [(name.encode(), value.encode("latin-1")) for name, value in chosen.items()]
    return read_offer(
        UpgradeRequest(method, version, target.encode("latin-1"), headers, "192.0.2.1", "http"), compression=compression
    )


def test_the_key_is_answered_as_in_rfc_6455() -> None:
    answer = offer().answer.decode()
    assert answer.startswith("HTTP/1.1 101 Switching Protocols\r\n")
    assert "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer
    assert answer.endswith("\r\n\r\n")


@pytest.mark.parametrize(
    ("asked", "codec", "told"),
    [
        ("hongyan.json", JSON, True),
        ("hongyan.msgpack", MSGPACK, True),
        ("hongyan.msgpack, hongyan.json", MSGPACK, True),
        ("chat, hongyan.json", JSON, True),
        (None, JSON, False),
    ],
)
def test_the_first_subprotocol_that_both_know_is_taken(asked: str | None, codec: Codec, told: bool) -> None:
    found = offer(more={"sec-websocket-protocol": asked})
    assert found.codec is codec
    assert (f"Sec-WebSocket-Protocol: {codec.name}\r\n" in found.answer.decode()) is told
    assert ("Sec-WebSocket-Protocol" in found.answer.decode()) is told


def test_a_query_without_a_cursor_begins_now() -> None:
    assert offer().cursor is None
    assert offer("/v1/events/ws?other=1").cursor is None


def test_the_cursor_comes_from_the_query() -> None:
    assert offer("/v1/events/ws?after=abc.12").cursor == "abc.12"
    assert offer("/v1/events/ws?x=1&after=abc%2E12").cursor == "abc.12"


def test_compression_is_agreed_on_when_offered_and_wanted() -> None:
    offered: dict[str, str | None] = {"sec-websocket-extensions": "permessage-deflate; client_max_window_bits"}
    assert "Sec-WebSocket-Extensions: permessage-deflate" in offer(more=offered).answer.decode()
    assert offer(more=offered).deflate is not None
    assert offer(more=offered, compression=False).deflate is None
    assert "Extensions" not in offer(more=offered, compression=False).answer.decode()
    assert offer().deflate is None


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"target": "/v1/events/ws/"}, NotFound),
        ({"target": "/v1/events"}, NotFound),
        ({"target": "/v1/events/%77s"}, NotFound),
        ({"target": "//v1/events/ws"}, NotFound),
        ({"method": "POST"}, MethodNotAllowed),
        ({"version": "1.0"}, Invalid),
        ({"more": {"sec-websocket-version": "8"}}, Invalid),
        ({"more": {"sec-websocket-version": None}}, Invalid),
        ({"more": {"sec-websocket-key": None}}, Invalid),
        ({"more": {"sec-websocket-key": "short"}}, Invalid),
        ({"more": {"sec-websocket-key": "é" * 24}}, Invalid),
        ({"more": {"sec-websocket-key": base64.b64encode(b"x" * 17).decode()}}, Invalid),
        ({"more": {"sec-websocket-protocol": "chat"}}, Invalid),
        ({"more": {"sec-websocket-protocol": ""}}, Invalid),
        ({"more": {"content-length": "5"}}, Invalid),
        ({"more": {"transfer-encoding": "chunked"}}, Invalid),
        ({"target": "/v1/events/ws?after="}, InvalidCursor),
        ({"target": "/v1/events/ws?after=nonsense"}, InvalidCursor),
        ({"target": "/v1/events/ws?after=a.1&after=a.2"}, InvalidCursor),
        ({"target": "/v1/events/ws?after=é"}, Invalid),
    ],
)
def test_a_handshake_that_is_not_good_is_refused_with_its_reason(arguments: dict[str, object], error: type[HongyanError]) -> None:
    with pytest.raises(error) as caught:
        offer(**arguments)  # type: ignore[arg-type]
    assert type(caught.value) is error
