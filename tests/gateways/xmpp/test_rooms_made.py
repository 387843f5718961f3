"""Rooms that XMPP clients make, find, change, invite to and end; and who may."""

import itertools
from typing import Any

import pytest
from slixmpp import JID

from tests.gateways.xmpp.client import client
from tests.gateways.xmpp.rooms import ADMIN, OWNER, PLUGINS, ROOMS, Room, condition, raw, status
from tests.gateways.xmpp.site import DOMAIN, Site
from tests.serving import Person

_numbers = itertools.count(1)


def name() -> str:
    return f"tea{next(_numbers)}"


def conversation(person: Person, title: str) -> dict[str, object]:
    found: dict[str, object] = next(one for one in person.snapshot()["conversations"] if one["title"] == title)
    return found


async def test_a_name_that_nobody_has_becomes_a_group(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    tea = name()
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        room, other = Room(a, tea), Room(b, tea)
        mine, *_ = await room.join(alice.id)
        assert status(mine) == [100, 110, 201]
        assert await room.form() == {"roomname": tea, "roomdesc": "", "moderatedroom": False, "membersonly": True}
        assert not any(one["title"] == tea for one in alice.snapshot()["conversations"])
        await room.config()
        made = conversation(alice, tea)
        assert (made["kind"], made["role"], made["history"]) == ("group", "owner", "joined")
        room.say("你好")
        await room.has((alice.id, "你好"))
        assert await other.join_refused() == "registration-required"
        assert await condition(other.info()) == "item-not-found"
        a.plugin["xep_0045"].invite(room.jid, f"{bob.id}@{DOMAIN}")
        await b.until(lambda: other.messages)
        assert other.messages[-1]["muc"]["invite"]["from"] == f"{alice.id}@{DOMAIN}"
        await other.join()
        other.say("来了")
        await room.has((alice.id, "你好"), (bob.id, "来了"))
    assert bob.texts(str(made["id"])) == ["来了"]


async def test_a_room_with_a_name_has_its_id_as_another_address(site: Site) -> None:
    (alice,) = site.people("alice")
    tea = name()
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, alice.id, "phone", plugins=PLUGINS) as phone:
        room = Room(a, tea)
        await room.join()
        await room.config()
        other = Room(phone, str(conversation(alice, tea)["id"]))
        await other.join()
        other.say("一样")
        for one in (room, other):
            await one.has((alice.id, "一样"))
            assert one.messages[-1]["stanza_id"]["by"] == one.jid


