"""What clients and the server say to each other on a WebSocket, with the real services behind it."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.gateways.web.port.plays import Port, Raw, decoded, open_port, until

both_forms = pytest.mark.parametrize("subprotocol", ["hongyan.json", "hongyan.msgpack"])


def send(ref: int, conversation: str, client_id: str, text: str = "你好") -> dict[str, Any]:
    content = {"type": "text", "text": text}
    return {"op": "send", "ref": ref, "conversation": conversation, "client_id": client_id, "content": content}


async def head(port: Port) -> str:
    await port.home.settled()
    return port.home.messaging.log.cursor()


@both_forms
async def test_the_library_of_another_project_sends_and_receives(tmp_path: Path, subprotocol: str) -> None:
    async with open_port(tmp_path) as port:
        group = await port.web.group("alice", "bob")
        async with port.library("alice", subprotocol=subprotocol) as alice, port.library("bob", subprotocol=subprotocol) as bob:
            assert alice.subprotocol == subprotocol
            encode = msgspec.msgpack.encode if subprotocol.endswith("msgpack") else msgspec.json.encode
            await alice.send(encode(send(7, group, "c1")), text=not subprotocol.endswith("msgpack"))
            ack = await decoded(alice, "ack")
            assert ack["ref"] == 7
            frame = await decoded(bob, "events")
            while not frame["events"]:
                frame = await decoded(bob, "events")
            [event] = frame["events"]
            assert event["seq"] == ack["seq"]
            assert event["time"] == ack["time"]
            assert event["content"] == {"type": "text", "text": "你好"}
            assert event["client_id"] == "c1"
            assert event["cursor"] == frame["cursor"]
            assert event["cursor"].endswith(f".{ack['position']}")
            pong = await alice.ping()
            await pong


@both_forms
async def test_many_sends_are_acknowledged_and_delivered_in_order(tmp_path: Path, subprotocol: str) -> None:
    async with open_port(tmp_path) as port:
        group = await port.web.group("alice", "bob")
        alice = await port.raw("alice", subprotocol=subprotocol)
        bob = await port.raw("bob", subprotocol=subprotocol)
        await alice.say(*(send(number, group, f"c{number}", f"number {number}") for number in range(500)))
        acks = [await alice.hears("ack") for _ in range(500)]
        assert sorted(ack["ref"] for ack in acks) == list(range(500))
        assert [ack["seq"] for ack in sorted(acks, key=lambda ack: ack["position"])] == list(range(2, 502))
        events = await bob.events(500)
        assert [event["seq"] for event in events] == list(range(2, 502))
        assert [event["content"]["text"] for event in events] == [f"number {number}" for number in range(500)]


async def test_acknowledgement_and_event_of_one_commit_come_in_one_piece(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        group = await port.web.group("alice", "bob")
        alice = await port.raw("alice")
        await alice.hears("events")
        for number in range(20):
            await alice.say(send(number, group, f"c{number}"))
            async with asyncio.timeout(10):
                piece = await alice.reader.read(65_536)
            assert b'"op":"ack"' in piece
            assert b'"client_id":"c%d"' % number in piece


async def test_a_repeated_send_gets_the_first_answer(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        group = await port.web.group("alice", "bob")
        alice = await port.raw("alice")
        await alice.say(send(1, group, "same"), send(2, group, "same"))
        first, second = await alice.hears("ack"), await alice.hears("ack")
        assert {key: value for key, value in first.items() if key != "ref"} == {
            key: value for key, value in second.items() if key != "ref"
        }


async def test_the_first_frame_says_where_the_reader_is(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        alice = await port.raw("alice")
        assert await alice.map() == {"op": "events", "events": [], "cursor": await head(port)}


async def test_a_stream_continues_from_its_cursor_and_then_follows(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        group = await port.web.group("alice", "bob")
        cursor = await head(port)
        for number in range(5):
            await port.web.send("alice", group, f"c{number}", f"number {number}")
        bob = await port.raw("bob", after=cursor)
        assert [event["content"]["text"] for event in await bob.events(5)] == [f"number {number}" for number in range(5)]
        await port.web.send("alice", group, "c5", "number 5")
        assert [event["content"]["text"] for event in await bob.events(1)] == ["number 5"]


@both_forms
async def test_a_reader_that_missed_much_reads_the_log(tmp_path: Path, subprotocol: str) -> None:
    async with open_port(tmp_path, limits={"session_queue": 50}) as port:
        group = await port.web.group("alice", "bob")
        cursor = await head(port)
        await asyncio.gather(*(port.home.send("alice", group, f"number {number}") for number in range(1_000)))
        bob = await port.raw("bob", after=cursor, subprotocol=subprotocol)
        live = asyncio.gather(*(port.home.send("alice", group, f"number {number}") for number in range(1_000, 1_200)))
        events = await bob.events(1_200)
        await live
        assert [event["seq"] for event in events] == list(range(2, 1_202))


@pytest.mark.parametrize(("cursor", "reason"), [("zzz.1", "epoch"), (None, "ahead")])
async def test_a_cursor_that_cannot_be_continued_is_said_to_be_limited(tmp_path: Path, cursor: str | None, reason: str) -> None:
    async with open_port(tmp_path) as port:
        group = await port.web.group("alice", "bob")
        epoch = port.home.messaging.log.epoch
        bob = await port.raw("bob", after=cursor or f"{epoch}.999999")
        frame = await bob.map()
        assert frame == {"op": "events", "events": [], "cursor": await head(port), "limited": True, "reason": reason}
        await port.web.send("alice", group, "c1")
        assert len(await bob.events(1)) == 1


@both_forms
async def test_a_ping_is_answered_with_the_cursor(tmp_path: Path, subprotocol: str) -> None:
    async with open_port(tmp_path) as port:
        alice = await port.raw("alice", subprotocol=subprotocol)
        await alice.say({"op": "ping", "ref": -5}, {"op": "ping"})
        cursor = await head(port)
        assert await alice.hears("pong") == {"op": "pong", "ref": -5, "cursor": cursor}
        assert await alice.hears("pong") == {"op": "pong", "ref": None, "cursor": cursor}


async def test_a_read_mark_is_acknowledged_and_told_to_the_others(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        group = await port.web.group("alice", "bob")
        await port.web.send("alice", group, "c1")
        alice, bob, other = await port.raw("alice"), await port.raw("bob"), await port.raw("bob")
        await bob.say({"op": "read", "ref": 3, "conversation": group, "seq": 2})
        assert await bob.hears("ack") == {"op": "ack", "ref": 3, "seq": 2}
        [event] = await other.events(1, "read")
        assert event["content"] == {"conversation": group, "seq": 2}
        signal = await alice.hears("signal", lambda found: found["type"] == "read")
        assert signal == {"op": "signal", "type": "read", "conversation": group, "user": "bob", "seq": 2}
        await bob.say({"op": "read", "ref": 4, "conversation": group, "seq": 1})
        assert await bob.hears("ack") == {"op": "ack", "ref": 4, "seq": 2}
        await bob.say({"op": "read", "ref": 5, "conversation": group, "seq": 99})
        assert (await bob.hears("error"))["ref"] == 5


@both_forms
async def test_typing_is_told_to_the_others_and_acknowledged_when_asked(tmp_path: Path, subprotocol: str) -> None:
    async with open_port(tmp_path) as port:
        group = await port.web.group("alice", "bob")
        alice = await port.raw("alice", subprotocol=subprotocol)
        bob = await port.raw("bob", subprotocol=subprotocol)
        await alice.say({"op": "typing", "conversation": group, "typing": True})
        signal = await bob.hears("signal", lambda found: found["type"] == "typing")
        assert signal == {"op": "signal", "type": "typing", "conversation": group, "user": "alice", "typing": True}
        await alice.say({"op": "typing", "ref": 1, "conversation": group, "typing": False})
        assert await alice.hears("ack") == {"op": "ack", "ref": 1}
        await alice.say({"op": "typing", "ref": 2, "conversation": "elsewhere", "typing": True})
        assert (await alice.hears("error"))["type"] == "urn:hongyan:error:not-found"


async def test_presence_is_told_to_the_others(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        await port.web.group("alice", "bob")
        bob = await port.raw("bob")
        alice = await port.raw("alice")
        await alice.say({"op": "presence", "ref": 1, "status": "busy", "text": "in a meeting"})
        assert await alice.hears("ack") == {"op": "ack", "ref": 1}
        signal = await bob.hears("signal", lambda found: found.get("status") == "busy")
        assert (signal["type"], signal["user"], signal["text"]) == ("presence", "alice", "in a meeting")
        await alice.say({"op": "presence", "ref": 2, "status": "busy", "text": "x" * 1_000})
        assert (await alice.hears("error"))["type"] == "urn:hongyan:error:too-large"


WRONG: list[tuple[dict[str, Any], str, int | None]] = [
    ({"op": "send", "ref": 1}, "invalid", 1),
    (send(2, "elsewhere", "c"), "not-found", 2),
    (send(3, "lobby", "c", ""), "invalid", 3),
    (send(4, "lobby", "a b"), "invalid", 4),
    (send(5, "lobby", "c", "x" * 70_000), "too-large", 5),
    ({"op": "shout", "ref": 6}, "invalid", 6),
    ({"op": "auth", "ref": 7, "token": "x"}, "invalid", 7),
    ({"ref": 8}, "invalid", 8),
    ({"op": "ping", "ref": "nine"}, "invalid", None),
    ({"op": "read", "ref": 10, "conversation": "elsewhere", "seq": 1}, "not-found", 10),
    ({"op": "presence", "ref": 11, "status": "asleep"}, "invalid", 11),
    ({"op": "typing", "ref": 12, "conversation": "lobby", "typing": "yes"}, "invalid", 12),
]


@both_forms
@pytest.mark.parametrize(("wrong", "code", "ref"), WRONG)
async def test_wrong_input_is_answered_on_the_same_connection_and_changes_nothing(
    tmp_path: Path, subprotocol: str, wrong: dict[str, Any], code: str, ref: int | None
) -> None:
    async with open_port(tmp_path) as port:
        alice = await port.raw("alice", subprotocol=subprotocol)
        before = await port.web.state()
        await alice.say(wrong)
        error = await alice.hears("error")
        assert error["type"] == f"urn:hongyan:error:{code}"
        assert error["ref"] == ref
        assert error["detail"]
        await alice.say({"op": "ping", "ref": 99})
        assert (await alice.hears("pong"))["ref"] == 99
        assert await port.web.state() == before


async def test_a_users_sends_over_the_rate_are_refused_with_the_time_to_wait(tmp_path: Path) -> None:
    async with open_port(tmp_path, limits={"sends_per_second": 5.0, "sends_burst": 2}) as port:
        alice = await port.raw("alice")
        await alice.say(*(send(number, "lobby", f"c{number}") for number in range(4)))
        errors = [await alice.hears("error") for _ in range(2)]
        assert {error["ref"] for error in errors} == {2, 3}
        assert all(error["type"] == "urn:hongyan:error:rate-limited" and 0 < error["retry_after"] < 1 for error in errors)


async def test_an_idle_stream_is_told_its_cursor_now_and_then(tmp_path: Path) -> None:
    async with open_port(tmp_path, pace={"beat": 0.1, "tick": 0.02}) as port:
        alice = await port.raw("alice")
        await alice.hears("events")
        cursor = (await alice.hears("events"))["cursor"]
        await port.home.group("bob", "carol")
        frame = await alice.hears("events", lambda found: found["cursor"] != cursor)
        assert frame == {"op": "events", "events": [], "cursor": await head(port)}


async def test_two_forms_of_one_user_see_the_same(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        group = await port.web.group("alice", "bob")
        one = await port.raw("bob", subprotocol="hongyan.json")
        two = await port.raw("bob", subprotocol="hongyan.msgpack")
        await port.web.send("alice", group, "c1", "hello ☃ \U0001f426")
        assert await one.events(1) == await two.events(1)


async def test_answers_to_a_client_that_has_left_go_nowhere(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        group = await port.web.group("alice", "bob")
        for _ in range(5):
            alice: Raw = await port.raw("alice")
            await alice.say(*(send(number, group, f"{id(alice)}-{number}") for number in range(50)))
            await alice.say({"op": "read", "conversation": group, "seq": 1})
            alice.writer.transport.abort()
        await until(lambda: port.gateway.websockets == 0)
        await until(lambda: len(port.home.messaging.sessions) == 0)
