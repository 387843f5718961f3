"""What people publish about themselves, and what the platform says of them: nodes, pictures, vCards, bookmarks."""

import io
from hashlib import sha1
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image
from slixmpp.exceptions import IqError
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from tests.gateways.xmpp.client import Client, client
from tests.gateways.xmpp.site import DOMAIN, SECONDS, Site
from tests.serving import Person

PUBSUB = "http://jabber.org/protocol/pubsub"
OMEMO = "eu.siacs.conversations.axolotl.devicelist"
BOOKMARKS = "urn:xmpp:bookmarks:1"


def _jid(person: Person) -> str:
    return f"{person.id}@{DOMAIN}"


async def ask(one: Client, type: str, inside: str, to: str | None = None) -> Any:
    """The XML of the result. Raises IqError."""
    iq = one.make_iq(itype=type, ito=to)
    iq.append(ElementTree.fromstring(inside))  # noqa: S314  the test's own
    return (await iq.send(timeout=SECONDS)).xml


async def refused(one: Client, type: str, inside: str, to: str | None = None) -> str:
    with pytest.raises(IqError) as caught:
        await ask(one, type, inside, to)
    return str(caught.value.condition)


def publish(node: str, payload: str, id: str = "current", options: str = "") -> str:
    return f"<pubsub xmlns='{PUBSUB}'><publish node='{node}'><item id='{id}'>{payload}</item></publish>{options}</pubsub>"


def items(node: str, *ids: str) -> str:
    named = "".join(f"<item id='{id}'/>" for id in ids)
    return f"<pubsub xmlns='{PUBSUB}'><items node='{node}'>{named}</items></pubsub>"


def options(access: str) -> str:
    type = "<field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>"
    field = f"<field var='pubsub#access_model'><value>{access}</value></field>"
    return f"<publish-options><x xmlns='jabber:x:data' type='submit'>{type}{field}</x></publish-options>"


async def wanting(one: Client, node: str) -> list[Any]:
    """Let it want news of a node, by its capabilities; what comes of it."""
    news: list[Any] = []

    def keep(message: Any) -> None:
        event = message.xml.find(f"{{{PUBSUB}#event}}event/{{{PUBSUB}#event}}items")
        if event is not None and event.get("node") == node:
            news.append(message)

    one.register_handler(Callback(f"news of {node}", MatchXPath(f"{{jabber:client}}message/{{{PUBSUB}#event}}event"), keep))
    one.plugin["xep_0030"].add_feature(f"{node}+notify")
    await one.plugin["xep_0115"].update_caps()
    return news


def payload_of(message: Any) -> Any:
    return message.xml.find(f".//{{{PUBSUB}#event}}item")[0]


CAPS = ("xep_0115",)
DEVICES = "<list xmlns='eu.siacs.conversations.axolotl'><device id='1'/></list>"


async def test_contacts_read_what_is_published_and_are_told(site: Site) -> None:
    alice, bob, carol = site.people("alice", "bob", "carol")
    alice.direct(bob.id)
    async with client(site, alice.id) as a, client(site, bob.id, plugins=CAPS, present=False) as b, client(site, carol.id) as c:
        await ask(a, "set", publish(OMEMO, DEVICES))
        news = await wanting(b, OMEMO)
        first = (await b.until(lambda: news))[0]
        assert first["from"].bare == _jid(alice)
        assert payload_of(first)[0].get("id") == "1"
        await ask(a, "set", publish(OMEMO, DEVICES.replace("'1'", "'2'")))
        await b.until(lambda: len(news) == 2)
        assert payload_of(news[1])[0].get("id") == "2"
        found = await ask(b, "get", items(OMEMO), _jid(alice))
        assert len(found.findall(f".//{{{PUBSUB}}}item")) == 1
        await ask(a, "set", publish("urn:other", DEVICES))
        assert await refused(c, "get", items("urn:other"), _jid(alice)) == "item-not-found"


async def test_access_of_a_node(site: Site) -> None:
    alice, bob, carol = site.people("alice", "bob", "carol")
    alice.direct(bob.id)
    async with client(site, alice.id) as a, client(site, bob.id) as b, client(site, carol.id) as c:
        await ask(a, "set", publish("urn:open", "<x xmlns='urn:x'/>", options=options("open")))
        await ask(a, "set", publish("urn:mine", "<x xmlns='urn:x'/>", options=options("whitelist")))
        assert (await ask(c, "get", items("urn:open"), _jid(alice))).find(".//{urn:x}x") is not None
        assert await refused(b, "get", items("urn:mine"), _jid(alice)) == "item-not-found"
        assert (await ask(a, "get", items("urn:mine"))).find(".//{urn:x}x") is not None
        assert await refused(a, "set", publish("urn:mine", "<x xmlns='urn:x'/>", options=options("open"))) == "conflict"
        form = options("open").replace("publish-options>", "configure>").replace("<configure>", "<configure node='urn:mine'>")
        await ask(a, "set", f"<pubsub xmlns='{PUBSUB}#owner'>{form}</pubsub>")
        assert (await ask(b, "get", items("urn:mine"), _jid(alice))).find(".//{urn:x}x") is not None
        await ask(a, "set", f"<pubsub xmlns='{PUBSUB}#owner'><delete node='urn:mine'/></pubsub>")
        assert await refused(a, "get", items("urn:mine")) == "item-not-found"


