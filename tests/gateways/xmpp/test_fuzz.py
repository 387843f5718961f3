"""Bytes of strangers: whatever comes, in whatever pieces, becomes elements or one fault, and keeps no more than a stanza.

FUZZ_SECONDS says for how long; `make fuzz` takes two minutes.
"""

import contextlib
import os
import tracemalloc
from collections.abc import Callable, Iterable
from itertools import chain
from time import monotonic
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hongyan.gateways.xmpp import codec
from hongyan.gateways.xmpp.codec import Element, Parser, parse, render
from hongyan.gateways.xmpp.faults import StreamFault
from tests.gateways.cutting import cut, cuts

SECONDS = float(os.environ.get("FUZZ_SECONDS", "4"))
MOST = 100_000
SMALL = 200
HEAD = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='example.org' version='1.0'>"

words = st.text("ab:<>&'\"= \n\x00é雁😀", max_size=6).map(str.encode)
names = st.sampled_from([b"a", b"b", b"message", b"xml:a", b"stream:stream", b"p:a", b"xmlns", b"xmlns:p", "雁".encode()])
attributes = st.builds(lambda name, value: b" %b='%b'" % (name, value), names, words)
tags = st.builds(
    lambda opening, name, given, closing: opening + name + b"".join(given) + closing,
    st.sampled_from([b"<", b"<", b"</"]),
    names,
    st.lists(attributes, max_size=3),
    st.sampled_from([b">", b"/>", b" \n>", b""]),
)
whole = st.sampled_from(
    [
        b"<presence/>",
        b"<iq a='>'/>\n",
        "<message to='雁'><body>你好 &lt;3 <b/>]]&gt;</body></message >".encode(),
        b"<message xmlns='b' xmlns:p='c' p:a='1'><p:a/><![CDATA[<a>]]></message>",
        b"</stream:stream>",
        b" ",
    ]
)
refused = st.sampled_from(
    [b"<?a b?>", b"<!-- a -->", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&lol;", b"&#xFFFF;", b"<![CDATA[", b"\xff\xfe"]
)
pieces = st.one_of(whole, whole, whole, tags, words, refused, st.binary(max_size=10), st.integers(0, 300).map(b"a".__mul__))
heads = st.sampled_from(
    [HEAD, HEAD, b"<?xml version='1.0'?>\n" + HEAD, b"", b"\xef\xbb\xbf" + HEAD, HEAD.decode().encode("utf-16")]
)
streams = st.tuples(heads, st.lists(pieces, max_size=12).map(b"".join)).map(b"".join)


def read(parts: Iterable[bytes], most: int, between: Callable[[Parser], None] = lambda _: None) -> list[str]:
    """What came, as text; the last may be a fault."""
    parser, found = Parser(most), list[str]()
    for part in parts:
        for one in parser.feed(part):
            found.append(f"fault: {one.condition}" if isinstance(one, StreamFault) else "end" if one is None else render(one))
            if isinstance(one, StreamFault):
                return found
        between(parser)
    return found


quick = settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@quick
@given(streams, cuts)
def what_comes_does_not_depend_on_the_pieces(data: bytes, sizes: list[int]) -> None:
    expected = read([data], MOST)
    assert read(cut(data, sizes), MOST) == expected
    assert read(cut(data, sizes), MOST, Parser.rest) == expected


@quick
@given(streams, cuts, st.integers(0, 300))
def a_parser_that_is_worn_is_followed_by_another(data: bytes, sizes: list[int], worn: int) -> None:
    expected = read([data], MOST)
    with patch.object(codec, "_WORN", worn):
        assert read([data], MOST) == expected
        assert read(cut(data, sizes), MOST) == expected
        assert read(cut(data, sizes), MOST, Parser.rest) == expected


@quick
@given(streams, cuts)
def no_more_than_a_stanza_is_kept(data: bytes, sizes: list[int]) -> None:
    def small(parser: Parser) -> None:
        assert kept(parser) <= SMALL + max(sizes)

    found = read(cut(data, sizes), SMALL, small)
    expected = read([data], MOST)
    if found[-1:] == ["fault: policy-violation"]:  # it may say so before it sees what else is wrong
        found.pop()
    assert found == expected[: len(found)]


def kept(parser: Parser) -> int:
    """Bytes of what is not whole yet, of all that it holds."""

    def size(element: Element) -> int:
        inside = sum(len(part) if isinstance(part, str) else size(part) for part in element.inside)
        return inside + len(element.local) + sum(map(len, chain(*element.attributes.items())))

    return max(len(parser._kept), sum(map(len, parser._text)) + (size(parser._open[0]) if parser._open else 0))


@quick
@given(streams)
def a_document_of_its_own_is_an_element_or_a_fault(data: bytes) -> None:
    for one in (data, data.removeprefix(HEAD)):
        with contextlib.suppress(StreamFault):
            assert isinstance(parse(one, MOST), Element)


@pytest.mark.timeout(SECONDS + 60)
def test_any_bytes() -> None:
    until = monotonic() + SECONDS
    while True:
        what_comes_does_not_depend_on_the_pieces()
        a_parser_that_is_worn_is_followed_by_another()
        no_more_than_a_stanza_is_kept()
        a_document_of_its_own_is_an_element_or_a_fault()
        if monotonic() > until:
            break


@pytest.mark.parametrize(
    "stanza",
    ["<iq><b{0}/></iq>", "<iq b{0}='1'/>", "<iq xmlns:b{0}='c'/>", "<iq xmlns='b{0}'/>", "<b{0} xmlns='b'>text</b{0}>"],
    ids=["elements", "attributes", "prefixes", "spaces", "stanzas"],
)
@pytest.mark.parametrize("size", [37, 4_096])
def test_names_without_end_are_forgotten(stanza: str, size: int) -> None:
    """Stanzas that never say the same, in pieces that end anywhere."""
    data = HEAD + "".join(stanza.format(number) for number in range(10_000)).encode()
    with patch.object(codec, "_WORN", 16_384):
        parser = Parser(10_000)
        tracemalloc.start()
        try:
            for part in cut(data, [size]):
                assert not any(isinstance(one, StreamFault) for one in parser.feed(part))
            assert tracemalloc.get_traced_memory()[1] < 350_000
        finally:
            tracemalloc.stop()
