"""Clients that others wrote, with each other through this server: slixmpp, npm's @xmpp/client, profanity."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from tests.counterparts.node_client import NodeClient
from tests.counterparts.profanity import Profanity
from tests.gateways.xmpp.client import client
from tests.gateways.xmpp.rooms import PLUGINS, Room
from tests.gateways.xmpp.site import DOMAIN, Site

One = TypeVar("One", NodeClient, Profanity)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("web") / "data", XMPP_WEB="true", XMPP_ALLOW_PLAINTEXT="true") as site:
        yield site


@contextlib.asynccontextmanager
async def inside(one: One) -> AsyncIterator[One]:
    """It waits with the thread; the loop has another client to serve."""
    await asyncio.to_thread(one.__enter__)
    try:
        yield one
    finally:
        await asyncio.to_thread(one.__exit__, None, None, None)


@pytest.mark.parametrize("way", ["starttls", "websocket"])
async def test_npm_client_and_slixmpp_write_to_each_other(web: Site, way: str) -> None:
    alice, bob = web.people("alice", "bob")
    services = {"starttls": f"xmpp://127.0.0.1:{web.port}", "websocket": f"ws://127.0.0.1:{web.server.port}/xmpp/ws"}
    made = partial(NodeClient, services[way], DOMAIN, alice.id, certificate=web.certificate)
    async with client(web, bob.id) as b, inside(made()) as a:
        assert (a.mechanism, a.bind2) == ("SCRAM-SHA-1", True)
        assert a.address.startswith(f"{alice.id}@{DOMAIN}/node.")
        a.send(f"{bob.id}@{DOMAIN}", "你好 <&>")
        await b.has("你好 <&>")
        b.send_message(f"{alice.id}@{DOMAIN}", "在", mtype="chat")
        heard = await asyncio.to_thread(a.hear, "text")
        assert heard["text"] == "在"
        assert heard["from"].startswith(f"{bob.id}@{DOMAIN}")
    assert alice.texts(alice.direct(bob.id)) == ["你好 <&>", "在"]


def test_profanity_writes_and_reads_chinese(web: Site, tmp_path: Path) -> None:
    alice, bob = web.people("alice", "bob")
    lane = bob.direct(alice.id)
    with Profanity(tmp_path, f"{alice.id}@{DOMAIN}", "127.0.0.1", web.port, web.certificate) as window:
        window.type(f"/msg {bob.id}@{DOMAIN} 你好，鸿雁")
        window.shows("你好，鸿雁")
        window.until(lambda: bob.texts(lane) == ["你好，鸿雁"])
        bob.send(lane, "收到了")
        window.shows("收到了")
        for number in range(60):
            bob.send(lane, f"第 {number} 句")
        window.shows("第 59 句")
        assert "你好，鸿雁" not in window.screen()
        window.page_up_to("你好，鸿雁")


async def test_profanity_takes_part_in_a_room_and_corrects_itself(web: Site, tmp_path: Path) -> None:
    alice, bob = web.people("alice", "bob")
    lane = alice.group("大家", bob.id)
    bob.send(lane, "之前说的")
    made = Profanity(tmp_path, f"{alice.id}@{DOMAIN}", "127.0.0.1", web.port, web.certificate)
    async with client(web, bob.id, plugins=(*PLUGINS, "xep_0308")) as b, inside(made) as window:
        room = Room(b, lane)
        await room.join()
        window.type("/correction on")
        await asyncio.to_thread(window.shows, f"Autojoined {lane}")  # her rooms are her bookmarks
        window.type(f"/win {room.jid}")
        await asyncio.to_thread(window.shows, "之前说的")
        window.type("你好，鸿燕")
        await room.has((bob.id, "之前说的"), (alice.id, "你好，鸿燕"))
        room.say("写错了")
        await asyncio.to_thread(window.shows, "写错了")
        window.type("/correct 你好，鸿雁")
        await b.until(lambda: room.texts[-1] == (alice.id, "你好，鸿雁"))
        assert room.messages[-1]["replace"]["id"] == room.messages[-3]["id"]
        await asyncio.to_thread(window.until, lambda: "鸿燕" not in window.screen() and "你好，鸿雁" in window.screen())
    (said,) = [event for event in alice.history(lane) if event.get("content", {}).get("text") == "你好，鸿燕"]
    page = bob.call("GET", f"/v1/conversations/{lane}/messages/{said['seq']}")
    assert page["amended"][0]["text"] == "你好，鸿雁"