async def test_keys_are_everybodys_unless_their_owner_says_otherwise(site: Site) -> None:
    """In a room people encrypt for each other who have no conversation of two."""
    alice, carol = site.people("alice", "carol")
    async with client(site, alice.id) as a, client(site, carol.id) as c:
        for node in (OMEMO, "urn:xmpp:omemo:2:devices"):
            await ask(a, "set", publish(node, DEVICES))
            assert (await ask(c, "get", items(node), _jid(alice))).find(f".//{{{PUBSUB}}}item") is not None
        await ask(a, "set", publish("urn:xmpp:omemo:2:bundles", DEVICES, options=options("presence")))
        assert await refused(c, "get", items("urn:xmpp:omemo:2:bundles"), _jid(alice)) == "item-not-found"


async def test_profanity_is_told_what_it_begins_its_keys_by(site: Site) -> None:
    """It looks at the number of the error, and for publish-options at the server alone."""
    (alice,) = site.people("alice")
    async with client(site, alice.id) as a:
        with pytest.raises(IqError) as caught:
            await ask(a, "get", items(OMEMO), _jid(alice))
        assert caught.value.iq.xml.find("{jabber:client}error").get("code") == "404"
        info = await a.plugin["xep_0030"].get_info(jid=DOMAIN, timeout=SECONDS)
        assert f"{PUBSUB}#publish-options" in info["disco_info"]["features"]


@pytest.mark.parametrize(
    ("inside", "condition"),
    [
        (publish("", "<x xmlns='urn:x'/>"), "bad-request"),
        (publish(" private", "<x xmlns='urn:x'/>"), "item-not-found"),
        (publish("urn:x", ""), "bad-request"),
        (publish("urn:x", "<x xmlns='urn:x'>" + "x" * 70_000 + "</x>"), "not-acceptable"),
        (publish("urn:x", "<x xmlns='urn:x'/>", "i" * 300), "not-acceptable"),
        (publish("urn:x", "<x xmlns='urn:x'/>", options=options("everybody")), "not-acceptable"),
        (publish("http://jabber.org/protocol/nick", "<nick xmlns='http://jabber.org/protocol/nick'>X</nick>"), "not-allowed"),
        (f"<pubsub xmlns='{PUBSUB}'><subscribe node='urn:x' jid='a@b'/></pubsub>", "feature-not-implemented"),
        (f"<pubsub xmlns='{PUBSUB}'><retract node='urn:none'><item id='x'/></retract></pubsub>", "item-not-found"),
    ],
)
async def test_what_cannot_be_published(site: Site, inside: str, condition: str) -> None:
    (alice,) = site.people("alice")
    async with client(site, alice.id) as a:
        assert await refused(a, "set", inside) == condition


def _png(colour: str) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (96, 96), colour).save(made, "PNG")
    return made.getvalue()


async def test_a_picture_that_is_published_is_the_platforms_and_the_other_way_round(site: Site) -> None:
    from base64 import b64decode, b64encode

    alice, bob = site.people("alice", "bob")
    alice.direct(bob.id)
    metadata = "urn:xmpp:avatar:metadata"
    async with client(site, alice.id) as a, client(site, bob.id, plugins=CAPS, present=False) as b:
        news = await wanting(b, metadata)
        await b.until(lambda: b.presences)
        await ask(
            a,
            "set",
            publish("urn:xmpp:avatar:data", f"<data xmlns='urn:xmpp:avatar:data'>{b64encode(_png('red')).decode()}</data>"),
        )
        info = payload_of((await b.until(lambda: news))[0])[0]
        shown = await b.until(
            lambda: [
                one
                for one in b.presences
                if one["from"].bare == _jid(alice) and one.xml.findtext("{vcard-temp:x:update}x/{vcard-temp:x:update}photo")
            ]
        )
        assert shown[-1].xml.findtext("{vcard-temp:x:update}x/{vcard-temp:x:update}photo") == info.get("id")
        found = await ask(b, "get", items("urn:xmpp:avatar:data", info.get("id")), _jid(alice))
        content = b64decode(found.findtext(".//{urn:xmpp:avatar:data}data"))
        assert (sha1(content, usedforsecurity=False).hexdigest(), str(len(content))) == (info.get("id"), info.get("bytes"))
        card = await ask(b, "get", "<vCard xmlns='vcard-temp'/>", _jid(alice))
        assert b64decode(card.findtext(".//{vcard-temp}BINVAL")) == content
        assert bob.http.get(f"/v1/users/{alice.id}/avatar").content == content
        await ask(a, "set", publish(metadata, f"<metadata xmlns='{metadata}'/>"))
        await b.until(lambda: len(news) == 2)
        assert len(payload_of(news[1])) == 0


