"""What was acknowledged on one node is so on every other, at once."""

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.cluster.conftest import administrator
from tests.clustering import at
from tests.e2e.devices import STREAMS, TRANSPORTS, Crowd, Device
from tests.e2e.ledger import log_of
from tests.e2e.sockets import open_socket
from tests.serving import Refused, Server

ROUNDS = 5


async def test_token_is_good_on_the_other_node_in_the_moment_it_is_issued(one: Server, other: Server, on_other: Crowd) -> None:
    one.add("ann")
    for number in range(ROUNDS):
        token = one.login("ann", device=f"rest{number}")
        assert (await on_other.call(token, "GET", "/v1/me"))["id"] == "ann"
        for transport in ("json", "sse", "longpoll"):
            token = one.login("ann", device=f"{transport}{number}")
            await (await on_other.device(token, transport)).disconnect()
        token = one.login("ann", device=f"browser{number}")
        where = f"ws://127.0.0.1:{other.port}/v1/events/ws"
        async with connect(where, subprotocols=[Subprotocol("hongyan.json")]) as browser:
            await browser.send(json.dumps({"op": "auth", "token": token.token}))
            assert json.loads(await browser.recv())["op"] == "ack"


async def test_end_of_a_token_ends_what_it_has_open_on_the_other_node(one: Server, other: Server, on_other: Crowd) -> None:
    bob, cai = one.people("bob", "cai")
    keep = one.login("bob")
    lane = bob.direct("cai")
    open_there = [await on_other.device(bob, transport) for transport in STREAMS]
    others = [await on_other.device(cai, "json"), await on_other.device(keep, "sse")]
    browser = await connect(f"ws://127.0.0.1:{other.port}/v1/events/ws", subprotocols=[Subprotocol("hongyan.json")])
    await browser.send(json.dumps({"op": "auth", "token": bob.token}))
    assert json.loads(await browser.recv())["op"] == "ack"

    await asyncio.to_thread(bob.call, "POST", "/v1/logout")
    async with asyncio.timeout(2):
        ends = await asyncio.gather(*(device.end() for device in open_there))
        await browser.wait_closed()
    assert browser.close_code == 4003
    for device, how in zip(open_there, ends, strict=True):
        if device.transport == "longpoll":
            assert isinstance(how, Refused)
            assert how.status == 401
        else:
            assert isinstance(how, dict)
            assert how["do"] == "login"
    for transport in TRANSPORTS:
        device = Device(on_other, bob)
        device.begin(transport)
        assert isinstance(await device.end(), Refused)
    await on_other.call(
        cai, "POST", f"/v1/conversations/{lane}/messages", {"client_id": "1", "content": {"type": "text", "text": "二"}}
    )
    for device in others:
        await device.until(lambda device=device: device.texts(lane) == ["二"])  # type: ignore[misc]
        assert not device.ended


async def test_removed_member_is_given_nothing_more_and_gets_nothing_in_on_the_other_node(
    one: Server, on_one: Crowd, on_other: Crowd
) -> None:
    dan, eve = one.people("dan", "eve")
    lane = dan.group("项目组", history="all")
    readers = [await on_other.device(eve, transport) for transport in TRANSPORTS]
    stored = 0
    for number in range(ROUNDS):
        await on_one.call(dan, "POST", f"/v1/conversations/{lane}/members", {"users": ["eve"]})
        sends = [_send(on_other, eve, lane, f"{number}-{count}") for count in range(10)]
        *answers, _ = await asyncio.gather(*sends, on_one.call(dan, "DELETE", f"/v1/conversations/{lane}/members/eve"))
        stored += sum(isinstance(answer, dict) for answer in answers)
        late = await _send(on_other, eve, lane, f"{number}-late")
        assert isinstance(late, Refused)
        assert late.code == "not-found"
        await on_one.send(dan, lane, f"秘密 {number}")
    last = await on_one.send(dan, "lobby", "末")
    inside = True
    for event in log_of(one):
        if event.lane == lane and event.type == "member":
            inside = b'"add"' in event.content
        elif event.lane == lane and event.sender == "eve":
            assert inside
    for reader in readers:
        await reader.reached(last["position"])
        assert not [text for text in reader.texts(lane) if text.startswith("秘密")]
        assert len([event for event in reader.events if event["type"] == "member"]) == 2 * ROUNDS
        assert len(reader.texts(lane)) == stored


