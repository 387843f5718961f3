"""Several doors to one server: when one is shut, the client is at the next within a second, and nothing is lost or doubled.

Every wait that is not needed would show: the first back-off here is anything up to ten seconds.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hongyan.client import Backoff, Client, TransportName, Unreachable
from hongyan.core.errors import Overloaded, StoreUnavailable

from ..serving import PASSWORD, Server
from .live import Reader, joined, names, open_client, until
from .proxy import Proxy

ALL: tuple[TransportName, ...] = ("websocket", "sse", "longpoll", "poll")
SOCKET, STREAM = "/v1/events/ws", "/v1/events/sse"
_EVENT = b'event: close\ndata: {"do":"resume"}\n\n'
RESUME = {SOCKET: b"\x88\x02" + (4001).to_bytes(2, "big"), STREAM: b"%x\r\n%b\r\n" % (len(_EVENT), _EVENT)}
"""A WebSocket's close frame (RFC 6455, section 5.5.1), and one chunk of an answer."""


@pytest.fixture
async def doors(server: Server) -> AsyncIterator[tuple[Proxy, Proxy]]:
    async with Proxy(server.port) as one, Proxy(server.port) as two:
        yield one, two


def urls(doors: Sequence[Proxy]) -> str:
    return ",".join(door.url for door in doors)


def door_of(client: Client, doors: Sequence[Proxy]) -> tuple[Proxy, Proxy]:
    """The one in use, and the other."""
    one, two = doors
    return (one, two) if client.server == one.url else (two, one)


async def patient(server: Server, name: str, doors: Sequence[Proxy], **more: Any) -> Reader:
    reader = await joined(server, name, url=urls(doors), **{"backoff": lambda: Backoff(first=10.0)} | more)
    await until(lambda: reader.client.link.connection == "online")
    return reader


@pytest.mark.parametrize("transport", ALL)
async def test_shut_door_is_left_for_the_other_within_a_second(
    server: Server, doors: tuple[Proxy, Proxy], transport: TransportName
) -> None:
    ann, bob = names(server, "ann", "bob")
    a, b = await joined(server, ann), await patient(server, bob, doors, transport=transport)
    async with a.client, b.client:
        lane = (await a.client.create_direct(bob)).id
        await a.client.send(lane, "0")
        await until(lambda: b.texts(lane) == ["0"])
        here, other = door_of(b.client, doors)
        here.cut()
        began = time.monotonic()
        await a.client.send(lane, "1")
        await b.client.send(lane, "2")
        await until(lambda: b.texts(lane) == ["0", "1", "2"])
        assert time.monotonic() - began < 1.0
        await until(lambda: b.client.link.connection == "online")
        assert b.client.server == b.client.link.server == other.url
        assert "waiting" not in [link.connection for link in b.links]
        assert b.reloads == 0


async def test_sends_that_are_under_way_go_through_the_other_door_once_and_in_order(
    server: Server, doors: tuple[Proxy, Proxy]
) -> None:
    ann, bob = names(server, "ann", "bob")
    a, b = await joined(server, ann), await patient(server, bob, doors)
    async with a.client, b.client:
        lanes = [(await a.client.create_group(f"组 {at}", [bob])).id for at in range(4)]
        for at in range(400):
            b.client.post(lanes[at % 4], str(at))

        def count(reader: Reader) -> int:
            return sum(event.type == "message" for event in reader.events)

        for begin in (20, 150, 280):
            await until(lambda begin=begin: count(a) > begin)
            here, _ = door_of(b.client, doors)
            here.cut()
            await here.listen()
        await asyncio.wait_for(b.client.sent_all(), 20)
        await until(lambda: count(a) >= 400 and count(b) >= 400)
        for reader in (a, b):
            for number, lane in enumerate(lanes):
                assert reader.texts(lane) == [str(at) for at in range(number, 400, 4)]
            positions = [event.position for event in reader.events]
            assert positions == sorted(set(positions))
        assert b.client.transport == "websocket", "a door that is shut is no reason to fall back"