async def test_a_vcard_keeps_what_was_written_and_the_name_of_the_directory(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    async with client(site, alice.id) as a, client(site, bob.id) as b:
        await ask(a, "set", "<vCard xmlns='vcard-temp'><FN>皇帝</FN><TITLE>工程师 &amp; 诗人</TITLE></vCard>")
        card = await ask(b, "get", "<vCard xmlns='vcard-temp'/>", _jid(alice))
        assert card.findtext(".//{vcard-temp}FN") == alice.id
        assert card.findtext(".//{vcard-temp}TITLE") == "工程师 & 诗人"
        v4 = "urn:ietf:params:xml:ns:vcard-4.0"
        await ask(a, "set", f"<vcard xmlns='{v4}'><note><text>你好</text></note></vcard>")
        card = await ask(b, "get", items("urn:xmpp:vcard4"), _jid(alice))
        assert card.findtext(f".//{{{v4}}}note/{{{v4}}}text") == "你好"
        assert await refused(b, "get", "<vCard xmlns='vcard-temp'/>", f"nobody@{DOMAIN}") == "service-unavailable"
        assert await refused(a, "set", "<vCard xmlns='vcard-temp'><PHOTO><BINVAL>!</BINVAL></PHOTO></vCard>") == "bad-request"
        assert await refused(b, "get", items(" vcard"), _jid(alice)) == "item-not-found"


async def test_bookmarks_are_the_conversations_one_is_in(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    group = alice.group("计划 <1>", bob.id)
    channel = str(alice.call("POST", "/v1/conversations", {"kind": "channel", "title": "公告", "members": []})["id"])
    async with client(site, bob.id, plugins=CAPS, present=False) as b, client(site, alice.id) as a:
        news = await wanting(b, BOOKMARKS)
        await b.until(lambda: news)
        found = await _bookmarks(b)
        assert found[f"{group}@rooms.{DOMAIN}"] == ("计划 <1>", "true")
        assert f"{channel}@rooms.{DOMAIN}" not in found
        conference = f"<conference xmlns='{BOOKMARKS}' name='x' autojoin='true'/>"
        await ask(b, "set", publish(BOOKMARKS, conference, f"{channel}@rooms.{DOMAIN}"))
        assert (await _bookmarks(b))[f"{channel}@rooms.{DOMAIN}"] == ("公告", "true")
        retract = f"<pubsub xmlns='{PUBSUB}'><retract node='{BOOKMARKS}'><item id='%s'/></retract></pubsub>"
        await ask(b, "set", retract % f"{channel}@rooms.{DOMAIN}")
        await b.until(lambda: any(one.xml.find(f".//{{{PUBSUB}#event}}retract") is not None for one in news))
        assert f"{channel}@rooms.{DOMAIN}" not in await _bookmarks(b)
        assert await refused(b, "set", retract % f"{group}@rooms.{DOMAIN}") == "not-allowed"
        other = alice.group("没有他")
        assert await refused(b, "set", publish(BOOKMARKS, conference, f"{other}@rooms.{DOMAIN}")) == "item-not-found"
        assert await refused(b, "set", publish(BOOKMARKS, conference, "room@elsewhere.example")) == "not-allowed"
        assert await refused(a, "get", items(BOOKMARKS), _jid(bob)) == "item-not-found"
        old = await ask(b, "get", "<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query>")
        assert f"{group}@rooms.{DOMAIN}" in [one.get("jid") for one in old.iter("{storage:bookmarks}conference")]


async def _bookmarks(one: Client) -> dict[str, tuple[str, str]]:
    found = await ask(one, "get", items(BOOKMARKS))
    return {item.get("id"): (item[0].get("name"), item[0].get("autojoin")) for item in found.iter(f"{{{PUBSUB}}}item")}


async def test_private_storage_gives_back_what_was_kept(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    async with client(site, alice.id) as a, client(site, bob.id) as b:
        query = "<query xmlns='jabber:iq:private'>%s</query>"
        assert len((await ask(a, "get", query % "<x xmlns='urn:x'/>")).find(".//{urn:x}x")) == 0
        await ask(a, "set", query % "<x xmlns='urn:x'><y>一</y></x>")
        assert (await ask(a, "get", query % "<x xmlns='urn:x'/>")).findtext(".//{urn:x}y") == "一"
        assert await refused(b, "get", query % "<x xmlns='urn:x'/>", _jid(alice)) == "service-unavailable"
        assert await refused(a, "get", query % "") == "bad-request"