async def _send(crowd: Crowd, person: object, lane: str, text: str) -> object:
    try:
        return await crowd.send(person, lane, text, text)  # type: ignore[arg-type]
    except Refused as error:
        return error


async def test_group_takes_a_send_on_the_other_node_in_the_moment_it_is_made(one: Server, on_one: Crowd, on_other: Crowd) -> None:
    fay, gus = one.people("fay", "gus")
    sender = await on_other.device(gus, "json")
    assert sender.socket is not None
    for number in range(ROUNDS):
        made = await on_one.call(fay, "POST", "/v1/conversations", {"kind": "group", "title": f"{number}", "members": ["gus"]})
        answers = await asyncio.gather(on_other.send(fay, made["id"], "一"), sender.socket.send(made["id"], "二"))
        assert sorted(answer["seq"] for answer in answers) == [2, 3]


async def test_cursor_of_one_node_goes_on_at_the_other_and_is_never_ahead(one: Server, on_one: Crowd, on_other: Crowd) -> None:
    hal, ivy = one.people("hal", "ivy")
    lane = hal.direct("ivy")
    device = await on_one.device(ivy, "json")
    for number in range(3 * ROUNDS):
        sent = await on_one.send(hal, lane, str(number))
        await device.reached(sent["position"])
        crowd = (on_other, on_one)[number % 2]
        moved = await crowd.device(ivy, TRANSPORTS[number % len(TRANSPORTS)], device.cursor)
        moved.events[:0] = device.events
        await device.disconnect()
        device = moved
    last = await on_one.send(hal, lane, "末")
    await device.reached(last["position"])
    assert device.texts(lane) == [*map(str, range(3 * ROUNDS)), "末"]
    assert device.limited == []


async def test_one_client_id_on_both_nodes_at_once_is_one_message(one: Server, on_one: Crowd, on_other: Crowd) -> None:
    jin, _ = one.people("jin", "kai")
    lane = jin.direct("kai")
    async with open_socket(other_of(on_other), jin, "json") as socket:
        reading = asyncio.create_task(_read(socket))
        for number in range(2 * ROUNDS):
            sends = [on_one.send(jin, lane, "话", f"twin{number}"), on_other.send(jin, lane, "话", f"twin{number}")]
            answers = await asyncio.gather(*sends, socket.send(lane, "话", f"twin{number}"))
            assert len({(answer["seq"], answer["position"]) for answer in answers}) == 1
            assert answers[0]["seq"] == number + 2
        reading.cancel()


def other_of(crowd: Crowd) -> Server:
    return crowd.server


async def _read(socket: object) -> None:
    async for _ in socket.frames():  # type: ignore[attr-defined]
        pass


def test_nodes_are_shown_to_administrators_and_picked_by_everybody(one: Server, other: Server) -> None:
    root = administrator(one)
    (lin,) = one.people("lin")
    for node in (one, other):
        shown = at(root, node).call("GET", "/v1/nodes")["nodes"]
        assert [(info["name"], info["ready"], info["addresses"]) for info in shown] == [
            ("node1", True, {"http": f"127.0.0.1:{one.port}"}),
            ("node2", True, {"http": f"127.0.0.1:{other.port}"}),
        ]
        with pytest.raises(Refused, match="forbidden"):
            at(lin, node).call("GET", "/v1/nodes")
    here, there = lin, at(lin, other)
    turns = [here.call("GET", "/v1/nodes/pick", by="round-robin")["name"] for _ in range(4)]
    assert turns in (["node1", "node2"] * 2, ["node2", "node1"] * 2)
    keyed = {key: here.call("GET", "/v1/nodes/pick", by="hash", key=key)["name"] for key in map(str, range(20))}
    assert set(keyed.values()) == {"node1", "node2"}
    assert keyed == {key: there.call("GET", "/v1/nodes/pick", by="hash", key=key)["name"] for key in keyed}
    assert {here.call("GET", "/v1/nodes/pick", by="random")["name"] for _ in range(40)} == {"node1", "node2"}
    with pytest.raises(Refused, match="invalid"):
        here.call("GET", "/v1/nodes/pick", by="luck")
    with pytest.raises(Refused) as refused:
        here.call("GET", "/v1/nodes/pick", gateway="xmpp")
    assert refused.value.status == 404
