"""Two clients and a real server, on each transport and on all of them in turn."""

import asyncio
import random
from contextlib import AsyncExitStack

import pytest

from hongyan.client import Client, Event, TransportName

from ..serving import PASSWORD, Server
from .live import Reader, joined, left_running, names, open_client, until

ALL: tuple[TransportName, ...] = ("websocket", "sse", "longpoll", "poll")


@pytest.mark.parametrize("transport", ALL)
async def test_two_people_talk(server: Server, transport: TransportName) -> None:
    ann, bob = names(server, "ann", "bob")
    a = await joined(server, ann, transport=transport)
    b = await joined(server, bob, transport=transport)
    async with a.client, b.client:
        lane = (await a.client.create_direct(bob)).id
        sent = [await a.client.send(lane, f"第 {at} 条") for at in range(5)]
        await until(lambda: len(b.texts(lane)) == 5)
        await b.client.send(lane, "收到")
        await until(lambda: len(a.texts(lane)) == len(b.texts(lane)) == 6)
        assert a.texts(lane) == b.texts(lane) == [*(f"第 {at} 条" for at in range(5)), "收到"]
        places = [(event.seq, event.position) for event in b.events if event.text.startswith("第")]
        assert places == [(one.seq, one.position) for one in sent]
        assert b.client.link.transport == transport
        await b.client.read(lane, sent[-1].seq)
        await until(lambda: any(event.type == "read" for event in b.events))
        view = b.client.state.conversation(lane)
        assert view is not None
        assert (view.unread, view.read_seq) == (0, sent[-1].seq)
        assert await b.client.ping() > 0
        others = [online for online in await a.client.online() if online.id == bob]
        assert [(device.device, device.transport) for device in others[0].devices] == [("test", transport)]
    assert left_running() == set()


async def test_changing_transports_at_random_gives_each_of_1000_messages_once_in_order(server: Server) -> None:
    ann, bob = names(server, "ann", "bob")
    dice = random.Random(8440)
    a, b = await joined(server, ann), await joined(server, bob)
    async with a.client, b.client:
        lanes = [(await a.client.create_group(f"组 {at}", [bob])).id for at in range(5)]

        def count(reader: Reader) -> int:
            return sum(event.type == "message" for event in reader.events)

        async def switch() -> None:
            while count(b) < 1000 or set(b.transports) != set(ALL):
                b.client.force_transport(dice.choice(ALL))
                await asyncio.sleep(dice.random() * 0.05)

        switching = asyncio.create_task(switch())
        for at in range(1000):
            a.client.post(lanes[at % 5], str(at))
            if at % 10 == 0:
                await asyncio.sleep(0)
            if at % 200 == 50:
                a.client.force_transport(dice.choice(ALL))
        await a.client.sent_all()
        await asyncio.wait_for(switching, 30)
        await until(lambda: count(a) == 1000)
        for number, lane in enumerate(lanes):
            assert b.texts(lane) == a.texts(lane) == [str(at) for at in range(number, 1000, 5)]
        positions = [event.position for event in b.events]
        assert positions == sorted(set(positions))
        assert b.reloads == a.reloads == 0


async def test_slow_callback_loses_nothing(server: Server) -> None:
    """More comes than any queue on the way takes; the slow one is told to go on from its cursor."""
    ann, bob = names(server, "ann", "bob")
    a, b = await joined(server, ann), await joined(server, bob)
    go = asyncio.Event()

    async def slow(event: Event) -> None:
        if event.type == "message":
            await go.wait()

    b.client.on_event(slow)
    async with a.client, b.client:
        lane = (await a.client.create_direct(bob)).id
        for at in range(3000):
            a.client.post(lane, str(at))
            if at % 50 == 0:
                await asyncio.sleep(0)
        await a.client.sent_all()
        go.set()
        await until(lambda: len(b.texts(lane)) == 3000)
        assert b.texts(lane) == [str(at) for at in range(3000)]


async def test_callback_may_wait_for_a_send_of_its_own(server: Server) -> None:
    ann, bob = names(server, "ann", "bob")
    a, b = await joined(server, ann), await joined(server, bob)

    async def answer(event: Event) -> None:
        if event.sender != bob:
            await b.client.send(event.conversation, f"回 {event.text}")

    b.client.on("message", answer)
    async with a.client, b.client:
        lane = (await a.client.create_direct(bob)).id
        for at in range(100):
            a.client.post(lane, str(at))
        await until(lambda: len(a.texts(lane)) == 200)
        assert [text for text in a.texts(lane) if text.startswith("回")] == [f"回 {at}" for at in range(100)]


