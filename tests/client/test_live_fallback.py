"""Between client and server there is a proxy that spoils one transport after the other, and then lets them be."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hongyan.client import Event, TransportName

from ..serving import Server
from .live import joined, names, until
from .proxy import Deed, Proxy

SOCKET, STREAM, LONG = "/v1/events/ws", "/v1/events/sse", "/v1/events?"


@pytest.fixture
async def proxy(server: Server) -> AsyncIterator[Proxy]:
    async with Proxy(server.port) as proxy:
        yield proxy


@pytest.mark.parametrize("deed", ["refuse", "reset", "swallow"])
async def test_falls_back_to_the_next_transport_and_back_up(server: Server, proxy: Proxy, deed: Deed) -> None:
    ann, bob = names(server, "ann", "bob")
    a = await joined(server, ann)
    proxy.deeds = {SOCKET: deed, STREAM: deed}
    b = await joined(server, bob, url=proxy.url)
    async with a.client, b.client:
        lane = (await a.client.create_direct(bob)).id
        sent = 0

        async def carry_on(transport: TransportName) -> None:
            """Messages go both ways until this transport is in use."""
            nonlocal sent
            while b.client.link.transport != transport or b.client.link.connection != "online":
                await a.client.send(lane, str(sent))
                sent += 1
                await asyncio.sleep(0.05)

        await asyncio.wait_for(carry_on("longpoll"), 20)
        del proxy.deeds[STREAM]
        if deed != "swallow":  # an answer without a body would take its time to be given up
            proxy.deeds[LONG] = deed
        await asyncio.wait_for(carry_on("sse"), 20)
        proxy.deeds.clear()
        await asyncio.wait_for(carry_on("websocket"), 20)
        await until(lambda: len(b.texts(lane)) == sent)
        assert b.texts(lane) == [str(at) for at in range(sent)]
        assert b.reloads == 0


async def test_down_to_short_polling(server: Server, proxy: Proxy) -> None:
    """A proxy that gives up on any answer that takes its time."""
    ann, bob = names(server, "ann", "bob")
    a = await joined(server, ann)
    proxy.deeds = {SOCKET: "refuse", STREAM: "reset"}
    b = await joined(server, bob, url=proxy.url)
    async with a.client, b.client:
        lane = (await a.client.create_direct(bob)).id
        b.client.force_transport("poll")
        await until(lambda: b.client.link.connection == "online" and b.client.link.transport == "poll")
        for at in range(20):
            await a.client.send(lane, str(at))
        await b.client.send(lane, "收到")
        await until(lambda: len(b.texts(lane)) == 21)
        b.client.force_transport(None)
        await until(lambda: "longpoll" in b.transports)


async def test_broken_connections_lose_and_double_nothing(server: Server, proxy: Proxy) -> None:
    ann, bob = names(server, "ann", "bob")
    a, b = await joined(server, ann, url=proxy.url), await joined(server, bob, url=proxy.url)
    async with a.client, b.client:
        lanes = [(await a.client.create_group(f"组 {at}", [bob])).id for at in range(4)]
        for at in range(400):
            a.client.post(lanes[at % 4], str(at))

        async def drop() -> None:
            while left := a.client.outbox_size:
                proxy.drop()
                await until(lambda left=left: a.client.outbox_size < left and b.client.link.connection == "online")  # type: ignore[misc]

        dropping = asyncio.create_task(drop())
        await asyncio.wait_for(a.client.sent_all(), 40)
        await dropping
        await until(lambda: sum(event.type == "message" for event in b.events) >= 400)
        for number, lane in enumerate(lanes):
            assert b.texts(lane) == [str(at) for at in range(number, 400, 4)]
        assert b.client.transport == "websocket"


async def test_proxy_that_refuses_a_send_does_not_lose_it(server: Server, proxy: Proxy) -> None:
    ann, bob = names(server, "ann", "bob")
    a = await joined(server, ann, url=proxy.url, transport="poll")
    failed: list[object] = []
    a.client.on_send_failed(lambda entry, error: failed.append(error))
    async with a.client:
        lane = (await a.client.create_direct(bob)).id
        proxy.deeds = {f"/v1/conversations/{lane}": "refuse"}
        pending = a.client.post(lane, "wichtig")
        await until(lambda: proxy.asked.count(f"/v1/conversations/{lane}/messages") >= 3)
        assert a.client.outbox_size == 1
        proxy.deeds.clear()
        await asyncio.wait_for(pending, 10)
        assert failed == []


async def test_server_on_the_port_that_is_no_hongyan_server_is_said(server: Server, proxy: Proxy) -> None:
    (ann,) = names(server, "ann")
    proxy.deeds = {"/v1/login": "refuse"}
    with pytest.raises(Exception, match="no Hongyan server"):
        await joined(server, ann, url=proxy.url)


async def test_presence_callback_and_link_tell_of_the_way(server: Server, proxy: Proxy) -> None:
    (ann,) = names(server, "ann")
    proxy.deeds = {SOCKET: "refuse"}
    a = await joined(server, ann, url=proxy.url)
    async with a.client:
        await until(lambda: a.client.link.connection == "online")
        assert a.client.transport == "sse"
        reasons = [link.reason for link in a.links if link.connection == "waiting"]
        assert any("403" in reason for reason in reasons), a.links
        assert not any(isinstance(event, Event) and event.type == "message" for event in a.events)
