"""The archive (XEP-0313): pages of the log, for who may read them."""

import itertools
from typing import Any

import pytest
from slixmpp.exceptions import IqError
from slixmpp.xmlstream import ET

from tests.gateways.xmpp.client import Client, client
from tests.gateways.xmpp.site import DOMAIN, Site
from tests.serving import Person

NS = "urn:xmpp:mam:2"
PLUGINS = ("xep_0059", "xep_0297", "xep_0313", "xep_0203")
_queries = itertools.count(1)


class Asked:
    """What came of a query."""

    def __init__(self, results: list[Any], fin: Any) -> None:
        self.results = [one.xml.find(f"{{{NS}}}result") for one in results]
        self.ids = [int(one.get("id")) for one in self.results]
        self.messages = [one.find("{urn:xmpp:forward:0}forwarded/{jabber:client}message") for one in self.results]
        self.texts = [one.findtext("{jabber:client}body") for one in self.messages]
        self.fin = fin.xml.find(f"{{{NS}}}fin")

    @property
    def complete(self) -> bool:
        return bool(self.fin.get("complete") == "true")

    def said(self, name: str) -> str | None:
        text: str | None = self.fin.findtext(f"{{http://jabber.org/protocol/rsm}}set/{{http://jabber.org/protocol/rsm}}{name}")
        return text


async def ask(
    one: Client, inside: str = "", *, to: str | None = None, rsm: str | None = None, fields: dict[str, Any] | None = None
) -> Asked:
    """A query as somebody might write it by hand."""
    number = f"q{next(_queries)}"
    form = ""
    for name, given in (fields or {}).items():
        values = [given] if isinstance(given, str) else given
        form += f"<field var='{name}'>{''.join(f'<value>{value}</value>' for value in values)}</field>"
    if fields is not None:
        kind = f"<field var='FORM_TYPE' type='hidden'><value>{NS}</value></field>"
        inside += f"<x xmlns='jabber:x:data' type='submit'>{kind}{form}</x>"
    if rsm is not None:
        inside += f"<set xmlns='http://jabber.org/protocol/rsm'>{rsm}</set>"
    iq = one.make_iq_set(ET.fromstring(f"<query xmlns='{NS}' queryid='{number}'>{inside}</query>"), ito=to)
    fin = await iq.send(timeout=30)
    mine = [
        found for found in one.every if (part := found.xml.find(f"{{{NS}}}result")) is not None and part.get("queryid") == number
    ]
    return Asked(mine, fin)


async def refusal(one: Client, inside: str = "", **query: Any) -> str:
    with pytest.raises(IqError) as failed:
        await ask(one, inside, **query)
    return str(failed.value.condition)


async def test_an_account_reads_all_that_was_said_between_two_in_pages_both_ways(site: Site) -> None:
    alice, bob, carol, dave = site.people("alice", "bob", "carol", "dave")
    with_bob, with_carol, between = alice.direct(bob.id), alice.direct(carol.id), bob.direct(carol.id)
    for number in range(30):
        (alice if number % 2 else bob).send(with_bob, f"bob {number}")
        (carol if number % 3 else alice).send(with_carol, f"carol {number}")
        bob.send(between, "not for Alice")
    every = [f"{who} {number}" for number in range(30) for who in ("bob", "carol")]
    async with client(site, alice.id, plugins=PLUGINS) as one, client(site, dave.id, plugins=PLUGINS) as stranger:
        first = await ask(one, rsm="<max>25</max>")
        assert first.texts == every[:25]
        assert not first.complete
        assert [str(first.ids[0]), str(first.ids[-1])] == [first.said("first"), first.said("last")]
        then = await ask(one, rsm=f"<max>25</max><after>{first.said('last')}</after>")
        rest = await ask(one, rsm=f"<max>25</max><after>{then.said('last')}</after>")
        assert then.texts + rest.texts == every[25:]
        assert rest.complete
        last = await ask(one, rsm="<max>7</max><before/>")
        assert last.texts == every[-7:]
        before = await ask(one, "<flip-page/>", rsm=f"<max>53</max><before>{last.said('first')}</before>")
        assert before.texts == every[:-7][::-1]
        assert before.complete
        assert before.said("first") == str(first.ids[0])
        some = await ask(one, fields={"with": f"{bob.id}@{DOMAIN}/anything"}, rsm="<max>100</max>")
        assert some.texts == [text for text in every if text.startswith("bob")]
        between_ids = {"after-id": str(first.ids[3]), "before-id": str(first.ids[9])}
        assert (await ask(one, fields=between_ids)).texts == every[4:9]
        assert (await ask(one, fields={"ids": [str(first.ids[5]), str(first.ids[2])]})).texts == [every[2], every[5]]
        nothing = await ask(one, rsm="<max>0</max>")
        assert (nothing.texts, nothing.complete) == ([], False)
        assert (await ask(one, fields={"with": f"{alice.id}@{DOMAIN}"})).texts == []
        assert (await ask(stranger)).texts == []
        assert await refusal(stranger, rsm=f"<after>{first.ids[0]}</after>") == "item-not-found"
        assert await refusal(stranger, fields={"ids": str(first.ids[0])}) == "item-not-found"
        for message in [*first.messages, *some.messages]:
            sender, receiver = message.get("from"), message.get("to")
            assert f"{alice.id}@{DOMAIN}" in (sender, receiver)
        assert stranger.texts == []