@pytest.mark.parametrize(("transport", "path"), [("websocket", SOCKET), ("sse", STREAM)])
async def test_verdict_resume_is_followed_to_the_other_door_within_a_second(
    server: Server, doors: tuple[Proxy, Proxy], transport: TransportName, path: str
) -> None:
    ann, bob = names(server, "ann", "bob")
    a, b = await joined(server, ann), await patient(server, bob, doors, transport=transport)
    async with a.client, b.client:
        lane = (await a.client.create_direct(bob)).id
        await a.client.send(lane, "0")
        await until(lambda: b.texts(lane) == ["0"])
        here, other = door_of(b.client, doors)
        assert here.say(path, RESUME[path]) == 1
        began = time.monotonic()
        await until(lambda: b.client.link.connection == "online" and b.client.link.server == other.url)
        await a.client.send(lane, "1")
        await until(lambda: b.texts(lane) == ["0", "1"])
        assert time.monotonic() - began < 1.0
        assert "waiting" not in [link.connection for link in b.links]


async def test_verdict_resume_with_one_door_goes_on_there(server: Server, doors: tuple[Proxy, Proxy]) -> None:
    ann, bob = names(server, "ann", "bob")
    a, b = await joined(server, ann), await patient(server, bob, doors[:1])
    async with a.client, b.client:
        lane = (await a.client.create_direct(bob)).id
        assert doors[0].say(SOCKET, RESUME[SOCKET]) == 1
        await a.client.send(lane, "1")
        await until(lambda: b.texts(lane) == ["1"])
        assert b.client.server == doors[0].url


async def test_both_shut_is_waited_for(server: Server, doors: tuple[Proxy, Proxy]) -> None:
    ann, bob = names(server, "ann", "bob")
    a, b = await joined(server, ann), await joined(server, bob, url=urls(doors))
    async with a.client, b.client:
        lane = (await a.client.create_direct(bob)).id
        for number, door in enumerate(doors):
            for one in doors:
                one.cut()
            await until(lambda: b.client.link.connection == "waiting")
            sending = b.client.post(lane, f"von bob {number}")
            await a.client.send(lane, f"von ann {number}")
            await door.listen()
            await asyncio.wait_for(sending, 10)
            await until(lambda number=number: len(b.texts(lane)) == 2 * (number + 1))
            assert b.client.server == door.url
            other = doors[1 - number]
            await other.listen()
        assert [text for text in b.texts(lane) if "ann" in text] == ["von ann 0", "von ann 1"]


async def test_door_that_is_shut_from_the_start_is_no_trouble(server: Server, doors: tuple[Proxy, Proxy]) -> None:
    (ann,) = names(server, "ann")
    doors[0].cut()
    for _ in range(4):  # whichever comes first
        async with open_client(urls(doors), backoff=lambda: Backoff(first=10.0)) as client:
            await client.login(ann, PASSWORD, "test")
            await client.start()
            await until(lambda client=client: client.link.connection == "online", 1.0)
            assert client.server == doors[1].url
            assert len(client.servers) == 2


async def test_server_with_too_much_to_do_is_left_and_nothing_is_done_twice(server: Server, doors: tuple[Proxy, Proxy]) -> None:
    ann, bob = names(server, "ann", "bob")
    async with open_client(urls(doors)) as client:
        here, other = door_of(client, doors)
        here.deeds = {"/v1/": "busy"}
        await client.login(ann, PASSWORD, "test")
        assert client.server == other.url
        here.deeds, other.deeds = {}, {"/v1/": "busy"}
        with pytest.raises(Overloaded):
            await client.create_group("zu früh", [bob])  # the first asked for half a minute of peace, and has it
        other.deeds = {}
        made = await client.create_group("einmal", [bob])
        assert [one.title for one in await client.conversations() if one.id != "lobby"] == [made.title]


