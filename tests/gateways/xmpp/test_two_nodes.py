"""Clients on two nodes that share a store and a bus: what is kept and what is only passed on."""

import contextlib
from collections.abc import Iterator

import pytest
from slixmpp import JID

from tests.conftest import MakeShared
from tests.counterparts.prosody import Prosody
from tests.gateways.xmpp.client import Client, client, neighbour
from tests.gateways.xmpp.neighbours import Neighbours, neighbours
from tests.gateways.xmpp.rooms import PLUGINS, Room, condition
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


@pytest.mark.parametrize("near", [True, False])
async def test_who_asks_a_client_need_not_be_available(pair: tuple[Site, Site], near: bool) -> None:
    """Nobody knows of such a client but the node that it is at."""
    alice, bob = pair[0].people("alice", "bob")
    alice.direct(bob.id)
    async with client(pair[0], bob.id) as b, client(pair[0 if near else 1], bob.id, "watch") as watch:
        await watch.until(lambda: shown(watch, bob.id) == "available")
        async with client(pair[1], alice.id, present=False) as a:
            assert await condition(a.plugin["xep_0199"].send_ping(b.boundjid, timeout=SECONDS)) == ""


async def test_a_query_that_no_client_gets_is_refused(pair: tuple[Site, Site]) -> None:
    alice, bob = pair[0].people("alice", "bob")
    alice.direct(bob.id)
    async with client(pair[0], alice.id) as a, client(pair[1], bob.id, plugins=("xep_0191",)) as b:
        ping = a.plugin["xep_0199"].send_ping
        await a.until(lambda: shown(a, bob.id) == "available")
        assert await condition(ping(JID(f"{bob.id}@{DOMAIN}/nowhere"), timeout=SECONDS)) == "service-unavailable"
        assert await condition(ping(b.boundjid, timeout=SECONDS)) == ""
        await b.plugin["xep_0191"].block(a.boundjid.bare)  # what is known of it at the other node does not say that
        assert await condition(ping(b.boundjid, timeout=SECONDS)) == "service-unavailable"
        b.send_presence(ptype="unavailable")
        await b.plugin["xep_0191"].unblock(a.boundjid.bare)
        assert await condition(ping(b.boundjid, timeout=SECONDS)) == "service-unavailable"


@pytest.fixture(scope="module")
def near(make_shared: MakeShared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    """Two nodes, of which another server finds one."""
    with make_shared() as shared, neighbours(tmp_path_factory.mktemp("near"), "prosody", shared=shared) as both:
        assert both.twin is not None
        sites = both.site, both.twin
        wait_for(lambda: all(site.server.metric("hongyan_nodes") == 2 for site in sites), what="the nodes")
        yield both


async def test_another_server_asks_a_client_at_the_node_that_it_does_not_find(near: Neighbours) -> None:
    """Only who was told of the client by it; nobody else learns whether it is there."""
    assert isinstance(near.other, Prosody)
    assert near.twin is not None
    (alice,) = near.site.people("alice")
    async with client(near.twin, alice.id) as a, neighbour(near, "romeo") as r, neighbour(near, "mercutio") as m:
        a.send_presence(pto=r.boundjid.bare)
        await r.until(lambda: [one for one in r.presences if one["from"] == a.boundjid])
        assert await condition(r.plugin["xep_0199"].send_ping(a.boundjid, timeout=SECONDS)) == ""
        for one, asked in ((r, JID(f"{alice.id}@{DOMAIN}/nowhere")), (m, a.boundjid)):
            assert await condition(one.plugin["xep_0199"].send_ping(asked, timeout=SECONDS)) == "service-unavailable"


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
