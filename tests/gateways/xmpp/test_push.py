"""Devices that sleep are woken: by a push service that is a component of Prosody, over the streams between servers."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.conftest import MakeShared
from tests.counterparts.prosody import Prosody
from tests.gateways.xmpp.client import Client, client, neighbour
from tests.gateways.xmpp.neighbours import Neighbours, neighbours
from tests.gateways.xmpp.push_service import PushService, push_service
from tests.gateways.xmpp.site import DOMAIN, SECONDS, Site
from tests.gateways.xmpp.wired import Wired
from tests.serving import Person, wait_for

PUSH = "urn:xmpp:push:0"
SERVICE = "push.prosody.example"
_nodes = itertools.count(1)


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    settings = {"XMPP_ALLOW_PLAINTEXT": "true", "XMPP_PUSH_DEVICES": "3"}
    with neighbours(tmp_path_factory.mktemp("near"), "prosody", **settings) as both:
        yield both


@pytest.fixture
async def service(near: Neighbours) -> AsyncIterator[PushService]:
    assert isinstance(near.other, Prosody)
    async with push_service(near.other) as made:
        yield made


@pytest.fixture
def node() -> str:
    return f"node{next(_nodes)}"


def enable(node: str, inside: str = "", service: str = SERVICE) -> str:
    return f"<enable xmlns='{PUSH}' jid='{service}' node='{node}'>{inside}</enable>"


def disable(node: str = "") -> str:
    which = f" node='{node}'" if node else ""
    return f"<disable xmlns='{PUSH}' jid='{SERVICE}'{which}/>"


async def ask(one: Client, inside: str, to: str = "") -> str:
    """The condition of the error; empty when it was done."""
    id, whom = one.new_id(), f" to='{to}'" if to else ""
    one.send_raw(f"<iq type='set' id='{id}'{whom}>{inside}</iq>")
    answer = await one.until(lambda: one.answers.get(id))
    return str(answer["error"]["condition"]) if answer["type"] == "error" else ""


async def asleep(near: Neighbours, bob: Person, node: str, inside: str = "") -> None:
    """A phone of his has asked to be woken, and is gone."""
    async with client(near.site, bob.id, "phone") as phone:
        assert await ask(phone, enable(node, inside)) == ""


async def available(phone: Client | Wired) -> None:
    """Until this server knows that it is, which it tells the client, too."""
    if isinstance(phone, Wired):
        mine = f"{phone.jid}/{phone.resource}"
        await phone.stanza(lambda one: one.local == "presence" and one.get("from") == mine)
    else:
        await phone.until(lambda: [one for one in phone.presences if one["from"] == phone.boundjid])


class Witness:
    """Somebody else, whose phone sleeps: when it was woken, it was decided of all that was said before who is woken for it."""

    def __init__(self, near: Neighbours, service: PushService, node: str) -> None:
        self.near, self.service, self.node = near, service, f"witness {node}"
        (self.person,) = near.site.people("witness")
        self.count = 0

    async def looked(self, alice: Person) -> None:
        if not self.count:
            await asleep(self.near, self.person, self.node)
        self.count += 1
        alice.send(alice.direct(self.person.id), "看")
        await self.service.told(self.node, self.count)


def outcomes(site: Site, outcome: str) -> float:
    try:
        return site.server.metric("hongyan_xmpp_push_total", outcome=outcome)
    except KeyError:
        return 0.0


async def counted(near: Neighbours, outcome: str, more_than: float) -> None:
    async with asyncio.timeout(SECONDS):
        while outcomes(near.site, outcome) <= more_than:
            await asyncio.sleep(0.05)


async def test_the_account_says_that_it_can(near: Neighbours) -> None:
    (bob,) = near.site.people("bob")
    async with client(near.site, bob.id) as b:
        disco = b.plugin["xep_0030"]
        mine = await disco.get_info(jid=f"{bob.id}@{DOMAIN}", timeout=SECONDS)
        others = await disco.get_info(jid=DOMAIN, timeout=SECONDS)
    assert PUSH in mine["disco_info"]["features"]
    assert PUSH not in others["disco_info"]["features"]


async def test_phone_that_is_gone_is_woken_by_a_message_of_the_web(near: Neighbours, service: PushService, node: str) -> None:
    alice, bob = near.site.people("alice", "bob")
    kind = "<field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>"
    secret = "<field var='secret'><value>a &lt; b</value></field>"
    await asleep(near, bob, node, f"<x xmlns='jabber:x:data' type='submit'>{kind}{secret}</x>")
    lane = alice.direct(bob.id)
    alice.send(lane, "秘密")
    told = await service.told(node)
    assert told.sender == DOMAIN
    assert told.said == {
        "FORM_TYPE": "urn:xmpp:push:summary",
        "message-count": "1",
        "last-message-body": "New message",  # never what was said
    }
    assert told.options == {"FORM_TYPE": "http://jabber.org/protocol/pubsub#publish-options", "secret": "a < b"}
    alice.send(lane, "又")
    assert (await service.told(node, 2)).said["message-count"] == "1"  # how many there are is nobody's business


async def test_who_is_connected_is_not_woken_and_who_is_gone_is(near: Neighbours, service: PushService, node: str) -> None:
    alice, bob = near.site.people("alice", "bob")
    lane, witness = alice.direct(bob.id), Witness(near, service, node)
    async with client(near.site, bob.id, "phone") as phone:
        assert await ask(phone, enable(node)) == ""
        phone.send_raw("<inactive xmlns='urn:xmpp:csi:0'/>")
        await available(phone)
        alice.send(lane, "一")
        await phone.has("一")
        await witness.looked(alice)
    async with client(near.site, bob.id, "desk") as desk:  # another device of his keeps nobody from being woken
        alice.send(lane, "二")
        await desk.has("二")
        await service.told(node)


async def test_connection_that_is_cut_wakes_for_what_it_may_not_have_and_for_what_comes(
    near: Neighbours, service: PushService, node: str
) -> None:
    alice, bob = near.site.people("alice", "bob")
    lane = alice.direct(bob.id)
    phone = Wired(near.site, bob.id)
    async with phone:
        phone.send(f"<iq type='set' id='on'>{enable(node)}</iq>")
        await phone.stanza(lambda one: one.get("id") == "on")
        await available(phone)
        phone.silent = True
        alice.send(lane, "没到")
        await phone.until(lambda: phone.texts == ["没到"])
        await phone.cut()  # and never acknowledges it
        await service.told(node)
        alice.send(lane, "又一条")
        await service.told(node, 2)
        await phone.connect()
        phone.silent = False
        await phone.resume()
        await phone.until(lambda: phone.texts[-1] == "又一条")
        witness = Witness(near, service, node)
        await witness.looked(alice)  # meanwhile all know that the phone is back
        alice.send(lane, "醒了")
        await phone.until(lambda: phone.texts[-1] == "醒了")
        await witness.looked(alice)
    assert len(service.of(node)) == 2


async def test_acknowledged_message_wakes_nobody_when_the_connection_is_cut(
    near: Neighbours, service: PushService, node: str
) -> None:
    alice, bob = near.site.people("alice", "bob")
    lane = alice.direct(bob.id)
    async with Wired(near.site, bob.id) as phone:
        phone.send(f"<iq type='set' id='on'>{enable(node)}</iq>")
        await available(phone)
        alice.send(lane, "到了")
        await phone.until(lambda: phone.texts == ["到了"])
        phone.send("<iq type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>")
        await phone.stanza(lambda one: one.get("id") == "ping")
        await Witness(near, service, node).looked(alice)
        await phone.cut()
    alice.send(lane, "没到")
    await service.told(node)


async def test_call_wakes_who_may_not_hear_it(near: Neighbours, service: PushService, node: str) -> None:
    """Whether the server knows already that the connection is cut, or not."""
    alice, bob = near.site.people("alice", "bob")
    async with Wired(near.site, bob.id) as phone, client(near.site, alice.id) as a:
        phone.send(f"<iq type='set' id='on'>{enable(node)}</iq>")
        await phone.stanza(lambda one: one.get("id") == "on")
        await phone.cut()
        call = "<propose xmlns='urn:xmpp:jingle-message:0' id='call'/>"
        a.send_raw(f"<message to='{bob.id}@{DOMAIN}' type='chat' id='r2'>{call}</message>")
        await service.told(node)
        await phone.connect()
        await phone.resume()
        await phone.stanza(lambda one: one.child("urn:xmpp:jingle-message:0 propose") is not None)


async def test_who_wants_no_more_is_told_no_more(near: Neighbours, service: PushService, node: str) -> None:
    alice, bob = near.site.people("alice", "bob")
    lane, other = alice.direct(bob.id), f"{node}b"
    await asleep(near, bob, node)
    await asleep(near, bob, other)
    async with client(near.site, bob.id, "desk") as desk:
        assert await ask(desk, disable(node)) == ""
        assert await ask(desk, disable(node)) == ""
    alice.send(lane, "一")
    await service.told(other)
    async with client(near.site, bob.id, "desk") as desk:
        assert await ask(desk, disable()) == ""
    await asleep(near, bob, f"{node}c")
    alice.send(lane, "二")
    await service.told(f"{node}c")
    assert (len(service.of(node)), len(service.of(other))) == (0, 1)


@pytest.mark.parametrize("how", ["password", "disabled", "device"])
async def test_registration_ends_with_what_it_came_from(near: Neighbours, service: PushService, node: str, how: str) -> None:
    alice, bob = near.site.people("alice", "bob")
    lane = alice.direct(bob.id)
    async with client(near.site, bob.id, "phone") as phone:
        assert await ask(phone, enable(node)) == ""
        if how == "device":
            tokens = bob.call("GET", "/v1/tokens")["tokens"]
            (mine,) = [one["id"] for one in tokens if one["name"] == "XMPP phone"]
            bob.call("DELETE", f"/v1/tokens/{mine}")
    words = {"password": [("passwd", "--password-stdin", bob.id)], "disabled": [("disable", bob.id), ("enable", bob.id)]}
    for word in words.get(how, ()):
        done = near.site.server.command("user", *word, input="another one 12\n")
        assert done.returncode == 0, done.stderr
    (carol,) = near.site.people("carol")
    await asleep(near, carol, f"{node}c")
    group = alice.group("茶", bob.id, carol.id)
    alice.send(group, "一")
    await service.told(f"{node}c")
    alice.send(lane, "二")
    alice.send(group, "三")
    await service.told(f"{node}c", 2)
    assert service.of(node) == []


async def test_error_for_good_ends_it_and_one_for_now_is_tried_again(near: Neighbours, service: PushService, node: str) -> None:
    alice, bob = near.site.people("alice", "bob")
    lane = alice.direct(bob.id)
    await asleep(near, bob, node)
    service.errors = [("wait", "resource-constraint"), ("cancel", "service-unavailable"), ("cancel", "item-not-found")]
    gone = outcomes(near.site, "gone")
    alice.send(lane, "一")
    await counted(near, "gone", gone)
    assert len(service.of(node)) == 3
    await asleep(near, bob, f"{node}b")
    alice.send(lane, "二")
    await service.told(f"{node}b")
    assert len(service.of(node)) == 3


async def test_oldest_makes_room(near: Neighbours, service: PushService, node: str) -> None:
    alice, bob = near.site.people("alice", "bob")
    for number in range(4):
        await asleep(near, bob, f"{node}.{number}")
    alice.send(alice.direct(bob.id), "一")
    for number in (1, 2, 3):
        await service.told(f"{node}.{number}")
    assert service.of(f"{node}.0") == []


async def test_what_is_wrong_is_told(near: Neighbours) -> None:
    alice, bob = near.site.people("alice", "bob")
    large = f"<x xmlns='jabber:x:data'><field var='a'><value>{'a' * 5_000}</value></field></x>"
    async with client(near.site, bob.id) as b:
        assert await ask(b, f"<enable xmlns='{PUSH}' node='a'/>") == "bad-request"
        assert await ask(b, f"<enable xmlns='{PUSH}' jid='{SERVICE}'/>") == "feature-not-implemented"
        assert await ask(b, f"<disable xmlns='{PUSH}' node='a'/>") == "bad-request"
        assert await ask(b, enable("a", service="a@b@c")) == "jid-malformed"
        assert await ask(b, enable("a" * 1_025)) == "not-acceptable"
        assert await ask(b, enable("a", large)) == "not-acceptable"
        for ours in (DOMAIN, f"rooms.{DOMAIN}", f"{alice.id}@{DOMAIN}"):
            assert await ask(b, enable("a", service=ours)) == "not-acceptable"
        assert await ask(b, enable("a"), to=f"{alice.id}@{DOMAIN}") == "service-unavailable"  # nobody's but one's own


async def test_answers_of_somebody_else_change_nothing(near: Neighbours, service: PushService, node: str) -> None:
    """Who learns the id of a notification cannot answer it in the name of its service."""
    alice, bob = near.site.people("alice", "bob")
    await asleep(near, bob, node)
    service.silent = True
    sent: list[Any] = []
    service.add_filter("in", lambda stanza: (sent.append(stanza), stanza)[1])
    alice.send(alice.direct(bob.id), "一")
    await service.told(node)
    id = next(one["id"] for one in sent if one["from"] == DOMAIN)
    error = "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    async with neighbour(near, "romeo") as romeo:
        romeo.send_raw(f"<iq type='error' id='{id}' to='{DOMAIN}'>{error}</iq>")
        await romeo.plugin["xep_0199"].send_ping(DOMAIN, timeout=SECONDS)
    sent_before = outcomes(near.site, "sent")
    service.send_raw(f"<iq type='result' id='{id}' from='{SERVICE}' to='{DOMAIN}'/>")
    await counted(near, "sent", sent_before)


async def test_service_that_is_not_there_costs_the_others_nothing(near: Neighbours, service: PushService, node: str) -> None:
    alice, bob, carol = near.site.people("alice", "bob", "carol")
    async with client(near.site, bob.id, "phone") as phone:
        for number in range(3):
            assert await ask(phone, enable(node, service=f"nowhere{number}.example")) == ""
    await asleep(near, carol, node)
    group = alice.group("茶", bob.id, carol.id)
    alice.send(group, "一")
    await service.told(node)


async def test_what_was_asked_for_is_there_after_a_restart(near: Neighbours, service: PushService, node: str) -> None:
    alice, bob = near.site.people("alice", "bob")
    await asleep(near, bob, node)
    lane = alice.direct(bob.id)
    near.site.server.restart()
    alice.send(lane, "一")
    await service.told(node)


async def test_details_where_the_settings_say_so(tmp_path_factory: pytest.TempPathFactory, node: str) -> None:
    folder = tmp_path_factory.mktemp("details")
    with neighbours(folder, "prosody-dialback", XMPP_PUSH_DETAILS="true") as near:
        assert isinstance(near.other, Prosody)
        async with push_service(near.other) as service:
            alice, bob = near.site.people("alice", "bob")
            await asleep(near, bob, node)
            alice.send(alice.direct(bob.id), "今天 <b>")
            said = (await service.told(node)).said
            assert said["last-message-sender"] == f"{alice.id}@{DOMAIN}"
            assert said["last-message-body"] == "今天 <b>"
            alice.send(alice.direct(bob.id), "明天")
            assert (await service.told(node, 2)).said["message-count"] == "2"


async def test_two_nodes_tell_once_whoever_gets_the_answer(
    make_shared: MakeShared, tmp_path_factory: pytest.TempPathFactory, node: str
) -> None:
    """Prosody knows one of them only: what it answers to the other one is handed on."""
    with make_shared() as shared, neighbours(tmp_path_factory.mktemp("pair"), "prosody", shared=shared) as near:
        assert isinstance(near.other, Prosody)
        assert near.twin is not None
        sites = near.site, near.twin
        wait_for(lambda: all(one.server.metric("hongyan_nodes") == 2 for one in sites), what="the nodes")
        async with push_service(near.other) as service:
            alice, bob = near.site.people("alice", "bob")
            lane = alice.direct(bob.id)
            async with client(near.twin, bob.id, "phone") as phone:
                assert await ask(phone, enable(node)) == ""
            for count in range(1, 4):
                alice.send(lane, str(count))
                await service.told(node, count)
                async with asyncio.timeout(SECONDS):
                    while sum(outcomes(one, "sent") for one in sites) < count:
                        await asyncio.sleep(0.05)
            near.site.server.stop()
            near.site.server.start()
            alice.send(lane, "又")
            await service.told(node, 4)


async def test_switched_off_nothing_is_said_of_it(site: Site) -> None:
    """Where no other server is talked to."""
    (bob,) = site.people("bob")
    async with client(site, bob.id) as b:
        mine = await b.plugin["xep_0030"].get_info(jid=f"{bob.id}@{DOMAIN}", timeout=SECONDS)
        assert PUSH not in mine["disco_info"]["features"]
        assert await ask(b, enable("a")) == "service-unavailable"
