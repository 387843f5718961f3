"""XML of streams: bytes to elements and back, sans I/O. One hardened parser for everything foreign that is XML.

Refused are document types, entities, comments and processing instructions (RFC 6120, section 11.1), and whatever is too large,
too deep or has too many attributes. Names are `namespace name`, as expat gives them, with a space between.
"""

import re
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from hongyan.gateways.xmpp.faults import STANZA_ERRORS, StanzaFault, StreamFault

_DEPTH = 100
_ATTRIBUTES = 64
_ELEMENTS = 2_000
"""In one stanza."""
_SPECIAL = re.compile("""[&<>"']""")
_OTHER_MARKS = (b"\xfe", b"\xff")
"""Byte order marks of UTF-16; nothing in UTF-8 has these bytes."""
_SMALL = 1_024
_WORN = 262_144
"""Expat keeps every name that it has ever heard: after so many bytes a stanza is read by another parser."""
_TAG = re.compile(rb"""<[^<>'"]*(?:(?:'[^'<]*'|"[^"<]*")[^<>'"]*)*>""")
_BETWEEN = re.compile(rb"""(?:</[^<>]*>|<[^<>'"]*(?:(?:'[^'<]*'|"[^"<]*")[^<>'"]*)*/>)?\s*""")
"""From where the last stanza ended: its end, and nothing more."""
_STREAM = "http://etherx.jabber.org/streams stream"
_XML = "http://www.w3.org/XML/1998/namespace"

_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_QUOTED = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)


class Element:
    """One element. `attributes` may be written to; what is inside is never shared."""

    __slots__ = ("attributes", "inside", "name", "size")

    def __init__(self, name: str, attributes: dict[str, str] | None = None, *inside: "Element | str") -> None:
        self.name = name
        """`namespace name`, or `name` without a namespace."""
        self.attributes = {} if attributes is None else attributes
        self.inside: list[Element | str] = list(inside)
        self.size = 0
        """Of a stanza that came: its bytes."""

    @property
    def space(self) -> str:
        return self.name.rpartition(" ")[0]

    @property
    def local(self) -> str:
        return self.name.rpartition(" ")[2]

    @property
    def text(self) -> str:
        """What is written directly in it."""
        return "".join([part for part in self.inside if isinstance(part, str)])

    @property
    def children(self) -> "list[Element]":
        return [part for part in self.inside if isinstance(part, Element)]

    def child(self, name: str) -> "Element | None":
        """The first of this name."""
        for part in self.inside:
            if isinstance(part, Element) and part.name == name:
                return part
        return None

    def all(self, name: str) -> "list[Element]":
        return [part for part in self.inside if isinstance(part, Element) and part.name == name]

    def said(self, name: str) -> str | None:
        """The text of the first child of this name."""
        found = self.child(name)
        return None if found is None else found.text

    def get(self, attribute: str, otherwise: str = "") -> str:
        return self.attributes.get(attribute, otherwise)

    def __repr__(self) -> str:
        return f"<Element {self.name}>"  # never what somebody wrote


