"""What is done to messages (corrections, retractions, reactions, replies, markers), between XMPP clients and everybody else."""

import itertools
from typing import Any

import pytest
from slixmpp.xmlstream import ET

from tests.gateways.xmpp.client import Client, client
from tests.gateways.xmpp.site import DOMAIN, Site
from tests.serving import Person

PLUGINS = ("xep_0085", "xep_0280", "xep_0308", "xep_0333", "xep_0424", "xep_0428", "xep_0444", "xep_0461")
_ids = itertools.count(1)


def act(person: Person, lane: str, **act: Any) -> None:
    person.call("POST", f"/v1/conversations/{lane}/acts", {"act": act})


def amended(person: Person, lane: str, seq: int) -> dict[str, Any]:
    """What has become of a message, as everybody else sees it."""
    page = person.call("GET", f"/v1/conversations/{lane}/messages/{seq}")
    found: dict[str, Any] = (page.get("amended") or [{}])[0]
    return found


def content(person: Person, lane: str) -> dict[str, Any]:
    """Of the newest message."""
    events = [event for event in person.history(lane) if event["type"] in ("message", "reply")]
    found: dict[str, Any] = events[-1]["content"]
    return found


def say(one: Client, to: str, inside: str, *, id: str | None = None, type: str = "chat") -> str:
    """Any message, as a client might make it."""
    id = id or f"by-hand-{next(_ids)}"
    one.send_raw(f"<message to='{to}@{DOMAIN}' type='{type}' id='{id}'>{inside}</message>")
    return id


async def part(one: Client, name: str, number: int = 0) -> Any:
    """The element of this name in the messages that have one."""
    wanted = f".//{{{name.replace(' ', '}')}"
    found = await one.until(lambda: [inner for m in one.every if (inner := m.xml.find(wanted)) is not None][number:])
    return found[0]


async def refused(one: Client, id: str) -> str:
    """The condition of the error that answers a message."""
    error = await one.until(lambda: next((m for m in one.every if m["type"] == "error" and m["id"] == id), None))
    return str(error["error"]["condition"])


@pytest.mark.parametrize("id", ["short", "an id that is one of a kind".replace(" ", "-")])
async def test_a_correction_is_an_edit(site: Site, id: str) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.direct(bob.id)
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        say(a, bob.id, "<body>wrong</body>", id=id)
        await b.has("wrong")
        say(a, bob.id, f"<body>right</body><replace xmlns='urn:xmpp:message-correct:0' id='{id}'/>")
        await b.has("wrong", "right")
        assert b.messages[1]["replace"]["id"] == b.messages[0]["id"] == id
        (message,) = [event for event in bob.history(lane) if event["type"] == "message"]
        assert amended(bob, lane, message["seq"])["text"] == "right"
        say(a, alice.id, "<body>x</body>")  # nothing of it comes back to who has sent it
        assert a.texts == []
        act(alice, lane, type="edit", seq=message["seq"], text="from the web")
        await b.has("wrong", "right", "from the web")
        own = say(b, alice.id, f"<body>not mine</body><replace xmlns='urn:xmpp:message-correct:0' id='{id}'/>")
        assert await refused(b, own) == "item-not-found"
        unknown = say(a, bob.id, "<body>what?</body><replace xmlns='urn:xmpp:message-correct:0' id='nothing'/>")
        assert await refused(a, unknown) == "item-not-found"
        empty = say(a, bob.id, f"<body> </body><replace xmlns='urn:xmpp:message-correct:0' id='{id}'/>")
        assert await refused(a, empty) == "bad-request"