async def test_a_room_is_made_as_its_form_says(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        tea = name()
        room, other = Room(a, tea), Room(b, tea)
        await room.join()
        await room.config({"roomname": f"频道 {tea}", "roomdesc": "关于茶", "membersonly": "0", "moderatedroom": "1"})
        made = conversation(alice, f"频道 {tea}")
        assert (made["kind"], made["topic"], made["writers"]) == ("channel", "关于茶", "admins")
        await other.join()
        assert other.subjects == ["关于茶"]
        assert await other.refused(other.say("no")) == "forbidden"
        info = await other.info()
        assert {"muc_open", "muc_public", "muc_persistent", "muc_nonanonymous", "muc_moderated"} <= info["features"]
        assert info.xml.find("{http://jabber.org/protocol/disco#info}identity").get("name") == f"频道 {tea}"
        values = {one.get("var"): one.findtext("{jabber:x:data}value") for one in info.xml.iter("{jabber:x:data}field")}
        assert values["muc#roominfo_description"] == values["muc#roominfo_subject"] == "关于茶"
        assert values["muc#roominfo_occupants"] == "2"
        assert await condition(room.config({"membersonly": "1"})) == "not-acceptable"
        assert await condition(room.config({"moderatedroom": "perhaps"})) == "bad-request"
        await room.config({"roomname": "新", "moderatedroom": "0"})
        await b.until(lambda: 104 in [code for one in other.messages for code in status(one)])
        other.say("yes")
        await room.has((bob.id, "yes"))
        await other.client.until(lambda: conversation(bob, "新")["topic"] == "关于茶")


async def test_the_first_word_makes_the_room_and_leaving_before_makes_none(site: Site) -> None:
    (alice,) = site.people("alice")
    async with client(site, alice.id, plugins=PLUGINS) as a:
        left, cancelled, spoken = Room(a, name()), Room(a, name()), Room(a, name())
        for room in (left, cancelled, spoken):
            await room.join()
        a.plugin["xep_0045"].leave_muc(left.jid, alice.id)
        await left.until(alice.id, "unavailable", 110)
        await a.plugin["xep_0045"].cancel_config(cancelled.jid)
        await cancelled.until(alice.id, "unavailable", 110)
        spoken.say("我在")
        await spoken.has((alice.id, "我在"))
        assert await condition(left.info()) == await condition(cancelled.info()) == "item-not-found"
        assert [one["title"] for one in alice.snapshot()["conversations"] if one["kind"] == "group" and one["id"] != "lobby"] == [
            spoken.jid.local
        ]


async def test_two_who_want_the_same_name(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    tea = name()
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        first, second = Room(a, tea), Room(b, tea)
        await first.join()
        await second.join()
        await first.config()
        assert await condition(second.config()) == "not-allowed"
        assert await second.join_refused() == "registration-required"
    assert not any(one["title"] == tea for one in bob.snapshot()["conversations"])


async def test_who_was_slower_comes_into_the_room_of_the_other_and_speaks_there(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        tea = name()
        room, other = Room(a, tea), Room(b, tea)
        await room.join()
        await other.join()
        await room.config({"membersonly": "0"})
        assert await condition(other.config({"membersonly": "0"})) == "not-allowed"
        await other.join()
        other.say("我也在")
        await room.has((bob.id, "我也在"))


async def test_names_that_are_no_names(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    secret = alice.group("秘密")
    bob.call("DELETE", f"/v1/conversations/lobby/members/{bob.id}")
    async with client(site, bob.id, plugins=PLUGINS) as b:
        for local, expected in (
            (secret, "item-not-found"),
            ("a" * 24, "item-not-found"),
            ("n" * 65, "item-not-found"),
            ("lobby", "registration-required"),
            (bob.direct(alice.id), "item-not-found"),
        ):
            assert await Room(b, local).join_refused() == expected, local


async def test_the_list_of_rooms(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    group, channel = alice.group("组 <&>"), alice.group("道", kind="channel")
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        disco = a.plugin["xep_0030"]
        tea = Room(a, name())
        await tea.join()
        await tea.config()

        async def listed(who: object, **page: object) -> tuple[list[str], object]:
            iq = who.make_iq_get(ito=ROOMS)  # type: ignore[attr-defined]
            iq.enable("disco_items")
            iq["disco_items"].enable("rsm")
            for key, value in {"max": "100", **page}.items():
                iq["disco_items"]["rsm"][key] = value
            told = (await iq.send())["disco_items"]
            return [str(jid) for jid, _, _ in told["items"]], told["rsm"]

        async def all_of(who: object) -> list[str]:
            found: list[str] = []
            after = ""
            while True:
                some, rsm = await listed(who, max="1", after=after)
                if not some:
                    return found
                assert rsm["first_index"] == str(len(found))  # type: ignore[index]
                found += some
                after = rsm["last"]  # type: ignore[index]

        mine, theirs = await all_of(a), await all_of(b)
        assert {f"{group}@{ROOMS}", f"{channel}@{ROOMS}", str(tea.jid), f"lobby@{ROOMS}"} <= set(mine)
        assert f"{channel}@{ROOMS}" in theirs
        assert f"{group}@{ROOMS}" not in theirs
        assert str(tea.jid) not in theirs
        assert set((await listed(a))[0]) == set(mine)  # slixmpp keeps no order
        assert (await listed(a, max="1", before=True))[0] == mine[-1:]
        assert (await listed(a, max="0"))[1]["count"] == str(len(mine))  # type: ignore[index]
        info = await disco.get_info(jid=ROOMS, cached=False)
        assert "http://jabber.org/protocol/muc" in info["disco_info"]["features"]
        nick = await Room(a, group).info("x-roomuser-item")
        assert nick.xml.find("{http://jabber.org/protocol/disco#info}identity").get("name") == alice.id


async def test_a_direct_invitation_brings_in_too(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.group("茶")
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        told: list[object] = []
        for event in ("groupchat_invite", "groupchat_direct_invite"):
            b.add_event_handler(event, told.append)
        a.plugin["xep_0249"].send_invitation(f"{bob.id}@{DOMAIN}", f"{lane}@{ROOMS}")
        await b.until(lambda: len(told) == 1)
        await Room(b, lane).join()
        a.plugin["xep_0249"].send_invitation(f"{bob.id}@{DOMAIN}", f"{lane}@{ROOMS}")
        await b.until(lambda: len(told) == 2)
        a.plugin["xep_0249"].send_invitation(f"{bob.id}@{DOMAIN}", "elsewhere@conference.example.org")
        await b.until(lambda: len(told) == 3)
        theirs = bob.group("x")
        invited: list[Any] = []
        a.add_event_handler("groupchat_invite", invited.append)
        b.plugin["xep_0249"].send_invitation(f"{alice.id}@{DOMAIN}", f"{theirs}@{ROOMS}")
        await a.until(lambda: invited)
        assert [str(one["from"]) for one in invited] == [f"{theirs}@{ROOMS}"]
        assert alice.id in [one["id"] for one in bob.call("GET", f"/v1/conversations/{theirs}/members")["members"]]


async def test_a_room_that_is_destroyed_is_archived(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.group("茶", bob.id)
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        room, other = Room(a, lane), Room(b, lane)
        await room.join()
        await other.join()
        await a.plugin["xep_0045"].destroy(room.jid)
        gone = await room.until(alice.id, "unavailable", 110)
        assert gone.xml.find(".//{http://jabber.org/protocol/muc#user}destroy") is not None
        await other.until(bob.id, "", 110, role="visitor")
        assert await other.refused(other.say("still?")) == "not-allowed"
    assert alice.call("GET", f"/v1/conversations/{lane}")["writers"] == "nobody"


_ACTS = (
    "join",
    "info",
    "form",
    "rename",
    "destroy",
    "list",
    "add",
    "remove",
    "promote",
    "subject",
    "say",
    "invite",
    "kick",
    "ban",
)
_MAY = {
    "stranger": dict.fromkeys(_ACTS, "item-not-found") | {"say": "not-acceptable", "subject": "not-acceptable"},
    "member": {"form": "forbidden", "rename": "forbidden", "destroy": "forbidden", "remove": "forbidden", "promote": "forbidden",
               "subject": "forbidden", "kick": "forbidden", "ban": "forbidden"},
    "admin": {"promote": "forbidden"},
    "owner": {},
}  # fmt: skip
_MAY["former"] = _MAY["stranger"]


@pytest.mark.parametrize("who", ["stranger", "former", "member", "admin", "owner"])
async def test_rights(site: Site, who: str) -> None:
    """Each act on a room of its own, as a person of REST would be told."""
    founder, actor, other, fresh = site.people("founder", who, "other", "fresh")
    async with client(site, actor.id, plugins=PLUGINS) as a:
        muc = a.plugin["xep_0045"]
        for act in _ACTS:
            lane = founder.group("茶", other.id, *([] if who == "stranger" else [actor.id]))
            if who == "former":
                founder.call("DELETE", f"/v1/conversations/{lane}/members/{actor.id}")
            if who in ("admin", "owner"):
                founder.call("PATCH", f"/v1/conversations/{lane}/members/{actor.id}", {"role": who})
            room = Room(a, lane)
            if who in ("member", "admin", "owner"):
                await room.join()
            match act:
                case "join":
                    got = await room.join_refused() if who in ("stranger", "former") else ""
                case "info":
                    got = await condition(room.info())
                case "form":
                    got = await condition(room.form())
                case "rename":
                    got = await condition(room.config({"roomname": "新"}))
                case "destroy":
                    got = await condition(muc.destroy(room.jid))
                case "list":
                    got = await condition(room.list("member"))
                case "add":
                    got = await condition(room.give(fresh.id, "member"))
                case "remove":
                    got = await condition(room.give(other.id, "none"))
                case "promote":
                    got = await condition(room.give(other.id, "admin"))
                case "kick":
                    got = await raw(room, ADMIN, "item", nick=other.id, role="none")
                case "ban":
                    got = await condition(room.give(other.id, "outcast"))
                case "say":
                    said = room.say("hi")
                    await room.synced()
                    await a.until(lambda said=said, room=room: [one for one in room.messages if one["id"] == said])  # type: ignore[misc]
                    got = errors[0] if (errors := _errors(room, said)) else ""
                case _:
                    message = a.make_message(room.jid, mtype="groupchat" if act == "subject" else "normal")
                    message["id"] = f"act-{act}"
                    if act == "subject":
                        message["subject"] = "新"
                    else:
                        message["muc"]["invite"]["to"] = f"{fresh.id}@{DOMAIN}"
                    message.send()
                    await room.synced()
                    got = errors[0] if (errors := _errors(room, f"act-{act}")) else ""
            assert got == _MAY[who].get(act, ""), act


def _errors(room: Room, id: str) -> list[str]:
    return [str(one["error"]["condition"]) for one in room.messages if one["type"] == "error" and one["id"] == id]


async def test_requests_that_are_no_requests(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.group("茶", bob.id)
    async with client(site, alice.id, plugins=PLUGINS) as a:
        room = Room(a, lane)
        assert await raw(room, ADMIN, "item", affiliation="member", jid=f"{bob.id}@elsewhere.example") == "item-not-found"
        assert await raw(room, ADMIN, "item", affiliation="member", jid="@@") == "jid-malformed"
        assert await raw(room, ADMIN, "item", affiliation="member", jid=f"nobody@{DOMAIN}") == "item-not-found"
        assert await raw(room, ADMIN, "item", affiliation="king", jid=f"{bob.id}@{DOMAIN}") == "bad-request"
        assert await raw(room, ADMIN, "item", affiliation="member") == "bad-request"
        for role in ("visitor", "participant", "moderator"):
            assert await raw(room, ADMIN, "item", nick=bob.id, role=role) == "not-allowed"
        for expelled in ({"role": "none"}, {"affiliation": "outcast"}):  # to leave is to give oneself affiliation none
            assert await raw(room, ADMIN, "item", nick=alice.id, **expelled) == "conflict"
        assert await raw(room, ADMIN, "thing") == "bad-request"
        assert await raw(room, ADMIN, "item", "get", role="moderator") == "feature-not-implemented"
        assert await raw(room, ADMIN, "item", affiliation="owner", jid=f"{site.people('carol')[0].id}@{DOMAIN}") == "bad-request"
        assert await raw(room, OWNER, "thing") == "bad-request"
        assert await raw(Room(a, f"{lane}x"), OWNER, "destroy") == "item-not-found"
        service = Room(a, "none")
        service.jid = JID(ROOMS)
        for heard, to, type, expected in (
            (room, f"{room.jid.bare}/{bob.id}", "groupchat", "not-acceptable"),
            (room, room.jid.bare, "normal", "bad-request"),
            (service, ROOMS, "groupchat", "service-unavailable"),
        ):
            message = a.make_message(to, "hi", mtype=type)
            message["id"] = a.new_id()
            message.send()
            assert await heard.refused(message["id"]) == expected
        for to, type, expected in ((room.jid.bare, "subscribe", "not-allowed"), (room.jid.bare, "", "jid-malformed")):
            a.make_presence(pto=to, ptype=type or None).send()
            await a.until(lambda expected=expected: room.presences and room.presences[-1]["error"]["condition"] == expected)  # type: ignore[misc]
