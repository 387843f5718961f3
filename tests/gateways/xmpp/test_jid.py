import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.gateways.xmpp.jid import BadJid, Jid, parse


@pytest.mark.parametrize(
    ("text", "jid"),
    [
        ("alice@example.org", Jid("alice", "example.org")),
        ("Alice@EXAMPLE.org.", Jid("alice", "example.org")),
        ("example.org", Jid("", "example.org")),
        ("example.org/a@b/c", Jid("", "example.org", "a@b/c")),
        ("王伟@例子.中国/手机", Jid("王伟", "xn--fsqu00a.xn--fiqs8s", "手机")),
        ("Ａlice@example.org/Home Desk", Jid("alice", "example.org", "Home Desk")),
        ("alice@[::1]/a", Jid("alice", "[::1]", "a")),
        ("alice@127.0.0.1", Jid("alice", "127.0.0.1")),
    ],
)
def test_addresses(text: str, jid: Jid) -> None:
    assert parse(text) == jid
    assert parse(str(jid)) == jid


@pytest.mark.parametrize(
    "text",
    ["", "@", "/", "a@", "@b", "a@b/", "a@b@c", "a b@c", "a\0@c", "a@c\0", "a@b/\0", "a<@c", "a&b@c", "a'@c", "a@-b", "a@b..c",
     "a@b/" + "x" * 1_024, "x" * 1_024 + "@b", "a@[::g]", "\u200b@b", "a\u0300\u0300@", "a@b c", "☎️@", "\ud800@b", "a@b/\ud800"],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(BadJid):
        parse(text)


@given(st.text(max_size=40))
def test_garbage_is_an_address_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except BadJid:
        return
    assert parse(str(found)) == found
