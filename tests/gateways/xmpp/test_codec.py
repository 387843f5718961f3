import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.gateways.xmpp.codec import Element, Parser, escape, parse, quote, render
from hongyan.gateways.xmpp.faults import StreamFault

HEAD = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    b"to='example.org' version='1.0'>"
)
BODY = "jabber:client body"


def started(most: int = 10_000) -> Parser:
    parser = Parser(most)
    (head,) = parser.feed(HEAD)
    assert isinstance(head, Element)
    assert (head.name, head.get("to")) == ("http://etherx.jabber.org/streams stream", "example.org")
    return parser


def condition(data: bytes, parser: Parser | None = None) -> str:
    fault = (parser or started()).feed(data)[-1]
    assert isinstance(fault, StreamFault)
    return fault.condition


def test_stanzas_come_one_by_one_and_then_the_end() -> None:
    parser = started()
    one, two = parser.feed(b"<message to='a@b'><body>\xe4\xbd\xa0\xe5\xa5\xbd &lt;3</body></message> \n <presence/>")
    assert isinstance(one, Element)
    assert isinstance(two, Element)
    assert (one.name, one.get("to"), one.said(BODY)) == ("jabber:client message", "a@b", "你好 <3")
    assert two.name == "jabber:client presence"
    assert parser.feed(b"</stream:stream>") == [None]


@given(st.binary(max_size=40), st.integers(1, 30))
def test_however_it_is_cut_it_is_the_same(salt: bytes, size: int) -> None:
    data = HEAD + f"<message id='{salt.hex()}'><body>{salt.hex()}</body></message><iq/>".encode()
    whole, pieces = Parser(10_000), Parser(10_000)
    expected = [str(isinstance(one, Element) and render(one)) for one in whole.feed(data)]
    found = [
        str(isinstance(one, Element) and render(one))
        for at in range(0, len(data), size)
        for one in pieces.feed(data[at : at + size])
    ]
    assert found == expected


@given(
    st.lists(
        st.sampled_from([b"<presence/>", b"<iq a='>'/>", b"<message><body>a &gt; b</body></message>", b" ", b"<a:b/>"]),
        max_size=8,
    ),
    st.integers(1, 40),
)
def test_a_parser_that_rests_reads_on(parts: list[bytes], size: int) -> None:
    data = b"".join(parts) + b"</stream:stream>"
    plain, resting = started(), started()
    expected, found = [], []
    for at in range(0, len(data), size):
        expected += plain.feed(data[at : at + size])
        found += resting.feed(data[at : at + size])
        resting.rest()
        if any(isinstance(one, StreamFault) for one in found):
            break
    shown = [
        [one.condition if isinstance(one, StreamFault) else one and render(one) for one in some] for some in (expected, found)
    ]
    assert shown[0] == shown[1]


def test_a_parser_rests_between_stanzas_only() -> None:
    parser = started()
    for data, rests in (
        (b"<presence/>", True),
        (b"<presence", False),
        (b" a='>'", False),
        (b"/>\n", True),
        (b"<message>", False),
    ):
        parser.feed(data)
        parser.rest()
        assert (parser._expat is None) is rests