async def test_times_narrow_what_is_asked_for(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.direct(bob.id)
    for number in range(6):
        alice.send(lane, str(number))
    async with client(site, alice.id, plugins=PLUGINS) as one:
        whole = await ask(one)
        stamps = [result.find("{urn:xmpp:forward:0}forwarded/{urn:xmpp:delay}delay").get("stamp") for result in whole.results]
        inner = await ask(one, fields={"start": stamps[2], "end": stamps[4]})
        expected = [text for text, stamp in zip(whole.texts, stamps, strict=True) if stamps[2] <= stamp <= stamps[4]]
        assert inner.texts == expected
        assert {"2", "3", "4"} <= set(expected)
        assert (await ask(one, fields={"end": "1999-12-31T23:59:59Z"})).texts == []
        assert (await ask(one, fields={"start": "2999-12-31T23:59:59+08:00"})).texts == []


async def test_a_room_is_read_by_its_members_from_where_they_may(site: Site) -> None:
    alice, bob, carol = site.people("alice", "bob", "carol")
    group = alice.call("POST", "/v1/conversations", {"kind": "group", "title": "群", "members": [bob.id], "history": "joined"})[
        "id"
    ]
    alice.send(group, "before")
    alice.call("POST", f"/v1/conversations/{group}/members", {"users": [carol.id]})
    bob.send(group, "after")
    room = f"{group}@rooms.{DOMAIN}"
    async with client(site, carol.id, plugins=PLUGINS) as one, client(site, bob.id, plugins=PLUGINS) as other:
        assert (await ask(other, to=room)).texts == ["before", "after"]
        mine = await ask(one, to=room)
        assert mine.texts == ["after"]
        assert mine.messages[0].get("from") == f"{room}/{bob.id}"
        assert mine.messages[0].get("to") is None
        alice.call("DELETE", f"/v1/conversations/{group}/members/{carol.id}")
        assert await refusal(one, to=room) == "item-not-found"
        assert await refusal(one, to=f"nothing@rooms.{DOMAIN}") == "item-not-found"
        assert await refusal(other, to=f"{alice.direct(bob.id)}@rooms.{DOMAIN}") == "item-not-found"


async def test_what_became_of_messages_is_in_the_archive_where_it_happened(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.direct(bob.id)
    seqs = [alice.send(lane, text)["seq"] for text in ("wrong", "secret", "liked", "gone for me")]

    def act(person: Person, **act: Any) -> None:
        person.call("POST", f"/v1/conversations/{lane}/acts", {"act": act})

    act(alice, type="edit", seq=seqs[0], text="right")
    act(alice, type="edit", seq=seqs[1], text="more secret")
    act(alice, type="recall", seq=seqs[1])
    act(bob, type="react", seq=seqs[2], emoji="👍")
    act(bob, type="react", seq=seqs[2], emoji="🎉")
    act(bob, type="unreact", seq=seqs[2], emoji="👍")
    bob.call("POST", "/v1/me/acts", {"act": {"type": "hide", "conversation": lane, "seqs": [seqs[3]]}})
    bob.call(
        "POST",
        f"/v1/conversations/{lane}/messages",
        {"client_id": "answer-to-it", "content": {"type": "text", "text": "yes", "reply": seqs[0]}},
    )
    async with client(site, bob.id, plugins=PLUGINS) as one:
        found = await ask(one)
        original, tombstone, liked, correction, nothing, *rest = found.messages
        assert original.findtext("{jabber:client}body") == "wrong"
        assert tombstone.find("{urn:xmpp:message-retract:1}retracted") is not None
        assert tombstone.findtext("{jabber:client}body") is None
        assert correction.find("{urn:xmpp:message-correct:0}replace").get("id") == original.get("id")
        assert correction.findtext("{jabber:client}body") == "right"
        assert [part.tag for part in nothing] == ["{urn:xmpp:sid:0}stanza-id"]  # a correction of what was taken back
        assert rest[0].find("{urn:xmpp:message-retract:1}retract").get("id") == tombstone.get("id")
        for reactions in rest[1:4]:
            part = reactions.find("{urn:xmpp:reactions:0}reactions")
            assert part.get("id") == liked.get("id")
            assert [each.text for each in part] == ["🎉"]
        assert rest[4].findtext("{jabber:client}body") == "> right\nyes"
        assert rest[4].find("{urn:xmpp:reply:0}reply").get("id") == original.get("id")
        assert "secret" not in "".join(str(text) for text in found.texts)
        assert "gone for me" not in found.texts


async def test_a_page_ends_with_what_was_given(site: Site) -> None:
    """Dino looks for the messages that its ends name, and for their times."""
    alice, bob = site.people("alice", "bob")
    lane = alice.direct(bob.id)
    seq = alice.send(lane, "secret")["seq"]
    for act in ({"type": "edit", "seq": seq, "text": "more secret"}, {"type": "recall", "seq": seq}):
        alice.call("POST", f"/v1/conversations/{lane}/acts", {"act": act})
    async with client(site, bob.id, plugins=PLUGINS) as one:
        seen, before = [], ""
        for _ in range(3):
            page = await ask(one, rsm=f"<max>1</max><before>{before}</before>")
            assert [page.said("first"), page.said("last")] == [str(page.ids[0])] * 2
            before = str(page.ids[0])
            seen += page.ids
        assert page.complete
        assert seen == sorted(set(seen), reverse=True)


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ({"fields": {"colour": "blue"}}, "feature-not-implemented"),
        ({"fields": {"start": "yesterday"}}, "bad-request"),
        ({"fields": {"end": "2026-13-45T99:00:00Z"}}, "bad-request"),
        ({"fields": {"with": "@@"}}, "jid-malformed"),
        ({"fields": {"ids": "999999999999999999999"}}, "item-not-found"),
        ({"fields": {"ids": ["1"] * 101}}, "not-acceptable"),
        ({"fields": {"after-id": "aaa"}}, "item-not-found"),
        ({"fields": {"start": ["2026-01-01T00:00:00Z"] * 2}}, "bad-request"),
        ({"rsm": "<max>many</max>"}, "bad-request"),
        ({"rsm": "<index>3</index>"}, "feature-not-implemented"),
        ({"rsm": "<before>1</before><after>1</after>"}, "bad-request"),
        ({"rsm": "<after>1</after>"}, "item-not-found"),
        ({"inside": "<x xmlns='jabber:x:data' type='submit'><field var='with'><value>a</value></field></x>"}, "bad-request"),
    ],
)
async def test_bad_queries_are_refused(site: Site, query: dict[str, Any], condition: str) -> None:
    (alice,) = site.people("alice")
    async with client(site, alice.id, plugins=PLUGINS) as one:
        assert await refusal(one, **query) == condition


async def test_fields_ends_and_preferences_are_told(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    alice.send(alice.direct(bob.id), "only one")
    async with client(site, alice.id, plugins=PLUGINS) as one:
        for name, wanted in (("query", "before-id"), ("metadata", "timestamp"), ("prefs", "always")):
            iq = one.make_iq_get()
            iq.append(ET.fromstring(f"<{name} xmlns='{NS}'/>"))
            assert wanted in str(await iq.send())
        info = await one.plugin["xep_0030"].get_info(jid=f"{alice.id}@{DOMAIN}")
        assert {NS, f"{NS}#extended"} <= info["disco_info"]["features"]


async def test_slixmpp_iterates_over_it(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.direct(bob.id)
    for number in range(12):
        alice.send(lane, str(number))
    async with client(site, bob.id, plugins=PLUGINS) as one:
        found = [
            message["mam_result"]["forwarded"]["stanza"]["body"]
            async for message in one.plugin["xep_0313"].iterate(with_jid=f"{alice.id}@{DOMAIN}", rsm={"max": 5})
        ]
        assert found == [str(number) for number in range(12)]