async def test_state_is_what_the_server_says_after_all_kinds_of_changes(server: Server) -> None:
    people = names(server, "ann", "bob", "cai", "dan")
    dice = random.Random(10)
    readers: list[Reader] = []
    async with AsyncExitStack() as stack:
        for name in people:
            readers.append(await joined(server, name, transport=dice.choice(ALL)))
            await stack.enter_async_context(readers[-1].client)
        clients = [reader.client for reader in readers]
        lanes = [
            (await clients[0].create_group("一组", people[1:3])).id,
            (await clients[1].create_group("二组", [people[0]], "all")).id,
        ]
        for at in range(150):
            client = dice.choice(clients)
            lane = dice.choice([*lanes, "lobby"])
            other = dice.choice(people)
            match dice.choice(["send", "send", "send", "read", "add", "remove", "role", "title", "direct"]):
                case "send":
                    calls = client.send(lane, f"m{at}")
                case "read":
                    view = client.state.conversation(lane)
                    calls = client.read(lane, dice.randint(0, view.head_seq)) if view else client.whoami()
                case "add":
                    calls = client.add_members(lane, [other])
                case "remove":
                    calls = client.remove_member(lane, other)
                case "role":
                    calls = client.set_role(lane, other, dice.choice(["owner", "admin", "member"]))
                case "title":
                    calls = client.rename(lane, f"组 {at}")
                case _:
                    calls = client.create_direct(other)
            await asyncio.gather(calls, return_exceptions=True)  # many of them are refused, as they should be
        for client in clients:
            await client.sent_all()

        async def same(client: Client) -> bool:
            snapshot = await client.snapshot()
            if client.cursor != snapshot.cursor or client.state.to_load:
                return False
            told = {one.id: one for one in snapshot.conversations}
            ours = {one.id: one for one in client.state.conversations}
            assert ours.keys() == told.keys()
            for id, one in told.items():
                for field in ("title", "history", "role", "first_seq", "head_seq", "read_seq", "unread", "last", "members"):
                    assert getattr(ours[id], field) == getattr(one, field), (id, field)
            return True

        async with asyncio.timeout(60):  # the last event may be one that others do not see: their cursor comes with a heartbeat
            for client in clients:
                while not await same(client):
                    await asyncio.sleep(0.05)


async def test_close_leaves_nothing_and_may_be_called_from_a_callback(server: Server) -> None:
    ann, bob = names(server, "ann", "bob")
    a, b = await joined(server, ann), await joined(server, bob)
    lane = (await a.client.create_direct(bob)).id
    after: list[str] = []

    async def end(event: Event) -> None:
        if event.type == "message":
            await b.client.close()
            await asyncio.sleep(0.05)
            after.append("still here")

    b.client.on_event(end)
    await a.client.send(lane, "一")
    await a.client.send(lane, "二")
    await asyncio.wait_for(b.client.wait_closed(), 10)
    assert after == ["still here"]
    assert b.texts(lane) == ["一"]
    assert b.links[-1].connection == "closed"
    await asyncio.gather(a.client.close(), a.client.close())
    assert left_running() == set()


async def test_presence_is_said_again_after_a_reconnect(server: Server) -> None:
    ann, bob = names(server, "ann", "bob")
    a, b = await joined(server, ann), await joined(server, bob)
    async with a.client, b.client:
        await b.client.presence("busy", "开会")
        for transport in ("sse", "websocket"):
            b.client.force_transport(transport)

            async def is_busy(transport: str = transport) -> bool:
                for one in await a.client.online():
                    if one.id == bob and [device.transport for device in one.devices] == [transport]:
                        return (one.status, one.text) == ("busy", "开会")
                return False

            async with asyncio.timeout(15):
                while not await is_busy():
                    await asyncio.sleep(0.05)


async def test_signals_reach_the_other(server: Server) -> None:
    ann, bob = names(server, "ann", "bob")
    a, b = await joined(server, ann), await joined(server, bob, transport="longpoll")
    signals: list[dict[str, object]] = []
    b.client.on_signal(signals.append)
    async with a.client, b.client:
        lane = (await a.client.create_direct(bob)).id
        await until(lambda: any(event.type == "create" for event in b.events))

        async def typed() -> None:
            while not any(signal["type"] == "typing" and signal["user"] == ann for signal in signals):
                await a.client.typing(lane)
                await asyncio.sleep(0.1)

        await asyncio.wait_for(typed(), 10)


async def test_two_clients_of_one_user_both_see_what_one_sends(server: Server) -> None:
    (ann,) = names(server, "ann")
    a, b = await joined(server, ann), await joined(server, ann, transport="sse")
    async with a.client, b.client:
        group = (await a.client.create_group("独白", [])).id
        await a.client.send(group, "一")
        await until(lambda: b.texts(group) == ["一"] and a.texts(group) == ["一"])
        assert a.events[-1].client_id is not None


async def test_history_members_and_people(server: Server) -> None:
    ann, bob = names(server, "ann", "bob")
    async with open_client(server.url) as client:
        await client.login(ann, PASSWORD, "test")
        group = await client.create_group("历史", [bob])
        for at in range(25):
            client.post(group.id, str(at))
        await client.sent_all()
        newest = await client.history(group.id, limit=10)
        assert ([event.text for event in newest.events], newest.more) == ([str(at) for at in range(15, 25)], True)
        older = await client.history(group.id, before=newest.events[0].seq, limit=100)
        assert ([event.text for event in older.events], older.more) == (["", *(str(at) for at in range(15))], False)
        oldest = await client.history(group.id, after=0, limit=3)
        assert [event.seq for event in oldest.events] == [1, 2, 3]
        assert {member.id for member in await client.members(group.id)} == {ann, bob}
        assert [user.id for user in await client.users(bob)] == [bob]
        assert (await client.user(bob)).id == bob
        assert group.id in {one.id for one in await client.conversations()}
        await client.leave(group.id)
        assert group.id not in {one.id for one in await client.conversations()}
