"""Parts of rooms that need no server: nicknames, what history was asked for, forms."""

import pytest

from hongyan.gateways.xmpp import codec, jid
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.nicks import nickname, user_of
from hongyan.gateways.xmpp.rooms import voice
from hongyan.gateways.xmpp.xeps.muc.forms import form, submitted, truth
from hongyan.gateways.xmpp.xeps.muc.history import Wanted

MUC = "http://jabber.org/protocol/muc"


@pytest.mark.parametrize(
    ("name", "user", "nick"),
    [
        ("Li Hua", "lihua", "Li Hua (lihua)"),
        ("lihua", "lihua", "lihua"),
        ("李华", "lihua", "李华 (lihua)"),
        ("a (b)", "c", "a (b) (c)"),
        ("x", "odd(one)", "x (odd(one))"),
        ("\u200d", "lihua", "lihua"),  # nothing that an address can say
        ("</x> ' \"&", "lihua", "</x> ' \"& (lihua)"),
    ],
)
def test_a_nickname_leads_to_its_user(name: str, user: str, nick: str) -> None:
    assert nickname(name, user) == nick
    assert user_of(nick) == user
    assert jid.resource_part(nick) == nick


def test_who_may_speak() -> None:
    assert [voice(role, "all") for role in ("owner", "admin", "member")] == ["moderator", "moderator", "participant"]  # type: ignore[arg-type]
    assert (voice("member", "admins"), voice("member", "nobody"), voice("admin", "nobody")) == ("visitor", "visitor", "moderator")


def asked(**attributes: str) -> Element:
    return Element(f"{MUC} x", {}, Element(f"{MUC} history", attributes))


def test_how_much_history() -> None:
    assert Wanted.of(Element(f"{MUC} x")) == Wanted.of(asked()) == Wanted(20)
    assert Wanted.of(asked(maxstanzas="7", maxchars="99", seconds="60")) == Wanted(7, 99, 60)
    assert Wanted.of(asked(maxstanzas="99999", maxchars="999999999")) == Wanted(200, 200_000)
    assert (
        Wanted.of(asked(since="1970-01-01T00:00:01Z")).since == Wanted.of(asked(since="1970-01-01T01:00:01+01:00")).since == 1000
    )
    assert Wanted.of(asked(maxstanzas="0")).stanzas == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"maxstanzas": "-1"},
        {"maxchars": "x"},
        {"seconds": "9" * 11},
        {"seconds": "٣"},
        {"since": "yesterday"},
        {"since": "1970-01-01T00:00:01"},
    ],
)
def test_history_that_nobody_can_ask_for(wrong: dict[str, str]) -> None:
    with pytest.raises(StanzaFault):
        Wanted.of(asked(**wrong))


def test_forms() -> None:
    made = form("form", "urn:x<", [("a", "text-single", "A <&>'", "1 <&>"), ("b", "boolean", "", "")], "T&")
    read = codec.parse(made.encode(), 10_000)
    assert submitted(read, "urn:x<") == {"a": "1 <&>", "b": ""}
    with pytest.raises(StanzaFault):
        submitted(read, "urn:y")
    assert submitted(Element("jabber:x:data x"), "urn:x<") == {}
    assert (truth("1"), truth("true"), truth("0"), truth("false")) == (True, True, False, False)
    with pytest.raises(StanzaFault):
        truth("yes")
