"""Rosters and presence: whom clients know and see, and what others see of them."""

import asyncio
from typing import Any

import pytest
from slixmpp.exceptions import IqError

from tests.gateways.xmpp.client import Client, client
from tests.gateways.xmpp.site import DOMAIN, SECONDS, Site
from tests.serving import Person


def _jid(person: Person) -> str:
    return f"{person.id}@{DOMAIN}"


def watch(one: Client) -> list[Any]:
    """Every presence that has come and comes."""
    return one.presences


def of(seen: list[Any], person: Person, type: str = "available", resource: str = "") -> list[Any]:
    return [
        one for one in seen if one["from"].bare == _jid(person) and one["type"] == type and resource in ("", one["from"].resource)
    ]


async def test_the_roster_is_everybody_with_whom_one_has_a_conversation(site: Site) -> None:
    alice, bob, carol = site.people("alice", "bob", "carol")
    alice.direct(bob.id)
    async with client(site, alice.id) as a:
        await a.get_roster()
        item = a.client_roster[_jid(bob)]
        assert (item["name"], item["subscription"]) == (bob.id, "both")
        assert _jid(carol) not in a.client_roster
        alice.direct(carol.id)
        await a.until(lambda: _jid(carol) in a.client_roster and a.client_roster[_jid(carol)]["subscription"] == "both")


