"""From uvicorn to picows on one transport, on both loops, with and without TLS: what leans on the inside of three libraries."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from tests.gateways.web.port.plays import TEXT, Port, client_frame, handshake, open_port
from tests.operation import certificates


@pytest.fixture(params=["plain", "tls"])
async def port(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Port]:
    http, tls = {}, None
    if request.param == "tls":
        certificate, key = certificates.make(tmp_path)
        http = {"certificate": certificate, "key": key}
        tls = ssl.create_default_context(cafile=certificate)
    async with open_port(tmp_path, http=http, tls=tls) as opened:
        yield opened


def ping(ref: int) -> bytes:
    return client_frame(TEXT, b'{"op":"ping","ref":%d}' % ref)


def text_frame(ref: int, size: int) -> bytes:
    content = {"type": "text", "text": "x" * size}
    return client_frame(
        TEXT, msgspec.json.encode({"op": "send", "ref": ref, "conversation": "lobby", "client_id": f"c{ref}", "content": content})
    )


async def test_the_library_of_another_project_connects(port: Port) -> None:
    async with port.library("alice") as alice:
        await alice.send('{"op":"ping","ref":1}', text=True)
        async with asyncio.timeout(10):
            while msgspec.json.decode(await alice.recv())["op"] != "pong":
                pass


async def test_frames_right_behind_the_handshake_are_read_in_order(port: Port) -> None:
    alice = await port.raw("alice", behind=b"".join(ping(ref) for ref in range(20)))
    assert [(await alice.hears("pong"))["ref"] for _ in range(20)] == list(range(20))


async def test_a_large_frame_right_behind_the_handshake_is_read(port: Port) -> None:
    alice = await port.raw("alice", behind=text_frame(1, 60_000) + ping(2))
    refs = {(await alice.map()).get("ref") for _ in range(4)}
    assert {1, 2} <= refs


async def test_a_frame_that_is_cut_by_the_handshake_is_put_together(port: Port) -> None:
    frame = ping(7)
    alice = await port.raw("alice", behind=frame[:5])
    await alice.write(frame[5:])
    assert (await alice.hears("pong"))["ref"] == 7


async def test_a_handshake_may_come_byte_by_byte(port: Port) -> None:
    raw = await port.socket()
    for byte in handshake(port.web.tokens["alice"]) + ping(3):
        await raw.write(bytes((byte,)))
    assert (await raw.answer())[0] == 101
    assert (await raw.hears("pong"))["ref"] == 3


async def test_a_request_may_come_before_the_handshake_on_the_same_connection(port: Port) -> None:
    raw = await port.socket()
    for _ in range(3):
        await raw.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await raw.answer())[0] == 200
    await raw.write(handshake(port.web.tokens["alice"]) + ping(4))
    assert (await raw.answer())[0] == 101
    assert (await raw.hears("pong"))["ref"] == 4


async def test_a_handshake_behind_a_request_without_an_answer_is_not_taken(port: Port) -> None:
    raw = await port.socket()
    poll = f"GET /v1/events?wait=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {port.web.tokens['alice']}\r\n\r\n"
    await raw.write(poll.encode() + handshake(port.web.tokens["alice"]))
    status, headers, _ = await raw.answer()
    assert status == 200
    assert headers["connection"] == "close"
    assert await raw.reader.read() == b""
    assert port.gateway.websockets == 0


async def test_another_protocol_is_not_changed_to_and_the_request_is_answered(port: Port) -> None:
    raw = await port.socket()
    await raw.write(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    status, headers, _ = await raw.answer()
    assert (status, headers["connection"]) == (200, "close")


async def test_a_browser_logs_in_with_its_first_frame_and_what_is_behind_it_is_read(port: Port) -> None:
    auth = client_frame(TEXT, msgspec.json.encode({"op": "auth", "ref": 5, "token": port.web.tokens["bob"]}))
    bob = await port.raw(None, behind=auth + text_frame(6, 60_000) + ping(7))
    assert await bob.map() == {"op": "ack", "ref": 5, "user_id": "bob"}
    assert (await bob.map())["op"] == "events"
    assert {(await bob.map()).get("ref") for _ in range(3)} >= {6, 7}


async def test_a_large_event_arrives_whole(port: Port) -> None:
    alice, bob = await port.raw("alice"), await port.raw("bob")
    for ref in range(20):
        await alice.write(text_frame(ref, 60_000))
    events = await bob.events(20)
    assert [len(event["content"]["text"]) for event in events] == [60_000] * 20


async def test_the_peers_that_hang_up_are_forgotten(port: Port) -> None:
    for _ in range(10):
        raw = await port.raw("alice")
        raw.writer.transport.abort()
    async with asyncio.timeout(10):
        while port.gateway.websockets or len(port.home.messaging.sessions):
            await asyncio.sleep(0.01)
