"""Groups and channels as rooms (XEP-0045): coming in, what is said, what happens, leaving."""

import asyncio
from typing import Any
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

import pytest
from slixmpp import JID

from tests.gateways.xmpp.client import client
from tests.gateways.xmpp.raw import logged_in
from tests.gateways.xmpp.rooms import ADMIN, PLUGINS, ROOMS, USER, Room, condition, item_of, raw, status
from tests.gateways.xmpp.site import DOMAIN, Site
from tests.serving import new_client_id

RETRACT = "{urn:xmpp:message-retract:1}retract"
MODERATED = "{urn:xmpp:message-moderate:1}moderated"
RESULT, FORWARDED = "{urn:xmpp:mam:2}result", "{urn:xmpp:forward:0}forwarded"


async def test_who_comes_in_is_told_who_is_there_what_was_said_and_the_subject(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.group("茶", bob.id, topic="今天", history="all")
    for number in range(3):
        alice.send(lane, f"第{number}句 <&>")
    async with client(site, alice.id, plugins=PLUGINS), client(site, bob.id, plugins=PLUGINS) as b:
        room = Room(b, lane)
        mine, subject, _, history = await room.join("whatever")
        assert status(mine) == [100, 210, 110]
        assert mine["from"].resource == bob.id
        assert dict(item_of(mine).attrib) == {
            "affiliation": "member", "role": "participant", "jid": f"{bob.id}@{DOMAIN}/desk",
        }  # fmt: skip
        assert subject.xml.findtext("{jabber:client}subject") == "今天"
        assert [(one["from"].resource, one["body"]) for one in history] == [(alice.id, f"第{n}句 <&>") for n in range(3)]
        assert all(one["delay"]["stamp"] for one in history)
        assert [int(one["stanza_id"]["id"]) for one in history] == sorted(int(one["stanza_id"]["id"]) for one in history)
        assert {one["stanza_id"]["by"] for one in history} == {JID(f"{lane}@{ROOMS}")}
        there = await room.until(alice.id, affiliation="owner", role="moderator", jid=f"{alice.id}@{DOMAIN}")
        assert there["type"] == "available"
        told = [one for one in room.stanzas if one is not there]  # who has just come online may be shown a moment later
        kinds = ["subject" if one in room.messages and not one["body"] else one.name for one in told]
        assert kinds[-5:] == ["presence", "message", "message", "message", "subject"]


async def test_history_is_as_long_as_was_asked_for_and_never_what_one_may_not_read(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.group("茶")
    alice.send(lane, "before")
    alice.call("POST", f"/v1/conversations/{lane}/members", {"users": [bob.id]})
    for number in range(5):
        alice.send(lane, f"after {number}")
    seq = alice.send(lane, "secret")["seq"]
    alice.call("POST", f"/v1/conversations/{lane}/acts", {"act": {"type": "recall", "seq": seq}})
    seq = alice.send(lane, "wrong")["seq"]
    alice.call("POST", f"/v1/conversations/{lane}/acts", {"act": {"type": "edit", "seq": seq, "text": "right"}})
    async with client(site, bob.id, plugins=PLUGINS) as b:
        room = Room(b, lane)
        everything = [*(f"after {number}" for number in range(5)), "right"]
        for asked, expected in (
            ({"maxstanzas": 100}, everything),
            ({"maxstanzas": 2}, everything[-2:]),
            ({"maxstanzas": 0}, []),
            ({"maxchars": 9}, []),
            ({"seconds": 3600}, everything),
        ):
            *_, history = await room.join(**asked)
            assert [one["body"] for one in history] == expected, asked
        wrong = b.plugin["xep_0045"].make_join_stanza(room.jid, "me", maxstanzas=1)
        wrong["muc_join"]["history"]["maxstanzas"] = "many"
        wrong.send()
        refused = await b.until(lambda: [one for one in room.presences if one["type"] == "error"])
        assert refused[0]["error"]["condition"] == "bad-request"


async def test_history_says_the_same_as_what_was_told_while_one_was_there(site: Site) -> None:
    """Replies, threads and mentions, and with an edit those of the text as it is now."""
    alice, bob = site.people("alice", "bob")
    lane = alice.group("茶", bob.id, history="all")

    async def told(room: Room, *words: str) -> dict[str, list[str]]:
        """By what they say: everything in these messages, but when it was said."""

        def parts() -> dict[str, list[str]]:
            found = {}
            for message in room.messages:
                inside = [ET.canonicalize(ET.tostring(one)) for one in message.xml if one.tag != "{urn:xmpp:delay}delay"]
                if body := message["body"]:
                    found[body.splitlines()[-1]] = [str(message["id"]), str(message["from"]), *sorted(inside)]
            return found

        return await room.client.until(lambda: found if set(found := parts()) == set(words) else None)

    async with client(site, bob.id, plugins=PLUGINS) as b:
        room = Room(b, lane)
        await room.join()
        first = alice.send(lane, "多少钱？")["seq"]
        for content in (
            {"text": "一百", "reply": first},
            {"text": f"@{bob.id} 呢", "mentions": [bob.id], "reply": first},
            {"text": "in the thread", "thread": first},
        ):
            body = {"client_id": new_client_id(), "content": {"type": "text", **content}}
            alice.call("POST", f"/v1/conversations/{lane}/messages", body)
        words = ("多少钱？", "一百", f"@{bob.id} 呢", "in the thread")
        live = await told(room, *words)
        for name in ("reply", "fallback", "thread", "reference", "stanza-id", "markable"):
            assert any(f"<{name}" in part or f":{name}" in part for said in live.values() for part in said), name
        room = Room(b, lane)
        await room.join(maxstanzas=20)
        assert await told(room, *words) == live
        seq = alice.send(lane, "wrong")["seq"]
        act = {"type": "edit", "seq": seq, "text": f"sorry, @{bob.id}", "mentions": [bob.id]}
        alice.call("POST", f"/v1/conversations/{lane}/acts", {"act": act})
        room = Room(b, lane)
        *_, history = await room.join(maxstanzas=1)
        (reference,) = history[0].xml.iter("{urn:xmpp:reference:0}reference")
        assert (history[0]["body"], reference.get("begin")) == (act["text"], "7")


async def test_what_is_said_comes_to_everybody_who_has_joined_and_back(site: Site) -> None:
    alice, bob, carol = site.people("alice", "bob", "carol")
    lane = alice.group("茶", bob.id, carol.id)
    async with (
        client(site, alice.id, plugins=PLUGINS) as a,
        client(site, alice.id, "phone", plugins=PLUGINS) as phone,
        client(site, bob.id, plugins=PLUGINS) as b,
        client(site, carol.id, plugins=PLUGINS) as c,
    ):
        rooms = [Room(one, lane) for one in (a, phone, b)]
        outside = Room(c, lane)
        for room in rooms:
            await room.join()
        sent = [rooms[0].say(f"你好 {number}") for number in range(5)]
        carol.send(lane, "从网页")
        expected = [(alice.id, f"你好 {number}") for number in range(5)]
        for room in rooms:
            await b.until(lambda room=room: len(room.texts) >= 6)  # type: ignore[misc]
            assert [one for one in room.texts if one[0] == alice.id] == expected
            assert (carol.id, "从网页") in room.texts
            assert [one["id"] for one in room.messages if one["from"].resource == alice.id] == sent
        await outside.synced()
        assert outside.stanzas == []
    assert sorted(alice.texts(lane)) == sorted([*(text for _, text in expected), "从网页"])


async def test_nothing_is_lost_or_doubled_by_coming_in_while_people_talk(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.group("茶", bob.id)
    said = [f"{number}" for number in range(40)]
    async with client(site, bob.id, plugins=PLUGINS) as b:
        room = Room(b, lane)
        talking = asyncio.create_task(asyncio.to_thread(lambda: [alice.send(lane, text) for text in said]))
        for _ in range(5):
            await room.join(maxstanzas=200)
            b.plugin["xep_0045"].leave_muc(room.jid, bob.id)
            await room.until(bob.id, "unavailable", 110)
            room.stanzas.clear()
        await room.join(maxstanzas=200)
        await talking
        await room.has(*((alice.id, text) for text in said))


async def test_who_is_brought_in_is_told(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    async with client(site, bob.id, plugins=PLUGINS) as b:
        invited: list[Any] = []
        b.add_event_handler("groupchat_invite", invited.append)
        lane = alice.group("茶", bob.id)
        other = alice.group("咖啡")
        alice.call("POST", f"/v1/conversations/{other}/members", {"users": [bob.id]})
        alice.call("POST", f"/v1/conversations/{bob.group('own', alice.id)}/members", {"users": [bob.id]})
        await b.until(lambda: len(invited) == 2)
        assert [one["from"] for one in invited] == [f"{lane}@{ROOMS}", f"{other}@{ROOMS}"]
        assert {one["muc"]["invite"]["from"] for one in invited} == {JID(f"{alice.id}@{DOMAIN}")}


async def test_forged_parts_are_not_passed_on(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.group("茶", bob.id)
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        mine, theirs = Room(a, lane), Room(b, lane)
        await mine.join()
        await theirs.join()
        message = a.make_message(mine.jid, "hi", mtype="groupchat")
        message.append(Element("{urn:xmpp:sid:0}stanza-id", {"by": mine.jid.bare, "id": "7777777"}))
        message.append(Element("{urn:xmpp:delay}delay", {"from": mine.jid.bare, "stamp": "2001-01-01T00:00:00Z"}))
        message.append(Element("{urn:xmpp:occupant-id:0}occupant-id", {"id": bob.id}))
        message.append(Element("{urn:example:any}thing"))
        message.send()
        await theirs.has((alice.id, "hi"))
        told = theirs.messages[-1].xml
        assert {one.tag for one in told} == {
            "{jabber:client}body", "{urn:xmpp:chat-markers:0}markable", "{urn:xmpp:sid:0}stanza-id",
            "{urn:xmpp:occupant-id:0}occupant-id", "{urn:xmpp:sid:0}origin-id",
        }  # fmt: skip
        assert told.find("{urn:xmpp:sid:0}stanza-id").get("id") != "7777777"
        assert told.find("{urn:xmpp:occupant-id:0}occupant-id").get("id") == alice.id


async def test_nobody_speaks_as_the_room(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.group("茶", bob.id)
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        mine, theirs = Room(a, lane), Room(b, lane)
        await mine.join()
        await theirs.join()
        forged = f"<moderated xmlns='urn:xmpp:message-moderate:1' by='{theirs.jid}'/>"
        omemo = f"<encrypted xmlns='eu.siacs.conversations.axolotl'><payload>x</payload>{forged}</encrypted>"
        b.send_raw(
            f"<message to='{theirs.jid}' type='groupchat' id='one-that-is-forged'><body>I am the room</body>{omemo}</message>"
        )
        await mine.has((bob.id, "I am the room"))
        seq = bob.send(lane, "taken back by alice")["seq"]
        alice.call("POST", f"/v1/conversations/{lane}/acts", {"act": {"type": "recall", "seq": seq}})
        moderated = await a.until(lambda: [one for one in mine.messages if one.xml.find(f"{RETRACT}/{MODERATED}") is not None])
        assert moderated[0]["from"] == mine.jid.bare
        a.send_raw(f"<iq type='set' id='all' to='{mine.jid}'><query xmlns='urn:xmpp:mam:2'/></iq>")
        await a.until(lambda: "all" in a.answers)
        found = [
            inner for one in a.every if (inner := one.xml.find(f"{RESULT}/{FORWARDED}/{{jabber:client}}message")) is not None
        ]
        assert found[0].get("from") == f"{mine.jid}/{bob.id}"
        assert found[-1].get("from") == str(mine.jid)


async def test_a_channel_is_joined_by_entering_it(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.group("频道", kind="channel", history="all")
    alice.send(lane, "welcome")
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        mine, theirs = Room(a, lane), Room(b, lane)
        await mine.join()
        *_, history = await theirs.join()
        assert [one["body"] for one in history] == ["welcome"]
        await mine.until(bob.id, affiliation="member")
        theirs.say("在")
        await mine.client.until(lambda: (bob.id, "在") in mine.texts)
    assert lane in {one["id"] for one in bob.snapshot()["conversations"]}


async def test_an_archived_channel_is_not_joined(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.group("频道", kind="channel", writers="nobody")
    async with client(site, bob.id, plugins=PLUGINS) as b:
        assert await Room(b, lane).join_refused() == "not-allowed"


async def test_people_come_and_go_with_their_devices(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.group("茶", bob.id)
    async with client(site, alice.id, plugins=PLUGINS) as a:
        room = Room(a, lane)
        await room.join()
        assert [one["from"].resource for one in room.presences] == [alice.id]
        with bob.stream() as stream:
            await room.until(bob.id, affiliation="member", role="participant")
            stream.say("presence", status="dnd", text="忙")
            await a.until(lambda: room.presences[-1].xml.findtext("{jabber:client}show") == "dnd")
            assert room.presences[-1].xml.findtext("{jabber:client}status") == "忙"
        await room.until(bob.id, "unavailable", role="none", affiliation="member")


async def test_leaving_the_room_is_leaving_the_view_and_affiliation_none_is_for_good(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.group("茶", bob.id)
    async with client(site, bob.id, plugins=PLUGINS) as b, client(site, alice.id, plugins=PLUGINS) as a:
        room, other = Room(b, lane), Room(a, lane)
        await other.join()
        await room.join()
        await other.until(bob.id)  # that somebody has come is told a moment later
        b.plugin["xep_0045"].leave_muc(room.jid, bob.id)
        await room.until(bob.id, "unavailable", 110)
        alice.send(lane, "not for the view")
        await other.has((alice.id, "not for the view"))
        await room.synced()
        assert room.texts == []
        assert await room.refused(room.say("nobody hears it")) == "not-acceptable"
        assert lane in {one["id"] for one in bob.snapshot()["conversations"]}
        await room.join()
        await room.give(bob.id, "none")
        await room.until(bob.id, "unavailable", 110, affiliation="none")
        await other.until(bob.id, "unavailable", affiliation="none")
    assert lane not in {one["id"] for one in bob.snapshot()["conversations"]}


async def test_who_is_removed_gets_the_removal_and_nothing_more(site: Site) -> None:
    alice, bob, carol = site.people("alice", "bob", "carol")
    lane = alice.group("茶", bob.id, carol.id)
    async with client(site, bob.id, plugins=PLUGINS) as b, client(site, carol.id, plugins=PLUGINS) as c:
        room, other = Room(b, lane), Room(c, lane)
        await room.join()
        await other.join()
        await other.until(bob.id)  # that somebody has come is told a moment later
        alice.call("DELETE", f"/v1/conversations/{lane}/members/{bob.id}")
        alice.send(lane, "behind their back")
        gone = await room.until(bob.id, "unavailable", 110, 321, affiliation="none", role="none")
        assert item_of(gone).find(f"{USER}actor").get("nick") == alice.id
        await other.until(bob.id, "unavailable", 321, affiliation="none", role="none")
        await other.has((alice.id, "behind their back"))
        await room.synced()
        assert room.stanzas[-1] is gone
        assert await room.refused(room.say("still here?")) == "not-acceptable"
        assert await room.join_refused() == "item-not-found"
        assert await condition(room.self_ping(bob.id)) == "not-acceptable"


@pytest.mark.parametrize(
    ("item", "codes", "left"), [({"role": "none"}, (307, 321), "none"), ({"affiliation": "outcast"}, (301,), "outcast")]
)
async def test_who_is_kicked_or_banned_from_a_group_is_no_member_any_more(
    site: Site, item: dict[str, str], codes: tuple[int, ...], left: str
) -> None:
    alice, bob, carol = site.people("alice", "bob", "carol")
    lane = alice.group("茶", bob.id, carol.id)
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        mine, theirs = Room(a, lane), Room(b, lane)
        await mine.join()
        await theirs.join()
        await mine.until(bob.id)
        assert await raw(mine, ADMIN, "item", nick=bob.id, **item) == ""
        gone = await theirs.until(bob.id, "unavailable", 110, *codes, affiliation=left, role="none")
        assert item_of(gone).find(f"{USER}actor").get("nick") == alice.id
        await mine.until(bob.id, "unavailable", *codes, affiliation=left, role="none")
        assert await raw(mine, ADMIN, "item", nick=carol.id, **item) == ""  # who is not there
        absent = await a.until(lambda: [one for one in mine.messages if item_of(one).get("jid") == f"{carol.id}@{DOMAIN}"])
        assert item_of(absent[0]).get("affiliation") == left
        assert await raw(mine, ADMIN, "item", nick=carol.id, **item) == ("" if left == "outcast" else "item-not-found")
        assert await theirs.join_refused() == "item-not-found"
        assert await mine.list("outcast") == (sorted((bob.id, carol.id)) if left == "outcast" else [])
    assert [one["id"] for one in alice.call("GET", f"/v1/conversations/{lane}/members")["members"]] == [alice.id]


async def test_each_of_many_changes_in_one_query_counts(site: Site) -> None:
    (alice,) = site.people("alice")
    lane = alice.group("茶")
    items = f"<item jid='{alice.id}@{DOMAIN}' affiliation='owner'/>" * 50
    async with logged_in(site, alice.id, "a") as a:
        for number in range(5):
            await a.say(f"<iq type='set' id='n{number}' to='{lane}@{ROOMS}'><query xmlns='{ADMIN}'>{items}</query></iq>")
        for number in range(4):
            assert "type='result'" in await a.until(f"id='n{number}'")
        assert "<policy-violation " in await a.until("</iq>") + await a.until("</iq>")


async def test_who_is_kicked_from_a_channel_may_come_again_and_who_is_banned_may_not(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.group("频道", kind="channel")
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        mine, theirs = Room(a, lane), Room(b, lane)
        await mine.join()
        await theirs.join()
        assert await condition(theirs.give(alice.id, "outcast")) == "forbidden"
        assert await condition(theirs.list("outcast")) == "forbidden"
        assert await raw(mine, ADMIN, "item", nick=bob.id, role="none") == ""
        await theirs.until(bob.id, "unavailable", 110, 307)
        await theirs.join()
        await mine.give(bob.id, "outcast")
        await theirs.until(bob.id, "unavailable", 110, 301, affiliation="outcast", role="none")
        assert await theirs.join_refused() == "forbidden"
        assert await raw(mine, ADMIN, "item", nick=bob.id, role="none") == "item-not-found"  # a kick ends no ban
        assert await mine.list("outcast") == [bob.id]
        await mine.give(bob.id, "none")
        assert await mine.list("outcast") == []
        await theirs.join()


async def test_who_goes_without_having_been_there_is_told_of(site: Site) -> None:
    alice, bob, carol = site.people("alice", "bob", "carol")
    lane = alice.group("茶", bob.id, carol.id)
    async with client(site, carol.id, plugins=PLUGINS) as c:
        room = Room(c, lane)
        await room.join()
        alice.call("DELETE", f"/v1/conversations/{lane}/members/{bob.id}")
        told = await c.until(lambda: [one for one in room.messages if item_of(one).get("jid") == f"{bob.id}@{DOMAIN}"])
        assert (item_of(told[0]).get("affiliation"), item_of(told[0]).get("role")) == ("none", "none")
        assert "type" not in told[0].xml.attrib  # Gajim heeds it in no other messages
        assert not [one for one in room.presences if one["from"].resource == bob.id]


async def test_roles_and_new_members_are_shown(site: Site) -> None:
    alice, bob, carol = site.people("alice", "bob", "carol")
    lane = alice.group("茶", bob.id)
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        mine, theirs = Room(a, lane), Room(b, lane)
        await mine.join()
        await theirs.join()
        await mine.until(bob.id, affiliation="member")
        await mine.give(bob.id, "admin")
        await mine.until(bob.id, affiliation="admin", role="moderator")
        await theirs.until(bob.id, "", 110, affiliation="admin", role="moderator")
        await mine.give(carol.id, "member")
        told = await b.until(lambda: [one for one in theirs.messages if item_of(one).get("jid") == f"{carol.id}@{DOMAIN}"])
        assert dict(item_of(told[0]).attrib) == {"affiliation": "member", "role": "none", "jid": f"{carol.id}@{DOMAIN}"}
        await mine.give(bob.id, "owner")
        await mine.until(bob.id, affiliation="owner")
        await mine.until(alice.id, "", 110, affiliation="admin")
        assert (await theirs.list("owner"), await theirs.list("admin")) == ([bob.id], [alice.id])
        assert (await theirs.list("member"), await theirs.list("outcast")) == ([carol.id], [])


async def test_the_owner_who_leaves_hands_over(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.group("茶", bob.id)
    async with client(site, bob.id, plugins=PLUGINS) as b:
        room = Room(b, lane)
        await room.join()
        alice.call("DELETE", f"/v1/conversations/{lane}/members/{alice.id}")
        await room.until(bob.id, "", 110, affiliation="owner", role="moderator")


async def test_a_changed_name_is_a_changed_nickname(own: Site) -> None:
    alice, bob = own.people("alice", "bob")
    lane = alice.group("茶", bob.id)
    async with client(own, alice.id, plugins=PLUGINS) as a, client(own, bob.id, plugins=PLUGINS) as b:
        mine, theirs = Room(a, lane), Room(b, lane)
        await mine.join()
        await theirs.join()
        await mine.until(bob.id)
        done = own.server.command("user", "rename", bob.id, "--name", "Bob <&> Ø")
        assert done.returncode == 0, done.stderr
        nick = f"Bob <&> Ø ({bob.id})"
        for room, codes in ((mine, (303,)), (theirs, (303, 110))):
            old = await room.until(bob.id, "unavailable", *codes, role="participant")
            assert item_of(old).get("nick") == nick
            await room.until(nick)
        theirs.say("又来了")
        await mine.has((nick, "又来了"))
        theirs.client.make_presence(pto=f"{theirs.jid.bare}/Other").send()
        refused = await b.until(lambda: [one for one in theirs.presences if one["type"] == "error"])
        assert refused[0]["error"]["condition"] == "not-acceptable"


async def test_subject_title_and_who_may_write(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.group("茶", bob.id)
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        mine, theirs = Room(a, lane), Room(b, lane)
        await mine.join()
        await theirs.join()
        a.plugin["xep_0045"].set_subject(mine.jid, "第一行\n第二行 <&>")
        for room in (mine, theirs):
            await room.client.until(lambda room=room: room.subjects == ["", "第一行 第二行 <&>"])  # type: ignore[misc]
        assert theirs.messages[-1]["from"].resource == alice.id
        a.plugin["xep_0045"].set_subject(mine.jid, "")
        await b.until(lambda: theirs.subjects[-1] == "" and len(theirs.subjects) == 3)
        assert alice.call("GET", f"/v1/conversations/{lane}")["topic"] is None
        message = b.make_message(theirs.jid, msubject="mine", mtype="groupchat")
        message["id"] = "subject1"
        message.send()
        assert await theirs.refused("subject1") == "forbidden"
        alice.call("PATCH", f"/v1/conversations/{lane}", {"writers": "admins", "title": "新"})
        await b.until(lambda: 104 in [code for one in theirs.messages for code in status(one)])
        await theirs.until(bob.id, "", 110, role="visitor")
        await mine.until(bob.id, role="visitor")
        assert await theirs.refused(theirs.say("may I?")) == "forbidden"
        assert (await theirs.info())["features"] >= {"muc_moderated"}


async def test_a_message_to_an_occupant_is_one_between_the_two(site: Site) -> None:
    alice, bob, carol = site.people("alice", "bob", "carol")
    lane = alice.group("茶", bob.id)
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        room = Room(a, lane)
        await room.join()
        await Room(b, lane).join()
        a.send_message(f"{room.jid.bare}/{bob.id}", "只给你", mtype="chat")
        await b.until(
            lambda: [one for one in b.messages if one["from"].bare == f"{alice.id}@{DOMAIN}" and one["body"] == "只给你"]
        )
        message = a.make_message(f"{room.jid.bare}/{carol.id}", "not here", mtype="chat")
        message["id"] = "private1"
        message.send()
        assert await room.refused("private1") == "item-not-found"
    assert bob.texts(bob.direct(alice.id)) == ["只给你"]
    assert alice.texts(lane) == []


async def test_self_ping(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.group("茶", bob.id)
    async with client(site, alice.id, plugins=PLUGINS) as a:
        room = Room(a, lane)
        assert await condition(room.self_ping(alice.id)) == "not-acceptable"
        await room.join()
        assert await condition(room.self_ping(alice.id)) == ""
        assert await condition(room.self_ping(bob.id)) == "service-unavailable"
        a.send_presence(ptype="unavailable")
        assert await condition(room.self_ping(alice.id)) == "not-acceptable"


async def test_large_rooms_show_who_speaks(own: Site) -> None:
    names = [f"many{number}" for number in range(101)]
    own.server.add(*names)
    alice, bob = own.people("alice", "bob")
    lane = alice.group("大", bob.id, *names)
    async with client(own, alice.id, plugins=PLUGINS) as a, client(own, bob.id, plugins=PLUGINS) as b:
        mine, theirs = Room(a, lane), Room(b, lane)
        await mine.join()
        await theirs.join()
        await mine.synced()
        assert [one["from"].resource for one in mine.presences] == [alice.id]
        theirs.say("one")
        theirs.say("two")
        await mine.has((bob.id, "one"), (bob.id, "two"))
        assert [one["from"].resource for one in mine.presences] == [alice.id, bob.id]
        assert item_of(mine.presences[-1]).get("affiliation") == "member"


async def test_clients_know_their_own_by_its_origin(site: Site) -> None:
    """Of what they have sent, and what comes back (XEP-0359): profanity shows it twice without."""
    (alice,) = site.people("alice")
    lane = alice.group("茶")
    async with client(site, alice.id, plugins=PLUGINS) as a:
        room = Room(a, lane)
        await room.join()
        id = new_client_id()
        origin = f"<origin-id xmlns='urn:xmpp:sid:0' id='{id}'/>"
        a.send_raw(f"<message to='{lane}@{ROOMS}' type='groupchat' id='{id}'><body>一</body>{origin}</message>")
        back = await a.until(lambda: next((one for one in a.messages if one["body"] == "一"), None))
        assert [one.get("id") for one in back.xml.iter("{urn:xmpp:sid:0}origin-id")] == [id]