async def test_a_client_names_groups_and_removes_an_entry_for_all_clients(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    alice.direct(bob.id)
    async with client(site, alice.id) as a, client(site, alice.id, "phone") as phone:
        await a.get_roster()
        await phone.get_roster()
        await a.update_roster(_jid(bob), name="老王 <&>", groups=["同事"])
        await phone.until(lambda: phone.client_roster[_jid(bob)]["name"] == "老王 <&>")
        assert phone.client_roster[_jid(bob)]["groups"] == ["同事"]
        assert phone.client_roster[_jid(bob)]["subscription"] == "both"
        await a.del_roster_item(_jid(bob))
        await phone.until(lambda: phone.client_roster[_jid(bob)]["subscription"] == "none")
    async with client(site, alice.id, "third") as third:
        await third.get_roster()
        assert not third.client_roster.has_jid(_jid(bob))


@pytest.mark.parametrize(
    ("item", "condition"),
    [
        ({"jid": "a@@b"}, "bad-request"),
        ({"jid": f"x@{DOMAIN}", "name": "x" * 201}, "not-acceptable"),
        ({"jid": f"x@{DOMAIN}", "subscription": "remove"}, "item-not-found"),
    ],
)
async def test_a_bad_entry_is_refused(site: Site, item: dict[str, str], condition: str) -> None:
    (alice,) = site.people("alice")
    async with client(site, alice.id) as a:
        iq = a.make_iq_set()
        query = iq.xml.makeelement("{jabber:iq:roster}query", {})
        query.append(query.makeelement("{jabber:iq:roster}item", item))
        iq.append(query)
        with pytest.raises(IqError) as caught:
            await iq.send(timeout=SECONDS)
        assert caught.value.condition == condition


async def test_a_roster_of_which_the_client_knows_the_version_is_not_sent_again(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    alice.direct(bob.id)
    async with client(site, alice.id) as a:
        first = await _roster(a, "")
        assert first.xml.find(".//{jabber:iq:roster}item") is not None
        version = first.xml.find("{jabber:iq:roster}query").get("ver")
        assert len((await _roster(a, version)).xml) == 0
        assert len((await _roster(a, "another")).xml) == 1


async def _roster(one: Client, version: str) -> Any:
    iq = one.make_iq_get()
    iq.append(iq.xml.makeelement("{jabber:iq:roster}query", {"ver": version}))
    return await iq.send(timeout=SECONDS)


async def test_contacts_see_each_other_come_change_and_go(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    alice.direct(bob.id)
    async with client(site, alice.id) as a:
        seen = watch(a)
        async with client(site, bob.id, present=False) as b:
            theirs = watch(b)
            b.send_presence(pshow="dnd", pstatus="开会", ppriority=7)
            there = await a.until(lambda: of(seen, bob, "dnd", "desk"))
            assert (there[-1]["status"], there[-1]["priority"]) == ("开会", 7)
            await b.until(lambda: of(theirs, alice, resource="desk"))
            b.send_presence(pshow="xa")
            await a.until(lambda: of(seen, bob, "xa"))
            b.send_presence(ptype="unavailable")
            await a.until(lambda: of(seen, bob, "unavailable"))


async def test_one_presence_for_the_whole_platform(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    alice.direct(bob.id)
    async with client(site, alice.id) as a:
        seen = watch(a)
        with bob.stream() as stream:
            await a.until(lambda: of(seen, bob))
            a.send_presence(pshow="away", pstatus="喝茶")
            found = await asyncio.to_thread(
                stream.until, lambda frame: (frame.get("user"), frame.get("status")) == (alice.id, "away")
            )
            assert found["text"] == "喝茶"
        await a.until(lambda: of(seen, bob, "unavailable"))


async def test_nobody_is_told_of_a_client_that_has_not_said_that_it_is_there(site: Site) -> None:
    alice, bob, carol = site.people("alice", "bob", "carol")
    alice.direct(bob.id)
    alice.direct(carol.id)
    async with client(site, alice.id) as a, client(site, bob.id, present=False) as b:
        seen = watch(a)
        await b.get_roster()
        async with client(site, carol.id):
            await a.until(lambda: of(seen, carol))
        assert not of(seen, bob)
        assert bob.id not in [one["id"] for one in alice.call("GET", "/v1/online")["users"]]


async def test_strangers_see_nothing_of_each_other(site: Site) -> None:
    alice, bob, carol = site.people("alice", "bob", "carol")
    alice.direct(carol.id)
    async with client(site, alice.id) as a, client(site, bob.id):
        seen = watch(a)
        a.send_presence(pto=_jid(bob), ptype="probe")
        await a.until(lambda: of(seen, bob, "unsubscribed"))
        async with client(site, carol.id):
            await a.until(lambda: of(seen, carol))
        assert not of(seen, bob)


async def test_to_subscribe_is_to_begin_a_conversation(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    async with client(site, alice.id) as a, client(site, bob.id) as b:
        seen = watch(a)
        await a.get_roster()
        await b.get_roster()
        a.send_presence_subscription(_jid(bob), ptype="subscribe")
        await a.until(lambda: of(seen, bob, "subscribed"))
        await a.until(lambda: a.client_roster[_jid(bob)]["subscription"] == "both")
        await a.until(lambda: of(seen, bob))
        await b.until(lambda: b.client_roster.has_jid(_jid(alice)))
        a.send_presence_subscription(_jid(bob), ptype="unsubscribe")
        a.client_roster[_jid(bob)]["to"] = False
        await a.until(lambda: a.client_roster[_jid(bob)]["subscription"] == "both")
        a.send_presence_subscription(f"nobody-at-all@{DOMAIN}", ptype="subscribe")
        await a.until(lambda: [one for one in seen if one["from"].user == "nobody-at-all" and one["type"] == "unsubscribed"])


async def test_directed_presence_goes_to_whom_it_is_sent_and_ends_with_the_client(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    async with client(site, bob.id) as b:
        seen = watch(b)
        async with client(site, alice.id) as a:
            a.send_presence(pto=_jid(bob), pstatus="这里")
            found = await b.until(lambda: of(seen, alice))
            assert found[0]["status"] == "这里"
        await b.until(lambda: of(seen, alice, "unavailable"))


async def test_a_negative_priority_gets_no_messages(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    alice.direct(bob.id)
    async with client(site, bob.id, "quiet", present=False) as quiet, client(site, bob.id) as b, client(site, alice.id) as a:
        seen = watch(a)
        quiet.send_presence(ppriority=-1)
        await a.until(lambda: of(seen, bob, resource="quiet"))
        a.send_message(_jid(bob), "一", mtype="chat")
        await b.has("一")
        assert quiet.texts == []


@pytest.mark.parametrize("wrong", ["<priority>400</priority>", "<priority>x</priority>", "<show>busy</show>"])
async def test_a_presence_that_says_nothing_known_is_refused(site: Site, wrong: str) -> None:
    (alice,) = site.people("alice")
    async with client(site, alice.id) as a:
        failed: list[Any] = []
        a.add_event_handler("presence_error", failed.append)
        a.send_raw(f"<presence>{wrong}</presence>")
        found = await a.until(lambda: failed)
        assert found[0]["error"]["condition"] == "bad-request"


async def test_what_a_client_can_do_goes_on_and_what_is_not_its_to_say_does_not(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    alice.direct(bob.id)
    async with client(site, alice.id) as a, client(site, bob.id, present=False) as b:
        seen = watch(a)
        forged = (
            "<delay xmlns='urn:xmpp:delay' stamp='2001-01-01T00:00:00Z'/><x xmlns='vcard-temp:x:update'><photo>f00</photo></x>"
        )
        caps = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:n' ver='AAAA'/>"
        b.send_raw(f"<presence><status>帽</status>{caps}{forged}</presence>")
        found = await a.until(lambda: [one for one in seen if one["status"] == "帽"])
        assert found[0].xml.find("{http://jabber.org/protocol/caps}c").get("ver") == "AAAA"
        assert found[0].xml.find("{urn:xmpp:delay}delay") is None
        assert not found[0].xml.find("{vcard-temp:x:update}x/{vcard-temp:x:update}photo").text


async def test_who_is_blocked_sees_nothing_and_is_not_heard(site: Site) -> None:
    alice, bob, carol = site.people("alice", "bob", "carol")
    for other in (bob, carol):
        alice.direct(other.id)
    plugins = ("xep_0191",)
    async with client(site, alice.id, plugins=plugins) as a, client(site, bob.id) as b, client(site, carol.id) as c:
        seen, theirs = watch(a), watch(b)
        await b.until(lambda: of(theirs, alice))
        await a.until(lambda: of(seen, bob))
        await a.plugin["xep_0191"].block(_jid(bob))
        await b.until(lambda: of(theirs, alice, "unavailable"))
        await a.until(lambda: of(seen, bob, "unavailable"))
        assert {str(one) for one in (await a.plugin["xep_0191"].get_blocked_jids())} == {_jid(bob)}
        b.send_message(_jid(alice), "听得见吗", mtype="chat")
        await b.until(lambda: alice.texts(alice.direct(bob.id)) == ["听得见吗"])
        c.send_message(_jid(alice), "我呢", mtype="chat")
        await a.has("我呢")
        refused: list[Any] = []
        a.add_event_handler("message_error", refused.append)
        a.send_message(_jid(bob), "不", mtype="chat")
        await a.until(lambda: refused)
        assert refused[0]["error"]["condition"] == "not-acceptable"
        before = len(of(theirs, alice))
        await a.plugin["xep_0191"].unblock(_jid(bob))
        await b.until(lambda: len(of(theirs, alice)) > before)
        assert "听得见吗" not in a.texts


async def test_what_one_device_says_is_not_what_another_says(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    alice.direct(bob.id)
    async with client(site, bob.id) as b, client(site, alice.id, "phone") as phone, client(site, alice.id, "desk"):
        seen = watch(b)
        await b.until(lambda: of(seen, alice, resource="desk"))
        phone.send_presence(pshow="dnd", pstatus="在开会")
        await b.until(lambda: of(seen, alice, "dnd", "phone"))
        phone.send_presence(pshow="away")  # what comes before it has come
        await b.until(lambda: of(seen, alice, "away", "phone"))
        assert [one for one in of(seen, alice, resource="desk") if one["status"]] == []
