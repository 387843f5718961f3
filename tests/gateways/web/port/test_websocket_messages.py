"""What clients and the server say to each other on a WebSocket, with the real services behind it."""

from pathlib import Path

import msgspec
import pytest

from tests.gateways.web.port.plays import decoded, open_port


@pytest.mark.parametrize("subprotocol", ["hongyan.json", "hongyan.msgpack"])
async def test_a_message_is_acknowledged_and_reaches_everybody_with_the_library_of_another_project(
    tmp_path: Path, subprotocol: str
) -> None:
    async with open_port(tmp_path) as port:
        group = await port.web.group("alice", "bob")
        async with port.library("alice", subprotocol=subprotocol) as alice, port.library("bob", subprotocol=subprotocol) as bob:
            assert alice.subprotocol == subprotocol
            body = {"op": "send", "ref": 7, "conversation": group, "client_id": "c1", "content": {"type": "text", "text": "你好"}}
            encode = msgspec.msgpack.encode if subprotocol.endswith("msgpack") else msgspec.json.encode
            await alice.send(encode(body), text=not subprotocol.endswith("msgpack"))
            ack = await decoded(alice, "ack")
            assert ack["ref"] == 7
            frame = await decoded(bob, "events")
            while not frame["events"]:
                frame = await decoded(bob, "events")
            [event] = frame["events"]
            assert event["seq"] == ack["seq"]
            assert event["content"] == {"type": "text", "text": "你好"}
            assert event["client_id"] == "c1"
            assert event["cursor"] == frame["cursor"]
            assert event["cursor"].endswith(f".{ack['position']}")
