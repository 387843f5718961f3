"""What stanzas say and what is said in them, without a server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.gateways.xmpp import encryption, times
from hongyan.gateways.xmpp.codec import parse
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.rsm import asked
from hongyan.gateways.xmpp.saying import without_fallback
from hongyan.gateways.xmpp.smacks import counter

REPLY = "urn:xmpp:reply:0"


def without(text: str, start: str, end: str, of: str = REPLY) -> str:
    fallback = f"<fallback xmlns='urn:xmpp:fallback:0' for='{of}'><body start='{start}' end='{end}'/></fallback>"
    return without_fallback(parse(f"<message xmlns='jabber:client'>{fallback}</message>".encode(), 9_999), text, REPLY)


def test_a_fallback_is_left_out_by_code_points() -> None:
    assert without("> 😀\n好", "0", "4") == "好"
    assert without("before middle after", "7", "14") == "before after"


def test_a_quote_that_is_counted_in_bytes_is_left_out_too() -> None:
    """As Dino 0.4 counts: nothing of what is said may go with it."""
    assert without("> 从网页来\n0123456789", "0", "15") == "0123456789"
    assert without("> 从网页来\n我今天下午到", "0", "15") == "我今天下午到"
    assert without("> 从网页来\n我今天下午到", "0", "7") == "我今天下午到"


@pytest.mark.parametrize(
    ("start", "end"), [("0", "99"), ("5", "2"), ("a", "b"), ("-1", "3"), ("", ""), ("9" * 50, "9" * 50), ("٣", "٤")]
)
def test_a_fallback_that_makes_no_sense_leaves_the_text(start: str, end: str) -> None:
    assert without("some text", start, end) == "some text"


def test_a_fallback_for_something_else_stays() -> None:
    assert without("some text", "0", "4", "urn:xmpp:other:0") == "some text"


@given(st.integers(0, 253_402_300_799_999))
def test_times_are_read_as_they_are_written(time: int) -> None:
    assert times.read(times.written(time)) == time


@pytest.mark.parametrize("text", ["", "now", "2026-02-30T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00", "20260101T00:00:00Z"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        times.read(text)


def test_a_time_has_a_zone() -> None:
    assert times.read("2026-01-01T08:00:00.5+08:00") == times.read("2026-01-01T00:00:00.500Z")


@given(st.text(max_size=20))
def test_a_count_is_a_number_of_32_bits_or_none(text: str) -> None:
    found = counter(text)
    assert found is None or (str(found) == text.lstrip("0") or found == 0)


def test_a_page_has_a_bound() -> None:
    def page(inside: str) -> int:
        return asked(
            parse(f"<q xmlns='a'><set xmlns='http://jabber.org/protocol/rsm'>{inside}</set></q>".encode(), 999), 50, 100
        ).limit

    assert [page(""), page("<max>3</max>"), page("<max>100000</max>")] == [50, 3, 100]
    for bad in ("<max>-1</max>", "<max>1e3</max>", "<max/>", "<max>99999999999999999999</max>"):
        with pytest.raises(StanzaFault):
            page(bad)


def test_only_elements_that_encrypt_are_kept_and_given() -> None:
    inside = "<encrypted xmlns='urn:xmpp:omemo:2'><payload>x</payload></encrypted><body>b</body><other xmlns='x'/>"
    stanza = parse(f"<message xmlns='jabber:client'>{inside}</message>".encode(), 9_999)
    assert encryption.is_encrypted(stanza)
    kept = encryption.taken(stanza)
    assert kept.xml == "<encrypted xmlns='urn:xmpp:omemo:2'><payload>x</payload></encrypted>"
    assert kept.xml in encryption.given(kept.xml, kept.text)
    assert "<other" not in encryption.given(kept.xml + "<other xmlns='x'/>", "")