class Parser:
    """Gives the head of a stream as an element without children, then its stanzas, then None for its end, or a fault.

    A parser ends with its stream: a restart is another parser. `stanza_bytes` may grow when its client has logged in.
    """

    def __init__(self, stanza_bytes: int) -> None:
        self.stanza_bytes = stanza_bytes
        self._fed = 0
        self._done = 0
        """Up to this byte everything belongs to what was given."""
        self._open: list[Element] = []
        self._elements = 0
        self._ready: list[Element | None] = []
        self._text: list[str] = []
        self._prologue = b""
        """The head, as it came; empty when it is too long to be kept."""
        self._kept = b""
        """Between stanzas: what came since the last one, from where its end is said."""
        self._from = 0
        """The first byte that is still there: of what is kept, or was fed last."""
        self._worn = False
        self._expat: expat.XMLParserType | None = self._made()
        self._expat.StartElementHandler = self._head

    def _made(self) -> "expat.XMLParserType":
        parser = expat.ParserCreate("UTF-8", " ")
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.XmlDeclHandler = _declaration
        for refused in (
            "StartDoctypeDecl",
            "EntityDecl",
            "Comment",
            "ProcessingInstruction",
            "UnparsedEntityDecl",
            "SkippedEntity",
        ):
            setattr(parser, f"{refused}Handler", _restricted)
        if hasattr(parser, "SetReparseDeferralEnabled"):  # it would hold back a stanza that is whole
            parser.SetReparseDeferralEnabled(False)
        return parser

    def rest(self) -> None:
        """Nothing has come for a while: free what the parser takes, if it is between stanzas. What comes makes another one."""
        if self._expat is not None and self._prologue and not self._open and _BETWEEN.fullmatch(self._kept):
            self._expat, self._kept = None, b""

    def _awake(self) -> "expat.XMLParserType":
        if self._expat is None:
            self._expat = self._made()
            self._expat.Parse(self._prologue, False)
            self._expat.StartElementHandler = self._start
            self._fed = self._done = len(self._prologue)
        return self._expat

    def feed(self, data: bytes) -> "list[Element | StreamFault | None]":
        """What is whole now. A fault is the last; nothing may be fed after it."""
        self._awake()
        self._fed += len(data)
        self._worn = self._fed > _WORN
        data, new = self._kept + data, data
        self._from = self._fed - len(data)
        found: list[Element | StreamFault | None] = []
        try:
            try:
                self._parse(new, False)
            except _Worn as worn:
                data = data[worn.at - self._from :]
                self._renew(data)
            self._kept = b"" if self._open else data[max(0, self._done - self._from) :]
            if self._fed - self._done > self.stanza_bytes:
                raise StreamFault("policy-violation", "A stanza is larger than allowed")
        except StreamFault as fault:
            found.append(fault)
        found[:0] = self._ready
        self._ready.clear()
        return found

    def _renew(self, data: bytes) -> None:
        """Another parser reads on from here, the beginning of a stanza."""
        if not self._prologue:
            raise StreamFault("policy-violation", "The head of the stream is larger than allowed")
        self._expat, self._worn = None, False
        self._from = len(self._prologue)
        self._parse(data, False)
        self._fed += len(data)

    def _parse(self, data: bytes, last: bool) -> None:
        parser = self._awake()
        if data[:1] in _OTHER_MARKS and parser.CurrentByteIndex <= 0:
            raise StreamFault("unsupported-encoding")  # expat would believe it, whatever encoding it was told
        try:
            parser.Parse(data, last)
        except expat.ExpatError:
            raise StreamFault("not-well-formed") from None

    def _head(self, name: str, attributes: dict[str, str]) -> None:
        if len(attributes) > _ATTRIBUTES:
            raise StreamFault("policy-violation", "An element has more attributes than allowed")
        parser = self._awake()
        parser.StartElementHandler = self._start
        self._ready.append(Element(name, attributes))
        self._done = parser.CurrentByteIndex
        raw = _TAG.match(parser.GetInputContext() or b"")
        self._prologue = raw[0] if raw is not None and len(raw[0]) <= _SMALL else b""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name.startswith(_XML):  # nobody could say it again
            raise StreamFault("invalid-namespace")
        element = Element(name, attributes)
        if self._open:
            if self._text:
                self._flush()
            self._open[-1].inside.append(element)
            self._elements += 1
            if len(self._open) >= _DEPTH or self._elements > _ELEMENTS or len(attributes) > _ATTRIBUTES:
                raise StreamFault("policy-violation", "A stanza has more in it than allowed")
        elif len(attributes) > _ATTRIBUTES:
            raise StreamFault("policy-violation", "A stanza has more attributes than allowed")
        elif name == _STREAM:
            raise StreamFault("bad-format", "There is a stream in the stream")
        elif self._worn and (at := self._awake().CurrentByteIndex) >= self._from:
            raise _Worn(at)
        self._open.append(element)

    def _end(self, name: str) -> None:
        if not self._open:
            self._prologue = b""  # nothing goes on from here
            self._ready.append(None)
            return
        if self._text:
            self._flush()
        element = self._open.pop()
        if self._open:
            return
        here = self._awake().CurrentByteIndex
        if here - self._done > self.stanza_bytes:
            raise StreamFault("policy-violation", "A stanza is larger than allowed")
        element.size = here - self._done
        self._done = here
        self._elements = 0
        self._ready.append(element)

    def _characters(self, text: str) -> None:
        if self._open:
            self._text.append(text)
        elif not text.isspace():
            raise StreamFault("invalid-xml", "Text between stanzas")
        else:
            self._done = self._awake().CurrentByteIndex  # keep-alives

    def _flush(self) -> None:
        self._open[-1].inside.append("".join(self._text))
        self._text.clear()


