"""People of our server, and of Prosody's and ejabberd's."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from slixmpp import JID

from tests.gateways.xmpp.client import Client, client, neighbour
from tests.gateways.xmpp.neighbours import Kind, Neighbours, neighbours
from tests.gateways.xmpp.rooms import Room
from tests.gateways.xmpp.site import DOMAIN, SECONDS
from tests.serving import Person, Refused

MUC_USER = "http://jabber.org/protocol/muc#user"


@pytest.fixture(scope="module", params=get_args(Kind))
def near(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    """Where both have certificates that are believed, nothing but these is."""
    dialback = "true" if request.param.endswith("-dialback") else "false"
    with neighbours(tmp_path_factory.mktemp("near"), request.param, XMPP_S2S_DIALBACK=dialback) as both:
        yield both


async def test_two_people_of_two_servers_write_to_each_other(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    async with client(near.site, alice.id) as a, neighbour(near, "romeo") as romeo:
        a.send_message(f"romeo@{near.other.domain}", "你好", mtype="chat")
        await romeo.has("你好")
        assert romeo.messages[0]["from"].bare == f"{alice.id}@{DOMAIN}"
        romeo.send_message(f"{alice.id}@{DOMAIN}", "Wherefore?", mtype="chat")
        await a.has("Wherefore?")
    assert alice.texts(alice.direct(f"romeo@{near.other.domain}")) == ["你好", "Wherefore?"]
    accounts = near.site.server.command("user", "list").stdout
    assert alice.id in accounts
    assert "romeo@" not in accounts


async def test_somebody_without_xmpp_writes_first_by_address(near: Neighbours) -> None:
    alice, bob = near.site.people("alice", "bob")
    async with neighbour(near, "romeo") as romeo:
        lane = await asyncio.to_thread(alice.direct, f"Romeo@{near.other.domain.upper()}")
        alice.send(lane, "你好，罗密欧")
        await romeo.has("你好，罗密欧")
        assert romeo.messages[0]["from"].bare == f"{alice.id}@{DOMAIN}"
    assert alice.direct(f"romeo@{near.other.domain}") == lane
    assert alice.direct(f"{bob.id}@{DOMAIN}") == alice.direct(bob.id)  # of this server after all
    for address, code in (
        ("a@b@c", "invalid"),
        (f"@{near.other.domain}", "invalid"),
        (f"nobody@{DOMAIN}", "not-found"),
        (f"room@rooms.{DOMAIN}", "forbidden"),
        (f"{alice.id}@{DOMAIN}", "invalid"),
    ):
        with pytest.raises(Refused) as refused:
            alice.direct(address)
        assert refused.value.code == code, address


async def test_a_client_of_ours_takes_part_in_a_room_there(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    room = f"verona{alice.id}@rooms.{near.other.domain}"
    async with neighbour(near, "romeo", plugins=("xep_0045",)) as romeo, client(near.site, alice.id, plugins=("xep_0045",)) as a:
        await romeo.plugin["xep_0045"].join_muc_wait(room, "romeo", timeout=30)
        await a.plugin["xep_0045"].join_muc_wait(room, "alice", timeout=30)
        a.send_message(room, "大家好", mtype="groupchat")
        await romeo.until(lambda: "大家好" in romeo.texts)
        romeo.send_message(room, "Welcome", mtype="groupchat")
        await a.until(lambda: "Welcome" in a.texts)
        assert a.texts[-2:] == ["大家好", "Welcome"]
    assert room not in [member["id"] for member in alice.call("GET", "/v1/users")["users"]]


async def test_what_cannot_be_delivered_comes_back(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    async with client(near.site, alice.id) as a:
        a.send_message(f"nobody@{near.other.domain}", "在吗", mtype="chat")
        error = await a.error()
        assert error["from"].bare == f"nobody@{near.other.domain}"
        await undelivered(alice, f"nobody@{near.other.domain}", error["error"]["condition"])


async def undelivered(alice: Person, whom: str, reason: str) -> None:
    """Everybody who reads the conversation is told so, on whatever door, once."""
    lane = alice.direct(whom)
    async with asyncio.timeout(SECONDS):
        while not (events := [one for one in await asyncio.to_thread(alice.history, lane) if one["type"] == "undelivered"]):
            await asyncio.sleep(0.1)
    message = next(one for one in alice.history(lane) if one["type"] == "message")
    told = {"seq": message["seq"], "user": whom, "reason": reason}
    assert [one["content"] | {"text": ""} for one in events] == [told | {"text": ""}]


async def test_a_message_to_a_server_that_is_not_there_comes_back(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    async with client(near.site, alice.id) as a:
        a.send_message("romeo@nowhere.example", "在吗", mtype="chat")
        error = await a.error()
        assert error["from"].bare == "romeo@nowhere.example"
        await undelivered(alice, "romeo@nowhere.example", error["error"]["condition"])
    assert alice.texts(alice.direct("romeo@nowhere.example")) == ["在吗"]


async def test_a_server_that_is_not_there_is_told(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    async with client(near.site, alice.id) as a:
        a.send_raw("<iq type='get' id='far' to='nowhere.example'><ping xmlns='urn:xmpp:ping'/></iq>")
        told = await a.until(lambda: a.answers.get("far"))
        assert told["error"]["condition"] in ("remote-server-not-found", "remote-server-timeout")


async def test_a_query_goes_there_and_its_answer_comes_back(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    async with client(near.site, alice.id, plugins=("xep_0030",)) as a:
        info = await a.plugin["xep_0030"].get_info(jid=f"rooms.{near.other.domain}", timeout=30)
        assert "http://jabber.org/protocol/muc" in info["disco_info"]["features"]


async def test_without_certificates_and_without_dialback_nobody_is_believed(tmp_path: Path) -> None:
    with neighbours(tmp_path, "prosody-dialback", XMPP_S2S_DIALBACK="false") as near:
        (alice,) = near.site.people("alice")
        async with client(near.site, alice.id) as a, neighbour(near, "romeo") as romeo:
            a.send_message(f"romeo@{near.other.domain}", "在吗", mtype="chat")
            assert (await a.error())["error"]["condition"] == "remote-server-not-found"
            romeo.send_message(f"{alice.id}@{DOMAIN}", "Wherefore?", mtype="chat")
            await romeo.error()
            assert romeo.texts == a.texts == []


@pytest.mark.parametrize(
    ("type", "to", "query", "answered"),
    [
        ("get", "", "<ping xmlns='urn:xmpp:ping'/>", ""),
        ("get", "", "<services xmlns='urn:xmpp:extdisco:2'/>", "service-unavailable"),
        ("set", "", "<query xmlns='jabber:iq:register'/>", "service-unavailable"),
        ("get", "alice@", "<vCard xmlns='vcard-temp'/>", "service-unavailable"),
        ("get", "alice@", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='a'/></pubsub>", "item-not-found"),
        ("set", "alice@", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='a'/></pubsub>", "service-unavailable"),
    ],
)
async def test_what_is_for_accounts_is_for_accounts(near: Neighbours, type: str, to: str, query: str, answered: str) -> None:
    (alice,) = near.site.people("alice")
    to = to.replace("alice", alice.id) + DOMAIN
    async with client(near.site, alice.id), neighbour(near, "romeo") as romeo:
        romeo.send_raw(f"<iq type='{type}' id='q' to='{to}'>{query}</iq>")
        told = await romeo.until(lambda: romeo.answers.get("q"))
        assert (told["error"]["condition"] if told["type"] == "error" else "") == answered


async def test_somebody_of_theirs_is_brought_into_a_group(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    theirs = f"romeo@{near.other.domain}"
    async with client(near.site, alice.id) as a, neighbour(near, "romeo", plugins=("xep_0045",)) as romeo:
        a.send_message(theirs, "好吗", mtype="chat")  # now they are known here
        await romeo.has("好吗")
        lane = alice.group("茶", theirs)
        room = f"{lane}@rooms.{DOMAIN}"
        invited = await romeo.until(lambda: next((one for one in romeo.every if one["from"].bare == room), None))
        assert invited.xml.find(f".//{{{MUC_USER}}}invite").get("from") == f"{alice.id}@{DOMAIN}"
        await romeo.plugin["xep_0045"].join_muc_wait(room, "romeo", timeout=30)
        alice.send(lane, "欢迎")
        await romeo.until(lambda: "欢迎" in romeo.texts)


async def test_what_is_done_to_a_message_comes_from_there(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    ours, theirs = f"{alice.id}@{DOMAIN}", f"romeo@{near.other.domain}"
    async with client(near.site, alice.id) as a, neighbour(near, "romeo") as romeo:
        a.send_message(theirs, "好吗", mtype="chat")
        await romeo.has("好吗")
        id, lane = romeo.messages[0]["id"], alice.direct(theirs)
        romeo.send_raw(f"<message to='{ours}' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>")
        await a.until(lambda: [one for one in a.every if "composing" in str(one)])
        romeo.send_raw(f"<message to='{ours}'><received xmlns='urn:xmpp:receipts' id='{id}'/></message>")
        await a.until(lambda: [one for one in a.every if "urn:xmpp:receipts" in str(one) and "received" in str(one)])
        reaction = f"<reactions xmlns='urn:xmpp:reactions:0' id='{id}'><reaction>👍</reaction></reactions>"
        romeo.send_raw(f"<message to='{ours}' type='chat' id='reaction-{id}'>{reaction}</message>")
        await a.until(lambda: [one for one in a.every if "👍" in str(one)])
        reacted = [one for one in alice.history(lane) if one["type"] == "react"]
        assert [(one["sender"], one["content"]["emoji"]) for one in reacted] == [(theirs, "👍")]
        romeo.send_raw(f"<message to='{ours}' type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='{id}'/></message>")
        seq = next(one["seq"] for one in alice.history(lane) if one["type"] == "message")
        async with asyncio.timeout(SECONDS):
            path = f"/v1/conversations/{lane}/messages/{seq}/readers?have=true"
            while theirs not in [one["id"] for one in (await asyncio.to_thread(alice.call, "GET", path))["users"]]:
                await asyncio.sleep(0.1)


async def test_nodes_are_read_there_by_whom_their_access_allows(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    ours, theirs = f"{alice.id}@{DOMAIN}", f"romeo@{near.other.domain}"
    pubsub = "http://jabber.org/protocol/pubsub"

    def publish(node: str, access: str) -> str:
        form = (
            f"<field var='FORM_TYPE'><value>{pubsub}#publish-options</value></field>"
            f"<field var='pubsub#access_model'><value>{access}</value></field>"
        )
        options = f"<publish-options><x xmlns='jabber:x:data' type='submit'>{form}</x></publish-options>"
        item = f"<publish node='{node}'><item id='current'><a xmlns='urn:example:{node}'/></item></publish>"
        return f"<iq type='set' id='{node}'><pubsub xmlns='{pubsub}'>{item}{options}</pubsub></iq>"

    async with client(near.site, alice.id) as a, neighbour(near, "romeo") as romeo:
        for one in (a, romeo):
            one.auto_authorize = None  # type: ignore[assignment]
            await one.get_roster()
        for node, access in (("keys", "open"), ("mood", "presence")):
            a.send_raw(publish(node, access))
            assert (await a.until(lambda node=node: a.answers.get(node)))["type"] == "result"

        async def asked(id: str, node: str) -> str:
            romeo.send_raw(f"<iq type='get' id='{id}' to='{ours}'><pubsub xmlns='{pubsub}'><items node='{node}'/></pubsub></iq>")
            answer = await romeo.until(lambda: romeo.answers.get(id))
            return str(answer["error"]["condition"] if answer["type"] == "error" else answer)

        romeo.send_message(ours, "hello", mtype="chat")  # a conversation lets nobody elsewhere see anything
        await a.has("hello")
        assert "urn:example:keys" in await asked("1", "keys")
        assert await asked("2", "mood") == "item-not-found"
        assert not [one for one in romeo.presences if one["from"].bare == ours]
        romeo.send_presence_subscription(ours, ptype="subscribe")
        await a.until(lambda: came(a, theirs, "subscribe"))
        a.send_presence_subscription(theirs, ptype="subscribed")
        await romeo.until(lambda: came(romeo, ours, "subscribed"))
        assert "urn:example:mood" in await asked("3", "mood")
        await romeo.until(lambda: came(romeo, ours, "available"))

        block = f"<block xmlns='urn:xmpp:blocking'><item jid='{near.other.domain}'/></block>"
        a.send_raw(f"<iq type='set' id='block'>{block}</iq>")
        await romeo.until(lambda: came(romeo, ours, "unavailable"))
        a.send_presence(pshow="dnd", pstatus="secret")
        assert await asked("4", "mood") == await asked("5", "keys") == "item-not-found"
        assert not came(romeo, ours, "dnd")


async def test_an_administrator_sees_and_ends_streams(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    near.site.server.add(f"root{alice.id}", admin=True)
    root = near.site.server.login(f"root{alice.id}")
    async with client(near.site, alice.id) as a, neighbour(near, "romeo") as romeo:
        a.send_message(f"romeo@{near.other.domain}", "在吗", mtype="chat")
        await romeo.until(lambda: "在吗" in romeo.texts)
        romeo.send_message(f"{alice.id}@{DOMAIN}", "Ay", mtype="chat")
        await a.has("Ay")
        streams = root.call("GET", "/v1/xmpp/streams")["streams"]
        ours = next(one for one in streams if one["address"] == f"{alice.id}@{DOMAIN}/desk")
        assert {(one["kind"], one["address"]) for one in streams} >= {
            ("server-out", near.other.domain),
            ("server-in", near.other.domain),
        }
        assert {one["how"] for one in streams if one["kind"] != "client" and one["address"] == near.other.domain} == {near.how}
        ended = asyncio.Event()
        a.add_event_handler("disconnected", lambda _: ended.set())
        root.call("DELETE", f"/v1/xmpp/streams/{ours['id']}")
        async with asyncio.timeout(30):
            await ended.wait()
    with pytest.raises(Refused, match="403"):
        alice.call("GET", "/v1/xmpp/streams")
    with pytest.raises(Refused, match="404"):
        root.call("DELETE", "/v1/xmpp/streams/none")


async def test_somebody_of_theirs_takes_part_in_a_channel_of_ours(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    lane = alice.call("POST", "/v1/conversations", {"kind": "channel", "title": "广场", "members": []})["id"]
    room = f"{lane}@rooms.{DOMAIN}"
    async with client(near.site, alice.id, plugins=("xep_0045",)) as a, neighbour(near, "romeo", plugins=("xep_0045",)) as romeo:
        await a.plugin["xep_0045"].join_muc_wait(room, "alice", timeout=30)
        seen = Room(romeo, lane)
        await seen.join()
        a.send_message(room, "欢迎", mtype="groupchat")
        await romeo.until(lambda: "欢迎" in romeo.texts)
        romeo.send_message(room, "Thanks", mtype="groupchat")
        await a.until(lambda: "Thanks" in a.texts)
        await romeo.until(lambda: "Thanks" in romeo.texts)
        theirs = f"romeo@{near.other.domain}"
        assert theirs in _members(alice, lane)
        assert alice.texts(lane)[-2:] == ["欢迎", "Thanks"]
        await a.plugin["xep_0045"].set_affiliation(JID(room), "none", jid=JID(theirs))
        await seen.until(theirs, "unavailable", 110, 321, affiliation="none")
    assert _members(alice, lane) == [alice.id]


def _members(person: Person, lane: str) -> list[str]:
    return [one["id"] for one in person.call("GET", f"/v1/conversations/{lane}/members")["members"]]


async def test_people_of_two_servers_see_each_other_when_both_agree(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    ours, theirs = f"{alice.id}@{DOMAIN}", f"romeo@{near.other.domain}"
    async with client(near.site, alice.id) as a, neighbour(near, "romeo") as romeo:
        for one in (a, romeo):
            one.auto_authorize = None  # type: ignore[assignment]
            await one.get_roster()
        romeo.send_presence_subscription(ours, ptype="subscribe")
        await a.until(lambda: came(a, theirs, "subscribe"))
        assert not came(romeo, ours, "available")
        a.send_presence_subscription(theirs, ptype="subscribed")
        await romeo.until(lambda: came(romeo, ours, "subscribed"))
        await romeo.until(lambda: came(romeo, ours, "available"))
        await a.until(lambda: state(a, theirs) == "from")
        a.send_presence(pshow="dnd", pstatus="开会")
        busy = await romeo.until(lambda: came(romeo, ours, "dnd"))
        assert (busy[-1]["from"].resource, busy[-1]["status"]) == ("desk", "开会")
        assert not came(a, theirs, "available")  # nobody has let alice see romeo

        a.send_presence_subscription(theirs, ptype="subscribe")
        await romeo.until(lambda: came(romeo, ours, "subscribe"))
        romeo.send_presence_subscription(ours, ptype="subscribed")
        await a.until(lambda: state(a, theirs) == "both")
        await a.until(lambda: came(a, theirs, "available"))
        async with client(near.site, alice.id, resource="phone") as phone:  # who comes later asks, and is told
            await phone.until(lambda: came(phone, theirs, "available"))
            await romeo.until(lambda: [one for one in came(romeo, ours, "available") if one["from"].resource == "phone"])
        await romeo.until(lambda: [one for one in came(romeo, ours, "unavailable") if one["from"].resource == "phone"])

        a.send_presence_subscription(theirs, ptype="unsubscribed")
        await romeo.until(lambda: came(romeo, ours, "unsubscribed"))
        await a.until(lambda: state(a, theirs) == "to")
        a.client_roster.remove(theirs)
        await a.until(lambda: not a.client_roster.has_jid(theirs) or state(a, theirs) in ("remove", "none"))


async def test_nobody_there_is_told_of_who_did_not_agree(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    ours = f"{alice.id}@{DOMAIN}"
    async with client(near.site, alice.id) as a, neighbour(near, "mercutio") as mercutio:
        mercutio.auto_authorize = a.auto_authorize = None  # type: ignore[assignment]
        await mercutio.get_roster()
        mercutio.send_presence_subscription(ours, ptype="subscribe")
        await a.until(lambda: came(a, f"mercutio@{near.other.domain}", "subscribe"))
        a.send_presence(pshow="away")
        mercutio.send_presence_subscription(f"nobody@{DOMAIN}", ptype="subscribe")
        await mercutio.until(lambda: came(mercutio, f"nobody@{DOMAIN}", "unsubscribed"))
        assert not [one for one in mercutio.presences if one["from"].bare == ours and one["type"] in ("available", "away")]
    async with client(near.site, alice.id) as again:  # who has no answer yet asks whoever comes
        await again.until(lambda: came(again, f"mercutio@{near.other.domain}", "subscribe"))


def came(one: Client, who: str, type: str) -> list[Any]:
    return [presence for presence in one.presences if presence["from"].bare == who and presence["type"] == type]


def state(one: Client, who: str) -> str:
    return str(one.client_roster[who]["subscription"]) if one.client_roster.has_jid(who) else ""