def test_a_stream_that_is_over_does_not_begin_again() -> None:
    parser = Parser(10_000)
    assert len(parser.feed(b"<stream/>")) == 2
    parser.rest()
    (fault,) = parser.feed(b"<presence/>")
    assert isinstance(fault, StreamFault)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"<!DOCTYPE lolz [<!ENTITY lol 'lol'>]>", "not-well-formed"),
        (b"<!-- a comment --><message/>", "restricted-xml"),
        (b"<message><!-- a comment --></message>", "restricted-xml"),
        (b"<?php echo 1 ?>", "restricted-xml"),
        (b"<message>&lol;</message>", "not-well-formed"),
        (b"<message>\xff\xfe</message>", "not-well-formed"),
        (b"<message>\xc0\xaf</message>", "not-well-formed"),
        (b"<message>&#0;</message>", "not-well-formed"),
        (b"<message>\x00</message>", "not-well-formed"),
        (b"<message>&#xFFFF;</message>", "not-well-formed"),
        (b"<a:message/>", "not-well-formed"),
        (b"<message></presence>", "not-well-formed"),
        (b"<message a='1' a='2'/>", "not-well-formed"),
        (b"words", "invalid-xml"),
        (b"<message>" + b"<a>" * 10_000, "policy-violation"),
        (b"<message " + b" ".join(b"a%d='1'" % n for n in range(65)) + b"/>", "policy-violation"),
        (b"<message><a " + b" ".join(b"a%d='1'" % n for n in range(65)) + b"/></message>", "policy-violation"),
        (b"<message>" + b"<a/>" * 2_001 + b"</message>", "policy-violation"),
        (b"<message><body>" + b"a" * 10_001, "policy-violation"),
        (b"<message><body>" + b"a" * 10_001 + b"</body></message>", "policy-violation"),
        (b"<message to='" + b"a" * 10_001, "policy-violation"),
        (b"<" + b"a" * 10_001, "policy-violation"),
    ],
)
def test_what_is_refused(data: bytes, expected: str) -> None:
    assert condition(data) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol2 '&lol;&lol;'>]><stream>&lol2;</stream>", "restricted-xml"),
        (b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "restricted-xml"),
        (b"<?xml version='1.0' encoding='UTF-16'?><a/>", "unsupported-encoding"),
        (b"<?xml version='1.1'?><a/>", "unsupported-encoding"),
        ("<?xml version='1.0'?><a/>".encode("utf-16"), "unsupported-encoding"),
        (b"<?xml-stylesheet href='a'?><a>", "restricted-xml"),
        (b"GET / HTTP/1.1\r\n\r\n", "not-well-formed"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "not-well-formed"),
    ],
)
def test_what_is_refused_at_the_beginning(data: bytes, expected: str) -> None:
    assert condition(data, Parser(10_000)) == expected


def test_a_second_document_is_refused() -> None:
    parser = started()
    parser.feed(b"</stream:stream>")
    assert condition(b"<stream/>", parser) == "not-well-formed"


def test_keep_alives_take_no_room() -> None:
    parser = started(most=1_000)
    for _ in range(100):
        assert parser.feed(b" " * 500) == []
    assert len(parser.feed(b"<presence/>")) == 1


def test_many_small_stanzas_are_not_a_large_one() -> None:
    parser = started(most=1_000)
    assert len(parser.feed(b"<presence/>" * 1_000)) == 1_000


def test_a_document_of_its_own() -> None:
    element = parse(b"<message xmlns='jabber:client'><body>a</body></message>", 1_000)
    assert element.said(BODY) == "a"
    for data in (b"", b"<a/><b/>", b"<a>", b"a", b"<a/>a", b"<!DOCTYPE a><a/>", b"<a>" + b"b" * 1_000 + b"</a>"):
        with pytest.raises(StreamFault):
            parse(data, 1_000)


names = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
spaces = st.sampled_from(["jabber:client", "urn:a", "urn:b'<&"])
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
elements = st.recursive(
    st.builds(lambda space, name: Element(f"{space} {name}"), spaces, names),
    lambda inner: st.builds(
        lambda space, name, attributes, inside: Element(f"{space} {name}", attributes, *inside),
        spaces,
        names,
        st.dictionaries(names, texts, max_size=3),
        st.lists(inner | texts, max_size=4),
    ),
    max_leaves=8,
)


def plain(element: Element) -> object:
    inside: list[object] = []
    for part in element.inside:
        if isinstance(part, Element):
            inside.append(plain(part))
        elif said := "".join(c for c in part if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff")):
            if inside and isinstance(inside[-1], str):
                inside[-1] += said
            else:
                inside.append(said)
    said = {
        key: "".join(c for c in value if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
        for key, value in element.attributes.items()
    }
    return element.name, said, inside


@given(elements)
def test_what_is_written_is_read_again(element: Element) -> None:
    assert plain(parse(render(element, "").encode(), 1_000_000)) == plain(element)


@given(st.text())
def test_nothing_gets_out_of_a_text(text: str) -> None:
    made = parse(
        f"<a xmlns='b' c='{quote(text)}' d=\"{quote(text)}\">{escape(text)}</a>".encode("utf-8", "surrogatepass"), 1_000_000
    )
    assert not made.children
    assert made.get("c") == made.get("d")
    assert "\x00" not in made.text


def test_what_was_whole_before_a_fault_comes_before_it() -> None:
    one, fault = started().feed(b"<presence/><a:b/>")
    assert isinstance(one, Element)
    assert isinstance(fault, StreamFault)


@given(st.binary(max_size=300))
def test_garbage_is_a_fault_or_nothing(data: bytes) -> None:
    for parser in (Parser(200), started(200)):
        parser.feed(data)