class _Worn(Exception):
    """At this byte begins a stanza that another parser shall read."""

    def __init__(self, at: int) -> None:
        self.at = at


class _Whole(Parser):
    """A document of its own, whose outermost element is the stanza."""

    def _head(self, name: str, attributes: dict[str, str]) -> None:
        self._awake().StartElementHandler = self._start
        self._start(name, attributes)

    def document(self, data: bytes) -> Element:
        self._fed = len(data)
        self._parse(data, True)
        if len(self._ready) != 1 or self._ready[0] is None:
            raise StreamFault("not-well-formed")
        return self._ready[0]


def parse(data: bytes, most: int) -> Element:
    """One document: a message of a WebSocket (RFC 7395), a body of BOSH. Raises StreamFault."""
    if len(data) > most:
        raise StreamFault("policy-violation", "This is larger than allowed")
    return _Whole(most).document(data)


def _declaration(version: str, encoding: str | None, standalone: int) -> None:
    if version != "1.0" or (encoding is not None and encoding.upper() != "UTF-8"):
        raise StreamFault("unsupported-encoding")


def _restricted(*_: Any) -> None:
    raise StreamFault("restricted-xml")


def escape(text: str) -> str:
    """For what stands between tags. Characters that XML cannot say are left out."""
    if text.isprintable():
        return text if _SPECIAL.search(text) is None else text.translate(_TEXT)
    return _sayable(text).translate(_TEXT)


def quote(text: str) -> str:
    """For the value of an attribute, in either kind of quotes."""
    if text.isprintable():
        return text if _SPECIAL.search(text) is None else text.translate(_QUOTED)
    return _sayable(text).translate(_QUOTED)


def _sayable(text: str) -> str:
    """Char of XML 1.0, section 2.2."""
    return "".join([c for c in text if (c >= "\ue000" and c not in "\ufffe\uffff") or " " <= c < "\ud800" or c in "\t\n\r"])


def error_of(fault: StanzaFault) -> str:
    """As it stands in a stanza (RFC 6120, section 8.3.2)."""
    text = f"<text xmlns='{STANZA_ERRORS}' xml:lang='en'>{escape(fault.text)}</text>" if fault.text else ""
    code = " code='404'" if fault.condition == "item-not-found" else ""  # XEP-0086: profanity begins a list of keys only by it
    return f"<error type='{fault.type}'{code}><{fault.condition} xmlns='{STANZA_ERRORS}'/>{text}{fault.more}</error>"


def render(element: Element, space: str = "jabber:client") -> str:
    """As XML inside something whose namespace is `space`."""
    return "".join(_render(element, space))


def _render(element: Element, around: str) -> Iterator[str]:
    space, _, local = element.name.rpartition(" ")
    head = [f"<{local}"]
    if space != around:
        head.append(f" xmlns='{quote(space)}'")
    for number, (name, value) in enumerate(element.attributes.items()):
        of, _, key = name.rpartition(" ")
        if of == _XML:
            key = f"xml:{key}"
        elif of:
            head.append(f" xmlns:n{number}='{quote(of)}'")
            key = f"n{number}:{key}"
        head.append(f" {key}='{quote(value)}'")
    if not element.inside:
        yield "".join(head) + "/>"
        return
    yield "".join(head) + ">"
    for part in element.inside:
        if isinstance(part, str):
            yield escape(part)
        else:
            yield from _render(part, space)
    yield f"</{local}>"
