"""Clients on two nodes that share a store and a bus: what is kept and what is only passed on."""

import contextlib
from collections.abc import Iterator

import pytest
from slixmpp import JID

from tests.conftest import MakeShared
from tests.gateways.xmpp.client import Client, client
from tests.gateways.xmpp.rooms import PLUGINS, Room
from tests.gateways.xmpp.site import DOMAIN, SECONDS, Site
from tests.serving import wait_for


@pytest.fixture(scope="module")
def pair(make_shared: MakeShared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Site]]:
    folder = tmp_path_factory.mktemp("pair")
    with make_shared() as shared, contextlib.ExitStack() as held:
        one, other = (
            held.enter_context(Site(folder / name, "--node", name, shared=shared, start=False)) for name in ("one", "other")
        )
        for site in (one, other):
            site.server.launch()
        for site in (one, other):
            site.server.until_ready()
        wait_for(lambda: all(site.server.metric("hongyan_nodes") == 2 for site in (one, other)), what="the nodes")
        yield one, other


def shown(one: Client, user: str, resource: str = "desk") -> str | None:
    """The type of the last presence that came from there."""
    found = [p["type"] for p in one.presences if p["from"] == JID(f"{user}@{DOMAIN}/{resource}")]
    return str(found[-1]) if found else None


async def test_messages_and_what_is_done_to_them(pair: tuple[Site, Site]) -> None:
    alice, bob = pair[0].people("alice", "bob")
    async with client(pair[0], alice.id) as a, client(pair[1], bob.id) as b, client(pair[1], alice.id, "phone") as phone:
        await phone.plugin["xep_0199"].send_ping(JID(DOMAIN), timeout=SECONDS)
        phone.send_raw("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
        await phone.until(lambda: phone.answers.get("c"))
        a.send_message(f"{bob.id}@{DOMAIN}", "你好", mtype="chat")
        await b.has("你好")
        assert b.messages[0]["from"] == JID(f"{alice.id}@{DOMAIN}")
        copy = await phone.until(lambda: next((str(one) for one in phone.every if "urn:xmpp:carbons:2" in str(one)), ""))
        assert "你好" in copy
        b.send_message(f"{alice.id}@{DOMAIN}", "在", mtype="chat")
        await a.has("在")
        await phone.has("在")
    assert alice.texts(alice.direct(bob.id)) == ["你好", "在"]


async def test_presence(pair: tuple[Site, Site]) -> None:
    alice, bob = pair[0].people("alice", "bob")
    alice.direct(bob.id)
    async with client(pair[0], alice.id) as a:
        async with client(pair[1], bob.id) as b:
            await a.until(lambda: shown(a, bob.id) == "available")
            await b.until(lambda: shown(b, alice.id) == "available")
            b.send_presence(pshow="away", pstatus="吃饭")
            await a.until(lambda: shown(a, bob.id) == "away")
            assert a.presences[-1]["status"] == "吃饭"
        await a.until(lambda: shown(a, bob.id) == "unavailable")


async def test_what_is_passed_on_and_not_kept(pair: tuple[Site, Site]) -> None:
    """Queries to one client, their answers, and messages that say nothing: a receipt, a call."""
    alice, bob = pair[0].people("alice", "bob")
    lane = alice.direct(bob.id)
    async with client(pair[0], alice.id) as a, client(pair[1], bob.id) as b:
        await a.until(lambda: shown(a, bob.id) == "available")
        info = await a.plugin["xep_0030"].get_info(jid=f"{bob.id}@{DOMAIN}/desk", timeout=SECONDS)
        assert info["from"] == JID(f"{bob.id}@{DOMAIN}/desk")
        assert "http://jabber.org/protocol/disco#info" in info["disco_info"]["features"]
        received = "<received xmlns='urn:xmpp:receipts' id='one'/>"
        propose = "<propose xmlns='urn:xmpp:jingle-message:0' id='call'/>"
        a.send_raw(f"<message to='{bob.id}@{DOMAIN}/desk' type='chat' id='r1'>{received}</message>")
        a.send_raw(f"<message to='{bob.id}@{DOMAIN}' type='chat' id='r2'>{propose}</message>")
        for part in ("urn:xmpp:receipts", "urn:xmpp:jingle-message:0"):
            await b.until(lambda part=part: [one for one in b.every if part in str(one)])
        assert {str(one["from"]) for one in b.every} == {f"{alice.id}@{DOMAIN}/desk"}
    assert bob.texts(lane) == []


async def test_a_room(pair: tuple[Site, Site]) -> None:
    alice, bob = pair[0].people("alice", "bob")
    lane = alice.group("茶", bob.id)
    async with client(pair[0], alice.id, plugins=PLUGINS) as a, client(pair[1], bob.id, plugins=PLUGINS) as b:
        mine, theirs = Room(a, lane), Room(b, lane)
        await mine.join()
        await theirs.join()
        await mine.until(bob.id, role="participant")
        await theirs.until(alice.id, role="moderator")
        mine.say("今天？")
        await theirs.has((alice.id, "今天？"))
        theirs.say("好")
        for room in (mine, theirs):
            await room.has((alice.id, "今天？"), (bob.id, "好"))
        await mine.config({"roomname": "茶", "roomdesc": "topic"})
        await theirs.client.until(lambda: "topic" in theirs.subjects)
        await mine.give(bob.id, "none")
        await theirs.until(bob.id, "unavailable", 110, 321)