async def test_send_that_is_answered_with_too_much_to_do_goes_through_the_other_door(
    server: Server, doors: tuple[Proxy, Proxy]
) -> None:
    ann, bob = names(server, "ann", "bob")
    a = await patient(server, ann, doors, transport="sse")
    async with a.client:
        lane = (await a.client.create_direct(bob)).id
        here, other = door_of(a.client, doors)
        here.deeds = {f"/v1/conversations/{lane}": "busy"}
        await asyncio.wait_for(a.client.send(lane, "eilig"), 1.0)
        assert a.client.link.server == here.url, "the stream stays where it is"
        assert other.asked[-1] == f"/v1/conversations/{lane}/messages"


async def test_send_that_the_node_of_the_stream_cannot_take_goes_elsewhere(
    server: Server, doors: tuple[Proxy, Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = names(server, "ann", "bob")
    a = await patient(server, ann, doors)

    refused: list[object] = []

    async def refuse(*call: object) -> None:
        refused.append(call)
        raise StoreUnavailable

    async with a.client:
        await until(lambda: a.client._socket.ready)
        lane = (await a.client.create_direct(bob)).id
        monkeypatch.setattr(a.client._socket, "send", refuse)
        await asyncio.wait_for(a.client.send(lane, "eilig"), 1.0)
    b = await patient(server, ann, doors[:1])
    async with b.client:
        await until(lambda: b.client._socket.ready)
        monkeypatch.setattr(b.client._socket, "send", refuse)
        pending = b.client.post(lane, "allein")
        await until(lambda: len(refused) == 2)
        await b.client.ping()
        assert not pending.future.done(), "with one server the refusal is believed"


async def test_what_may_have_been_done_is_asked_again_only_where_that_does_not_matter(
    server: Server, doors: tuple[Proxy, Proxy]
) -> None:
    (ann,) = names(server, "ann")
    async with open_client(urls(doors)) as client:
        await client.login(ann, PASSWORD, "test")
        here, other = door_of(client, doors)
        here.deeds = {"/v1/conversations": "reset", "/v1/me": "reset"}
        assert (await client.whoami()).id == ann
        assert client.server == other.url
        other.deeds = {"/v1/conversations": "reset"}
        with pytest.raises(Unreachable):
            await client.create_group("vielleicht", [])
        assert here.asked[-1] != "/v1/conversations"
        assert client.server == here.url


async def test_token_is_one_for_all_of_them_and_for_no_other(server: Server, doors: tuple[Proxy, Proxy], tmp_path: Path) -> None:
    (ann,) = names(server, "ann")
    async with open_client(urls(doors), tmp_path) as client:
        await client.login(ann, PASSWORD, "test")
    async with open_client(urls(doors[::-1]), tmp_path) as client:
        for _ in range(2):
            assert (await client.whoami()).id == ann
            door_of(client, doors)[0].deeds = {"/v1/me": "busy"}
    async with open_client(f"{urls(doors)},http://127.0.0.1:9", tmp_path) as client:
        assert not client.has_token


async def test_stopped_server_of_several_is_still_waited_for(tmp_path: Path) -> None:
    """`later` of the only server behind both doors: it is back in its own time."""
    with Server(tmp_path / "data") as server:
        async with Proxy(server.port) as one, Proxy(server.port) as two:
            ann, bob = names(server, "ann", "bob")
            a = await joined(server, ann, url=urls((one, two)))
            async with a.client:
                lane = (await a.client.create_direct(bob)).id
                await asyncio.to_thread(server.stop)
                await until(lambda: a.client.link.connection == "waiting")
                sending = a.client.post(lane, "spaeter")
                await asyncio.to_thread(server.start)
                await asyncio.wait_for(sending, 20)
                await until(lambda: a.texts(lane) == ["spaeter"])
