"""Rule 7: who is removed is shown the removal and nothing after it, and gets nothing in, whatever the moment."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from tests.e2e.devices import STREAMS, TRANSPORTS, Crowd, Device, place
from tests.e2e.ledger import Ledger, log_of, under_load
from tests.e2e.sockets import Frame
from tests.serving import Person, Refused, Server

ROUNDS = 5


async def test_removed_member_is_shown_nothing_after_it_while_all_are_sending(server: Server, crowd: Crowd) -> None:
    ann, bob, cai, eve = server.people("ann", "bob", "cai", "eve")
    lane = ann.group("项目组", "bob", "cai", history="all")
    live = [await crowd.device(eve, transport) for transport in TRANSPORTS]
    away = [await crowd.device(eve, transport) for transport in TRANSPORTS]
    begun = live[0].at
    ledger = Ledger()
    async with under_load(crowd, ledger, [ann, bob, cai], [lane]) as load:
        for _ in range(ROUNDS):
            await crowd.call(ann, "POST", f"/v1/conversations/{lane}/members", {"users": ["eve"]})
            for device in live:
                await device.given(len(device.events) + 20)
            for device in away:
                await device.disconnect()
            await load.acknowledged(50)
            await crowd.call(ann, "DELETE", f"/v1/conversations/{lane}/members/eve")
            await load.acknowledged(50)
            for device in away:
                assert device.transport is not None
                await device.connect(device.transport)
    last = await crowd.send(ann, "lobby", "末")
    log = log_of(server)
    inside, wanted = False, []
    for event in log:
        if event.lane == lane and event.type == "member":
            inside = b'"add"' in event.content
            wanted.append(event.position)
        elif event.lane == lane and inside:
            wanted.append(event.position)
    assert not inside
    for device in [*live, *away]:
        await device.reached(last["position"])
        shown = [place(event["cursor"]) for event in device.events if event["conversation"] == lane]
        assert shown == [position for position in wanted if position > begun], device
    from_the_start = eve.events_after(f"{eve.cursor().rpartition('.')[0]}.0")
    assert [place(event["cursor"]) for event in from_the_start if event["conversation"] == lane] == wanted
    ledger.compare(event for event in log if event.lane == lane)


async def test_nothing_of_a_removed_member_gets_in_after_the_removal(server: Server, crowd: Crowd) -> None:
    """Many sends of theirs are on their way at the moment of the removal: each is before it, or refused."""
    ann, eve = server.people("ann-in", "eve-in")
    lane = ann.group("项目组")
    sockets = [await crowd.device(eve, codec) for codec in ("json", "msgpack")]
    count: Counter[str] = Counter()
    for number in range(3 * ROUNDS):
        await crowd.call(ann, "POST", f"/v1/conversations/{lane}/members", {"users": [eve.id]})
        outcomes = await asyncio.gather(
            *(send(crowd, eve, sockets, lane, f"{number}-{at}", at) for at in range(60)),
            remove(crowd, ann, lane, eve, after=number * 3),
            *(send(crowd, eve, sockets, lane, f"{number}-{at}", at) for at in range(60, 120)),
        )
        for outcome in outcomes:
            assert outcome is None or isinstance(outcome, dict) or outcome.code == "not-found"
        (removed,) = [event.seq for event in log_of(server) if event.lane == lane and b'"remove"' in event.content][number:]
        stored = [outcome for outcome in outcomes if isinstance(outcome, dict)]
        count.update(stored=len(stored), refused=sum(isinstance(outcome, Refused) for outcome in outcomes))
        assert all(answer["seq"] < removed for answer in stored)
        for at in range(6):
            refused = await send(crowd, eve, sockets, lane, f"{number}-late-{at}", at)
            assert isinstance(refused, Refused)
            assert refused.code == "not-found"
    log = [event for event in log_of(server) if event.lane == lane]
    inside = True
    for event in log:
        if event.type == "member":
            inside = b'"add"' in event.content
        else:
            assert event.type == "create" or inside
    assert count["stored"] > 0
    assert count["refused"] > 0, "no removal ever came between the sends"


async def send(crowd: Crowd, person: Person, devices: list[Device], lane: str, text: str, way: int) -> Frame | Refused:
    try:
        socket = devices[way % 2].socket
        if way % 3 == 0 or socket is None:
            return await crowd.send(person, lane, text, f"{lane[:8]}-{text}")
        return await socket.send(lane, text, f"{lane[:8]}-{text}")
    except Refused as error:
        return error


async def remove(crowd: Crowd, by: Person, lane: str, person: Person, *, after: int) -> None:
    for _ in range(after):
        await asyncio.sleep(0)
    await crowd.call(by, "DELETE", f"/v1/conversations/{lane}/members/{person.id}")


async def test_removed_member_can_ask_for_nothing_and_is_signalled_nothing(server: Server, crowd: Crowd) -> None:
    ann, bob, eve = server.people("ann-ask", "bob-ask", "eve-ask")
    lane = ann.group("项目组", bob.id, eve.id, history="all")
    other = ann.group("别的", eve.id)
    said = ann.send(lane, "秘密")
    readers = [await crowd.device(eve, transport) for transport in STREAMS]
    friend = await crowd.device(bob, "json")

    await until_signalled(crowd, readers, ann, lane, said["seq"])
    await crowd.call(ann, "DELETE", f"/v1/conversations/{lane}/members/{eve.id}")
    head = log_of(server)[-1].position
    for reader in readers:
        await reader.reached(head)
        reader.signals.clear()

    path = f"/v1/conversations/{lane}"
    for method, where, body in (
        ("GET", "", None),
        ("GET", "/events", None),
        ("GET", "/members", None),
        ("PATCH", "", {"title": "我的"}),
        ("POST", "/messages", {"client_id": "x", "content": {"type": "text", "text": "x"}}),
        ("POST", "/members", {"users": [eve.id]}),
        ("POST", "/read", {"seq": 1}),
        ("POST", "/typing", {"typing": True}),
        ("DELETE", f"/members/{bob.id}", None),
    ):
        with pytest.raises(Refused, match="not-found") as refused:
            await crowd.call(eve, method, path + where, body)
        assert refused.value.status == 404
    socket = readers[-1].socket
    assert socket is not None
    for op, members in (("typing", {"typing": True}), ("read", {"seq": 1})):
        with pytest.raises(Refused, match="not-found"):
            await (await socket.say(op, conversation=lane, **members))
    assert lane not in {one["id"] for one in eve.snapshot()["conversations"]}

    friend.signals.clear()
    said = await crowd.send(ann, lane, "还在说")
    await until_signalled(crowd, [friend], ann, lane, said["seq"])
    said = await crowd.send(ann, other, "嗯")
    await until_signalled(crowd, readers, ann, other, said["seq"])
    for reader in readers:
        assert kinds(reader, lane) == set()
        assert "还在说" not in reader.texts()
    assert {signal["user"] for signal in friend.signals if signal["type"] == "typing"} == {ann.id}


def kinds(device: Device, lane: str) -> set[str]:
    """Of the signals about this conversation."""
    return {signal["type"] for signal in device.signals if signal.get("conversation") == lane}


async def until_signalled(crowd: Crowd, devices: Sequence[Device], by: Person, lane: str, seq: int) -> None:
    """Type and read until all have been told of both: between two long polls a signal is lost."""
    async with asyncio.timeout(20):
        while not all({"typing", "read"} <= kinds(device, lane) for device in devices):
            await crowd.call(by, "POST", f"/v1/conversations/{lane}/typing", {"typing": True})
            await crowd.call(by, "POST", f"/v1/conversations/{lane}/read", {"seq": seq})
            await asyncio.sleep(0.02)