async def test_a_retraction_is_a_recall(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.direct(bob.id)
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        id = say(a, bob.id, "<body>secret</body>")
        await b.has("secret")
        theirs = say(b, alice.id, f"<retract xmlns='urn:xmpp:message-retract:1' id='{id}'/>")
        assert await refused(b, theirs) == "forbidden"
        say(a, bob.id, f"<retract xmlns='urn:xmpp:message-retract:1' id='{id}'/><body>fallback</body>")
        assert (await part(b, "urn:xmpp:message-retract:1 retract")).get("id") == id
        assert content(bob, lane) == {"type": "recalled"}
        seq = alice.send(lane, "from the web")["seq"]
        await b.until(lambda: "from the web" in b.texts)
        act(alice, lane, type="recall", seq=seq)
        shown = next(m["id"] for m in b.messages if m["body"] == "from the web")
        assert (await part(b, "urn:xmpp:message-retract:1 retract", 1)).get("id") == shown


async def test_reactions_are_the_set_of_one_person(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.direct(bob.id)
    seq = alice.send(lane, "你好")["seq"]

    def mine(*emoji: str) -> str:
        each = "".join(f"<reaction>{one}</reaction>" for one in emoji)
        return f"<reactions xmlns='urn:xmpp:reactions:0' id='{shown}'>{each}</reactions>"

    def tallies() -> set[str]:
        return set(amended(bob, lane, seq).get("reactions", {}))

    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        await b.has("你好")
        shown = b.messages[0]["id"]
        say(b, alice.id, mine("👍", "🎉"))
        await b.until(lambda: tallies() == {"👍", "🎉"})
        say(b, alice.id, mine("🎉", "❤️"))
        await b.until(lambda: tallies() == {"🎉", "❤️"})
        await a.until(
            lambda: {"🎉", "❤️"} == {one.text for m in a.every[-1:] for one in m.xml.iter("{urn:xmpp:reactions:0}reaction")}
        )
        say(b, alice.id, mine())
        await b.until(lambda: not tallies())
        act(alice, lane, type="react", seq=seq, emoji="👌")
        assert [one.text for one in await part(b, "urn:xmpp:reactions:0 reactions")] == ["👌"]
        assert await refused(b, say(b, alice.id, mine("no emoji"))) == "not-acceptable"
        assert await refused(b, say(b, alice.id, mine(*("👍👎👌🎉🔥💯🙏👏🙈🍎🍐🍊🍋🍌🍉🍇🍓🍒🍑🥭🍍")))) == "not-acceptable"


async def test_a_reply_is_a_quote_on_both_sides(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.direct(bob.id)
    first = alice.send(lane, "在吗？\n二")
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        b.send_message(f"{alice.id}@{DOMAIN}", "x", mtype="chat")
        await a.has("x")
        shown = bob.history(lane)[1]["client_id"] if len(bob.history(lane)) > 1 else ""
        quoted = "> 在吗？\n> 二\n"
        fallback = (
            f"<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='{len(quoted)}'/></fallback>"
        )
        reply = f"<reply xmlns='urn:xmpp:reply:0' to='{alice.id}@{DOMAIN}' id='{shown}'/>"
        say(b, alice.id, f"<body>{quoted.replace('>', '&gt;')}在</body>{reply}{fallback}")
        await a.has("x", f"{quoted}在")
        assert content(bob, lane) == {"type": "text", "text": "在", "reply": first["seq"]}
        element = await part(a, "urn:xmpp:reply:0 reply")
        assert (element.get("id"), element.get("to")) == (shown, f"{alice.id}@{DOMAIN}")
        assert (await part(a, "urn:xmpp:fallback:0 body")).get("end") == str(len(quoted))
        unknown = reply.replace(shown, "nothing")
        say(b, alice.id, f"<body>&gt; lost\nkept</body>{unknown}{fallback}")
        await a.has("x", f"{quoted}在", "> lost\nkept")
        assert content(bob, lane) == {"type": "text", "text": "> lost\nkept"}


async def test_threads_are_named_by_the_place_of_their_first_message(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.direct(bob.id)
    root = alice.send(lane, "a matter")
    async with client(site, bob.id, plugins=PLUGINS) as b:
        message = {"client_id": "in-the-thread", "content": {"type": "text", "text": "of it", "thread": root["seq"]}}
        alice.call("POST", f"/v1/conversations/{lane}/messages", message)
        thread = await part(b, "jabber:client thread")
        assert thread.text == str(root["position"])
        say(b, alice.id, f"<body>more of it</body><thread>{thread.text}</thread>")
        await b.until(lambda: content(bob, lane) == {"type": "text", "text": "more of it", "thread": root["seq"]})
        say(b, alice.id, "<body>elsewhere</body><thread>gajim-made-this</thread>")
        await b.until(lambda: content(bob, lane) == {"type": "text", "text": "elsewhere"})


async def test_markers_are_read_marks(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.direct(bob.id)
    seqs = [alice.send(lane, str(number))["seq"] for number in range(3)]
    async with (
        client(site, alice.id, plugins=PLUGINS) as a,
        client(site, bob.id, plugins=PLUGINS) as b,
        client(site, bob.id, "phone", plugins=PLUGINS) as phone,
    ):
        await phone.plugin["xep_0280"].enable()
        await b.until(lambda: len(b.texts) == 3)
        assert (await part(b, "urn:xmpp:chat-markers:0 markable")) is not None
        shown = b.messages[1]["id"]
        say(b, alice.id, f"<displayed xmlns='urn:xmpp:chat-markers:0' id='{shown}'/>")
        assert (await part(a, "urn:xmpp:chat-markers:0 displayed")).get("id") == shown
        assert (await part(phone, "urn:xmpp:chat-markers:0 displayed")).get("id") == shown
        assert bob.call("GET", f"/v1/conversations/{lane}")["read_seq"] == seqs[1]
        bob.call("POST", f"/v1/conversations/{lane}/read", {"seq": seqs[2]})
        assert (await part(a, "urn:xmpp:chat-markers:0 displayed", 1)).get("id") == b.messages[2]["id"]
        bad = say(b, alice.id, "<displayed xmlns='urn:xmpp:chat-markers:0' id='nothing'/>")
        assert await refused(b, bad) == "item-not-found"


async def test_composing_is_typing(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.direct(bob.id)
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        say(a, bob.id, "<composing xmlns='http://jabber.org/protocol/chatstates'/>")
        assert await part(b, "http://jabber.org/protocol/chatstates composing") is not None
        say(a, bob.id, "<gone xmlns='http://jabber.org/protocol/chatstates'/>")
        assert await part(b, "http://jabber.org/protocol/chatstates paused") is not None
        alice.call("POST", f"/v1/conversations/{lane}/typing", {"typing": True})
        assert await part(b, "http://jabber.org/protocol/chatstates composing", 1) is not None
        assert alice.texts(lane) == []


async def test_typing_makes_no_conversation(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    async with client(site, alice.id, plugins=PLUGINS) as a:
        before = len(alice.snapshot()["conversations"])
        say(a, bob.id, "<composing xmlns='http://jabber.org/protocol/chatstates'/>")
        await a.plugin["xep_0199"].ping(f"{alice.id}@{DOMAIN}")
        assert len(alice.snapshot()["conversations"]) == before


async def test_receipts_are_asked_for_and_come_back_and_are_not_kept(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    async with client(site, alice.id) as a, client(site, bob.id, plugins=("xep_0184",)) as b:
        id = say(a, bob.id, "<body>你好</body><request xmlns='urn:xmpp:receipts'/>")
        assert (await part(a, "urn:xmpp:receipts received")).get("id") == id
        say(a, bob.id, "<body>without</body>")
        await b.has("你好", "without")
        assert b.messages[1].xml.find("{urn:xmpp:receipts}request") is None
        assert alice.texts(alice.direct(bob.id)) == ["你好", "without"]


async def test_what_only_servers_say_is_not_passed_on(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    forged = (
        "<received xmlns='urn:xmpp:receipts' id='1'/><delay xmlns='urn:xmpp:delay' stamp='2001-01-01T00:00:00Z'/>"
        f"<stanza-id xmlns='urn:xmpp:sid:0' by='{bob.id}@{DOMAIN}' id='1'/>"
        "<result xmlns='urn:xmpp:mam:2' id='1'><forwarded xmlns='urn:xmpp:forward:0'/></result>"
        "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></received>"
    )
    async with client(site, alice.id) as a, client(site, bob.id) as b:
        await b.plugin["xep_0199"].ping(f"{bob.id}@{DOMAIN}")  # it is available by now
        say(a, bob.id, forged)
        await part(b, "urn:xmpp:receipts received")
        assert [child.tag for child in b.every[0].xml] == ["{urn:xmpp:receipts}received"]


OMEMO = (
    "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='27183'><key rid='31415' prekey='true'>BASE64==</key>"
    "<iv>BASE64</iv></header><payload>BASE64&amp;</payload></encrypted>"
)


async def test_what_is_encrypted_goes_through_untouched(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.direct(bob.id)
    async with client(site, alice.id) as a, client(site, bob.id, plugins=("xep_0380",)) as b:
        id = say(a, bob.id, f"{OMEMO}<body>I sent you an OMEMO message</body><secret xmlns='x'/>")
        found = await part(b, "eu.siacs.conversations.axolotl encrypted")
        assert ET.canonicalize(ET.tostring(found), rewrite_prefixes=True) == ET.canonicalize(OMEMO, rewrite_prefixes=True)
        assert b.messages[0]["eme"]["namespace"] == "eu.siacs.conversations.axolotl"
        assert b.messages[0].xml.find("{x}secret") is None
        kept = content(bob, lane)
        assert (kept["type"], kept["text"]) == ("encrypted", "I sent you an OMEMO message")
        correction = f"<replace xmlns='urn:xmpp:message-correct:0' id='{id}'/>"
        say(a, bob.id, f"{OMEMO}{correction}<body>fallback</body>")
        assert (await part(b, "urn:xmpp:message-correct:0 replace")).get("id") == id
        say(a, bob.id, OMEMO.replace("<payload>BASE64&amp;</payload>", ""))  # carries a key and says nothing
        await part(b, "eu.siacs.conversations.axolotl encrypted", 2)
        assert len(bob.texts(lane)) == 2
        assert not bob.call("GET", "/v1/search", q="OMEMO")["hits"]


@pytest.mark.parametrize(
    "xml", ["</message><message/>", "<body>b</body><x xmlns='jabber:x:data'/>", "&lol;", "<!DOCTYPE a>", "<a"]
)
async def test_what_is_stored_as_encrypted_is_not_believed(site: Site, xml: str) -> None:
    """Anybody may send such contents over HTTP."""
    alice, bob = site.people("alice", "bob")
    lane = alice.direct(bob.id)
    async with client(site, bob.id) as b:
        bad = {"client_id": "hostile", "content": {"type": "encrypted", "text": "words", "xml": xml}}
        alice.call("POST", f"/v1/conversations/{lane}/messages", bad)
        await b.has("words")
        names = {child.tag for child in b.messages[0].xml}
        assert {name.partition("}")[0] for name in names} <= {
            "{jabber:client", "{urn:xmpp:hints", "{urn:xmpp:sid:0", "{urn:xmpp:chat-markers:0", "{http://jabber.org/protocol/chatstates",
        }  # fmt: skip
        alice.send(lane, "next")
        await b.has("words", "next")


async def test_who_was_away_is_given_what_is_unread_once(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.direct(bob.id)
    alice.send(lane, "read on the web")
    bob.call("POST", f"/v1/conversations/{lane}/read", {"seq": alice.send(lane, "this too")["seq"]})
    alice.send(lane, "unread")
    bob.send(lane, "my own")
    async with client(site, bob.id) as b:
        await b.has("unread")
        assert b.messages[0].xml.find("{urn:xmpp:delay}delay") is not None
        alice.send(lane, "live")
        await b.has("unread", "live")
        assert b.messages[1].xml.find("{urn:xmpp:delay}delay") is None
    alice.send(lane, "while away")
    async with client(site, bob.id, plugins=("xep_0313",), present=False) as b:
        await b.plugin["xep_0313"].retrieve()
        b.send_presence()
        alice.send(lane, "after the archive")
        await b.has("after the archive")
    alice.send(lane, "while away again")
    async with client(site, bob.id) as b:
        await b.has("while away again")
