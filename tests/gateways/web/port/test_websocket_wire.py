"""RFC 6455 and RFC 7692 to the byte: fragments, control frames, masks, sizes, compression."""

import asyncio
import contextlib
import random
import zlib
from pathlib import Path

import msgspec
import pytest

from tests.gateways.web.port.plays import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Closed,
    client_frame,
    decoded,
    deflated,
    open_port,
)

PLAIN = b'{"op":"ping","ref":1}'
DEFLATE = "permessage-deflate; client_max_window_bits"


def sending(size: int, ref: int = 1) -> bytes:
    content = {"type": "text", "text": "x" * size}
    body = {"op": "send", "ref": ref, "conversation": "lobby", "client_id": f"c{ref}", "content": content}
    return msgspec.json.encode(body)


async def test_fragments_are_one_message(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        alice = await port.raw("alice")
        parts = [PLAIN[at : at + 3] for at in range(0, len(PLAIN), 3)]
        await alice.write(client_frame(TEXT, parts[0], final=False))
        for part in parts[1:]:
            await alice.write(client_frame(CONTINUATION, part, final=False))
        await alice.write(client_frame(CONTINUATION, b""))
        assert (await alice.hears("pong"))["ref"] == 1
        await alice.say({"op": "ping", "ref": 2})
        assert (await alice.hears("pong"))["ref"] == 2


async def test_control_frames_may_stand_between_fragments(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        alice = await port.raw("alice")
        await alice.hears("events")
        await alice.write(client_frame(TEXT, PLAIN[:5], final=False) + client_frame(PING, b"here?"))
        assert await alice.frame() == (PONG, b"here?")
        await alice.write(client_frame(PONG, b"") + client_frame(CONTINUATION, PLAIN[5:]))
        assert (await alice.hears("pong"))["ref"] == 1


async def test_a_ping_is_answered_with_its_own_bytes(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        alice = await port.raw("alice")
        await alice.hears("events")
        await alice.write(client_frame(PING, b"") + client_frame(PING, b"x" * 125))
        assert await alice.frame() == (PONG, b"")
        assert await alice.frame() == (PONG, b"x" * 125)


async def test_a_close_is_answered_and_the_connection_ends(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        for payload in (b"", b"\x03\xe8", b"\x03\xe9going away"):
            alice = await port.raw("alice")
            await alice.hears("events")
            await alice.write(client_frame(CLOSE, payload))
            assert await alice.frame() == (CLOSE, payload[:2])
            with pytest.raises(Closed):
                await alice.frame()
        assert len(port.home.messaging.sessions) == 0


async def test_nothing_is_taken_after_a_close(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        before = await port.web.state()
        alice = await port.raw("alice")
        await alice.write(client_frame(CLOSE, b"\x03\xe8") + client_frame(TEXT, sending(5)))
        await alice.ended()
        assert await port.web.state() == before


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (client_frame(TEXT, PLAIN, masked=False), 1002),
        (client_frame(TEXT, PLAIN, reserved=4), 1002),
        (client_frame(TEXT, PLAIN, reserved=2), 1002),
        (client_frame(TEXT, PLAIN, reserved=1), 1002),
        (client_frame(PING, b"", reserved=4), 1002),
        (client_frame(PING, b"", final=False), 1002),
        (client_frame(PING, b"x" * 126), 1002),
        (client_frame(3, b""), 1002),
        (client_frame(11, b""), 1002),
        (client_frame(CONTINUATION, PLAIN), 1002),
        (client_frame(TEXT, b"", final=False) + client_frame(TEXT, PLAIN), 1002),
        (client_frame(CLOSE, b"\x03"), 1002),
        (client_frame(CLOSE, b"\x03\xed"), 1002),
        (client_frame(CLOSE, b"\x03\xe8\xff\xff"), 1007),
        (client_frame(TEXT, b"x" * 400_000), 1009),
        (client_frame(TEXT, b"x" * 250_000, final=False) + client_frame(CONTINUATION, b"x" * 250_000, final=False), 1009),
        (b"\x81\xff\x00\x00\x00\x00\x40\x00\x00\x00", 1009),
        (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff", 1002),
    ],
)
async def test_a_violation_ends_the_connection_with_its_code(tmp_path: Path, data: bytes, code: int) -> None:
    async with open_port(tmp_path) as port:
        alice = await port.raw("alice")
        await alice.write(data)
        assert await alice.close_code() == code
        await alice.ended()
        async with asyncio.timeout(10):
            while len(port.home.messaging.sessions):
                await asyncio.sleep(0.005)


async def test_a_frame_above_the_limit_is_answered_and_the_connection_stays(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        alice = await port.raw("alice")
        before = await port.web.state()
        data = sending(270_000, ref=42)
        half = len(data) // 2
        await alice.write(client_frame(TEXT, data))
        error = await alice.hears("error")
        assert (error["type"], error["ref"]) == ("urn:hongyan:error:too-large", 42)
        await alice.write(client_frame(TEXT, data[:half], final=False) + client_frame(CONTINUATION, data[half:]))
        assert (await alice.hears("error"))["ref"] == 42
        await alice.write(client_frame(TEXT, PLAIN))
        assert (await alice.hears("pong"))["ref"] == 1
        assert await port.web.state() == before


async def test_the_other_kind_of_data_frame_is_answered_and_the_connection_stays(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        for subprotocol, opcode in (("hongyan.json", BINARY), ("hongyan.msgpack", TEXT)):
            alice = await port.raw("alice", subprotocol=subprotocol)
            await alice.write(client_frame(opcode, b"\x82\xa2op\xa4ping\xa3ref\x01" if alice.binary else PLAIN))
            assert (await alice.hears("error"))["type"] == "urn:hongyan:error:invalid"
            await alice.say({"op": "ping", "ref": 2})
            assert (await alice.hears("pong"))["ref"] == 2


async def test_text_that_is_not_utf_8_is_answered_and_the_connection_stays(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        alice = await port.raw("alice")
        await alice.write(client_frame(TEXT, b'{"op":"auth","token":"\xff"}'))
        assert (await alice.hears("error"))["type"] == "urn:hongyan:error:invalid"
        await alice.say({"op": "ping", "ref": 2})
        assert (await alice.hears("pong"))["ref"] == 2


async def test_frames_of_every_length_form_are_written(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        alice = await port.raw("alice")
        for ref, size in enumerate((1, 200, 60_000)):
            await alice.write(client_frame(TEXT, sending(size, ref)))
            [event] = await alice.events(1)
            assert len(event["content"]["text"]) == size


@pytest.mark.parametrize("subprotocol", ["hongyan.json", "hongyan.msgpack"])
async def test_messages_are_compressed_both_ways_when_agreed_on(tmp_path: Path, subprotocol: str) -> None:
    async with open_port(tmp_path) as port:
        alice = await port.raw("alice", subprotocol=subprotocol, extensions=DEFLATE)
        bob = await port.raw("bob", subprotocol=subprotocol, extensions="permessage-deflate; server_max_window_bits=10")
        plain = await port.raw("carol", subprotocol=subprotocol)
        data = sending(1_000)
        packed = deflated(msgspec.msgpack.encode(msgspec.json.decode(data)) if alice.binary else data)
        await alice.write(client_frame(BINARY if alice.binary else TEXT, packed, reserved=4))
        assert (await alice.hears("ack"))["ref"] == 1
        told = [await peer.events(1) for peer in (alice, bob, plain)]
        assert told[0] == told[1] == told[2]
        assert (alice.compressed, bob.compressed, plain.compressed) == (1, 1, 0)


async def test_compressed_fragments_and_plain_messages_may_alternate(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        alice = await port.raw("alice", extensions=DEFLATE)
        packed = deflated(PLAIN)
        for _ in range(3):
            await alice.write(client_frame(TEXT, packed[:4], final=False, reserved=4) + client_frame(CONTINUATION, packed[4:]))
            assert (await alice.hears("pong"))["ref"] == 1
            await alice.write(client_frame(TEXT, PLAIN))
            assert (await alice.hears("pong"))["ref"] == 1


async def test_the_library_of_another_project_speaks_compressed(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port, port.library("alice", compression="deflate") as alice:
        assert [extension.name for extension in alice.protocol.extensions] == ["permessage-deflate"]
        for ref in range(5):
            await alice.send(sending(2_000, ref), text=True)
            assert (await decoded(alice, "ack"))["ref"] == ref


async def test_the_library_of_another_project_may_be_told_no(tmp_path: Path) -> None:
    async with open_port(tmp_path, http={"compression": False}) as port, port.library("alice", compression="deflate") as alice:
        assert alice.protocol.extensions == []
        await alice.send(sending(2_000), text=True)
        assert (await decoded(alice, "ack"))["ref"] == 1


async def test_a_bomb_ends_the_connection(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        alice = await port.raw("alice", extensions=DEFLATE)
        z = zlib.compressobj(9, zlib.DEFLATED, -15)
        bomb = (z.compress(b" " * 100_000_000) + z.flush(zlib.Z_SYNC_FLUSH))[:-4]
        assert len(bomb) < 262_144
        await alice.write(client_frame(TEXT, bomb, reserved=4))
        assert await alice.close_code() == 1009


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (client_frame(TEXT, b"\xff\xff\xff", reserved=4), 1007),
        (client_frame(TEXT, deflated(PLAIN)[:3], final=False, reserved=4) + client_frame(CONTINUATION, b"", reserved=4), 1002),
        (client_frame(PING, b"", reserved=4), 1002),
        (client_frame(TEXT, deflated(PLAIN), reserved=6), 1002),
    ],
)
async def test_a_violation_of_compression_ends_the_connection_with_its_code(tmp_path: Path, data: bytes, code: int) -> None:
    async with open_port(tmp_path) as port:
        alice = await port.raw("alice", extensions=DEFLATE)
        await alice.write(data)
        assert await alice.close_code() == code


async def test_arbitrary_bytes_do_no_harm(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(8440)
    async with open_port(tmp_path) as port:
        for turn in range(150):
            junk = chance.randbytes(chance.randrange(1, 400))
            if turn % 3 == 0:
                raw = await port.socket()
                await raw.write(junk)
            elif turn % 3 == 1:
                raw = await port.raw("alice", behind=junk, extensions=DEFLATE)
            else:
                raw = await port.raw(None, behind=junk, extensions=DEFLATE)
            opcode, reserved = chance.choice((CONTINUATION, TEXT, BINARY, PING, PONG, CLOSE)), chance.choice((0, 0, 4))
            with contextlib.suppress(ConnectionError, RuntimeError):
                await raw.write(client_frame(opcode, junk[:125], final=chance.random() < 0.7, reserved=reserved))
            raw.writer.transport.abort()
        alice = await port.raw("alice")
        await alice.write(client_frame(TEXT, PLAIN))
        assert (await alice.hears("pong"))["ref"] == 1
        async with asyncio.timeout(10):
            while port.gateway.websockets != 1 or len(port.home.messaging.sessions) != 1:
                await asyncio.sleep(0.01)
    assert [record.message for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []
