"""Who is let in as a WebSocket, and how others are told why not; log-in by the first frame; the end of a token, and of all."""

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.exceptions import InvalidStatus

from hongyan.gateways.web.websocket import door
from tests.gateways.web.port.plays import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Port,
    Raw,
    client_frame,
    deflated,
    handshake,
    open_port,
    until,
)


async def refused(port: Port, request: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, headers and problem, after which the server hangs up."""
    raw = await port.socket()
    await raw.write(request)
    status, headers, body = await raw.answer()
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"
    assert headers["date"]
    assert await raw.reader.read() == b""
    return status, headers, msgspec.json.decode(body)


async def test_a_handshake_that_is_not_good_is_answered_with_a_problem(tmp_path: Path) -> None:
    async with open_port(tmp_path, http={"origins": ("https://good.example",)}) as port:
        token = port.web.tokens["alice"]
        cases: list[tuple[bytes, int, str]] = [
            (handshake("nonsense"), 401, "not-authenticated"),
            (handshake("two words"), 401, "not-authenticated"),
            (handshake(token, "/v1/events/ws?after=nonsense"), 400, "invalid-cursor"),
            (handshake(None, "/v1/events/ws?after=nonsense"), 400, "invalid-cursor"),
            (handshake(token, "/v1/elsewhere"), 404, "not-found"),
            (handshake(token, "/health"), 404, "not-found"),
            (handshake(token, method="POST"), 405, "method-not-allowed"),
            (handshake(token, subprotocol="chat"), 400, "invalid"),
            (handshake(token, version="7"), 400, "invalid"),
            (handshake(token, key="nonsense"), 400, "invalid"),
            (handshake(token, extra="Origin: https://bad.example\r\n"), 403, "origin-refused"),
            (handshake(None, extra="Origin: https://bad.example\r\n"), 403, "origin-refused"),
            (handshake(token, extra="Origin: null\r\n"), 403, "origin-refused"),
            (handshake(token, extra="Content-Length: 3\r\n") + b"abc", 400, "invalid"),
        ]
        for request, status, code in cases:
            found = await refused(port, request)
            assert found[0] == status, request
            assert found[2]["type"] == f"urn:hongyan:error:{code}", request
            assert found[2]["detail"]
        assert port.gateway.websockets == 0
        assert len(port.home.messaging.sessions) == 0


async def test_pages_of_the_server_itself_and_of_listed_origins_are_let_in(tmp_path: Path) -> None:
    async with open_port(tmp_path, http={"origins": ("https://good.example",)}) as port:
        for origin in ("http://chat.example", "https://good.example"):
            await port.raw("alice", extra=f"Origin: {origin}\r\n")
            await port.raw(None, extra=f"Origin: {origin}\r\n")


async def test_over_the_bound_of_a_user_it_is_503_with_the_time_to_wait(tmp_path: Path) -> None:
    async with open_port(tmp_path, limits={"connections_per_user": 2}) as port:
        first, _ = await port.raw("alice"), await port.raw("alice")
        status, headers, problem = await refused(port, handshake(port.web.tokens["alice"]))
        assert (status, problem["type"]) == (503, "urn:hongyan:error:overloaded")
        assert int(headers["retry-after"]) >= 1
        assert problem["retry_after"] > 0
        with pytest.raises(InvalidStatus) as caught:
            await port.library("alice")
        assert caught.value.response.status_code == 503
        first.writer.transport.abort()
        await until(lambda: port.gateway.websockets == 1)
        await port.raw("alice")


async def test_in_a_storm_it_is_503_with_the_time_to_wait(tmp_path: Path) -> None:
    async with open_port(tmp_path, limits={"opens_per_second": 0.5, "opens_burst": 3}) as port:
        for _ in range(3):
            await port.raw("alice")
        status, headers, _ = await refused(port, handshake(port.web.tokens["alice"]))
        assert (status, "retry-after" in headers) == (503, True)


async def test_wrong_tokens_without_end_are_limited(tmp_path: Path) -> None:
    async with open_port(tmp_path, limits={"requests_per_second": 1.0, "requests_burst": 5}) as port:
        statuses = [(await refused(port, handshake("nonsense")))[0] for _ in range(8)]
        assert statuses[:5] == [401] * 5
        assert statuses[-1] == 429


async def test_a_client_that_hangs_up_while_it_is_let_in_leaves_nothing_behind(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        for _ in range(30):
            raw = await port.socket()
            await raw.write(handshake(port.web.tokens["alice"]))
            raw.writer.transport.abort()
        await until(lambda: port.gateway.websockets == 0 and len(port.home.messaging.sessions) == 0)


# The first frame


def auth(token: str, **more: Any) -> bytes:
    return client_frame(TEXT, msgspec.json.encode({"op": "auth", "token": token, **more}))


@pytest.mark.parametrize("ref", [None, 17])
async def test_a_token_in_the_first_frame_is_acknowledged(tmp_path: Path, ref: int | None) -> None:
    async with open_port(tmp_path) as port:
        group = await port.web.group("alice", "bob")
        bob = await port.raw(None)
        await bob.write(auth(port.web.tokens["bob"], **({} if ref is None else {"ref": ref})))
        assert await bob.map() == {"op": "ack", "ref": ref, "user_id": "bob"}
        assert (await bob.map())["events"] == []
        await port.web.send("alice", group, "c1")
        assert len(await bob.events(1)) == 1


async def test_the_first_frame_may_come_in_fragments_compressed_as_msgpack_and_behind_pings(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        raw = await port.raw(None, subprotocol="hongyan.msgpack", extensions="permessage-deflate")
        packed = deflated(msgspec.msgpack.encode({"op": "auth", "token": port.web.tokens["bob"]}))
        await raw.write(
            client_frame(PING, b"1") + client_frame(BINARY, packed[:9], final=False, reserved=4) + client_frame(PING, b"2")
        )
        assert await raw.frame() == (PONG, b"1")
        assert await raw.frame() == (PONG, b"2")
        await raw.write(client_frame(CONTINUATION, packed[9:]))
        assert (await raw.map())["user_id"] == "bob"


async def test_the_cursor_of_the_address_is_used_after_log_in(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        group = await port.web.group("alice", "bob")
        await port.home.settled()
        cursor = port.home.messaging.log.cursor()
        await port.web.send("alice", group, "c1")
        bob = await port.raw(None, after=cursor, behind=auth(port.web.tokens["bob"]))
        assert len(await bob.events(1)) == 1


@pytest.mark.parametrize(
    ("frame", "code", "closing"),
    [
        (auth("nonsense"), "not-authenticated", 4003),
        (client_frame(TEXT, b'{"op":"ping","ref":1}'), "not-authenticated", 4003),
        (client_frame(TEXT, b'{"op":"auth"}'), "invalid", 4004),
        (client_frame(TEXT, b"hello"), "invalid", 4004),
    ],
)
async def test_a_wrong_first_frame_is_told_why_and_closed(tmp_path: Path, frame: bytes, code: str, closing: int) -> None:
    async with open_port(tmp_path) as port:
        raw = await port.raw(None)
        await raw.write(frame)
        assert (await raw.map())["type"] == f"urn:hongyan:error:{code}"
        assert (await raw.map())["op"] == "close"
        assert await raw.close_code() == closing
        await raw.write(client_frame(CLOSE, closing.to_bytes(2, "big")))
        await raw.ended()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (client_frame(TEXT, b"x" * 5_000), 1009),
        (client_frame(TEXT, b"x" * 3_000, final=False) + client_frame(CONTINUATION, b"x" * 3_000), 1009),
        (b"\x81\xff\x00\x00\x00\x00\x40\x00\x00\x00", 1009),
        (client_frame(TEXT, b"x", masked=False), 1002),
        (client_frame(TEXT, b"x", reserved=4), 1002),
        (client_frame(PING, b"") * 100, 1002),
    ],
)
async def test_a_violation_before_log_in_ends_the_connection(tmp_path: Path, data: bytes, code: int) -> None:
    async with open_port(tmp_path) as port:
        raw = await port.raw(None)
        await raw.write(data)
        assert await raw.close_code() == code
        await raw.ended()


async def test_who_goes_on_talking_after_a_refusal_is_cut(tmp_path: Path) -> None:
    async with open_port(tmp_path, pace={"grace": 60.0}) as port:
        raw = await port.raw(None, behind=auth("nonsense"))
        assert await raw.close_code() == 4003
        with contextlib.suppress(ConnectionError):
            await raw.write(client_frame(TEXT, b"x" * 1_000_000))
        await raw.ended()


async def test_who_does_not_log_in_in_time_is_closed(tmp_path: Path) -> None:
    async with open_port(tmp_path, pace={"login": 0.2}) as port:
        raw = await port.raw(None)
        assert (await raw.map())["type"] == "urn:hongyan:error:not-authenticated"
        assert (await raw.map())["do"] == "login"
        assert await raw.close_code() == 4003
        await raw.ended()


async def test_a_close_before_log_in_is_answered(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        raw = await port.raw(None)
        await raw.write(client_frame(CLOSE, b"\x03\xe8bye"))
        assert await raw.frame() == (CLOSE, b"\x03\xe8")
        await raw.ended()


async def test_over_the_bound_a_first_frame_is_told_when_to_come_back(tmp_path: Path) -> None:
    async with open_port(tmp_path, limits={"connections_per_user": 1}) as port:
        await port.raw("bob")
        raw = await port.raw(None, behind=auth(port.web.tokens["bob"], ref=3))
        error = await raw.map()
        assert (error["type"], error["ref"]) == ("urn:hongyan:error:overloaded", 3)
        close = await raw.map()
        assert close["do"] == "later"
        assert close["after"] == error["retry_after"]
        assert await raw.close_code() == 4002


async def test_those_who_have_not_logged_in_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_STRANGERS", 2)
    async with open_port(tmp_path) as port:
        first, _ = await port.raw(None), await port.raw(None)
        assert (await refused(port, handshake(None)))[0] == 503
        await port.raw("alice")
        await first.write(auth(port.web.tokens["bob"]))
        await first.map()
        await port.raw(None)


async def test_one_address_does_not_keep_others_from_logging_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_STRANGERS_OF_A_SITE", 2)
    here, there = "X-Forwarded-For: 192.0.2.1\r\n", "X-Forwarded-For: 192.0.2.2\r\n"
    async with open_port(tmp_path, http={"trusted_proxies": ("127.0.0.1",)}) as port:
        first, second = await port.raw(None, extra=here), await port.raw(None, extra=here)
        assert (await refused(port, handshake(None, extra=here)))[0] == 503
        await port.raw(None, extra=there)
        await first.write(auth(port.web.tokens["bob"]))
        await first.map()
        await port.raw(None, extra=here)
        second.writer.transport.abort()
        await until(lambda: port.gateway._upkeep.waiting_count == 2)
        await port.raw(None, extra=here)


async def test_origin_is_asked_before_a_first_frame_is_waited_for(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        status, _, problem = await refused(port, handshake(None, extra="Origin: https://evil.example\r\n"))
        assert (status, problem["type"]) == (403, "urn:hongyan:error:origin-refused")


# The end


async def test_the_end_of_a_token_ends_its_connections_at_once_and_no_others(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        group = await port.web.group("alice", "bob")
        alice, bob = await port.raw("alice"), await port.raw("bob")
        await port.web.call("alice", "POST", "/v1/logout")
        close = await alice.hears("close")
        assert close["do"] == "login"
        assert await alice.close_code() == 4003
        assert (await refused(port, handshake(port.web.tokens["alice"])))[0] == 401
        await port.web.send("bob", group, "c1")
        assert len(await bob.events(1)) == 1


async def test_nothing_is_told_after_the_close(tmp_path: Path) -> None:
    async with open_port(tmp_path, pace={"grace": 5.0}) as port:
        group = await port.web.group("alice", "bob")
        alice = await port.raw("alice")
        await port.web.call("alice", "POST", "/v1/logout")
        assert await alice.close_code() == 4003
        await port.web.send("bob", group, "c1")
        await alice.say({"op": "ping"})
        await alice.write(client_frame(CLOSE, b"\x0f\xa3"))
        assert await alice.reader.read() == b""


async def test_stopping_tells_everybody_to_come_later_each_at_another_time_and_lets_nobody_in(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        peers: list[Raw] = [await port.raw("alice") for _ in range(5)]
        stranger = await port.raw(None)
        open_socket = await port.socket()
        async with port.library("bob") as library:
            began = time.monotonic()
            stopping = asyncio.create_task(port.gateway.stop(after=2.0))
            await library.wait_closed()
            assert library.close_code == 4002
        waits = set()
        for raw in peers:
            close = await raw.hears("close")
            assert close["do"] == "later"
            assert 2 <= close["after"] <= 4
            waits.add(close["after"])
            assert await raw.close_code() == 4002
        assert len(waits) > 1
        assert (await stranger.hears("close"))["do"] == "later"
        assert await open_socket.reader.read() == b""
        with pytest.raises(OSError, match=r"refused|failed"):
            await port.socket()
        await stopping
        assert time.monotonic() - began < 8
        assert port.gateway.websockets == 0
