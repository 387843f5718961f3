"""What a message says, as it stands in a stanza: the same in live delivery, in copies, in rooms and from the archive.

Lengths in fallbacks and references are counted in code points (XEP-0426), as Python does.
"""

import msgspec

from hongyan.core.content import in_words
from hongyan.core.model import Event
from hongyan.features.xmpp import Place
from hongyan.gateways.xmpp import encryption
from hongyan.gateways.xmpp.codec import escape, quote
from hongyan.gateways.xmpp.jid import Jid, of_user
from hongyan.gateways.xmpp.messages import shown_id
from hongyan.gateways.xmpp.nicks import nickname
from hongyan.messaging import About

SID = "urn:xmpp:sid:0"
REPLY = "urn:xmpp:reply:0"
FALLBACK = "urn:xmpp:fallback:0"
REFERENCE = "urn:xmpp:reference:0"
MARKERS = "urn:xmpp:chat-markers:0"
_QUOTED = 200
_QUOTED_LINES = 4


class Reader(msgspec.Struct, frozen=True):
    """How addresses are made for who reads a conversation."""

    domain: str
    rooms_domain: str
    place: Place

    @property
    def room(self) -> bool:
        return self.place.pair is None

    def address(self, user: str, about: About) -> Jid:
        """Of somebody in it: their account, or the occupant of the room."""
        if self.room:
            return Jid(self.place.name, self.rooms_domain, nickname(about.names.get(user, user), user))
        return of_user(user, self.domain)

    def name(self, event: Event) -> str:
        """How clients name a message in what is about it: by its stanza-id in rooms, else by the id of the stanza."""
        return str(event.position) if self.room else shown_id(event.client_id, event.seq)


class _Said(msgspec.Struct, frozen=True):
    type: str = ""
    text: str = ""
    mentions: tuple[str, ...] = ()
    reply: int | None = None
    thread: int | None = None
    xml: str = ""
    oob: bool = False


_said = msgspec.json.Decoder(_Said).decode


def said(event: Event) -> str:
    """Of a message that needs nothing looked up. Empty for one that was taken back."""
    content = _said(event.content)
    if content.type == "encrypted":
        return encryption.given(content.xml, content.text)
    words = content.text if content.type == "text" else in_words(event.content)
    return f"<body>{escape(words)}</body>{_file(content)}" if words else ""


def says(event: Event, reader: Reader, about: About) -> str:
    """Of any message, with what it answers, where it belongs and whom it mentions."""
    content = _said(event.content)
    if content.type != "text":
        return said(event)
    before, parts = "", []
    target = about.targets.get((event.lane, content.reply)) if content.reply is not None else None
    if target is not None:
        before = _quote(target, about)
        to = quote(str(reader.address(target.sender or "", about)))
        parts.append(f"<reply xmlns='{REPLY}' to='{to}' id='{quote(reader.name(target))}'/>")
        if before:
            parts.append(f"<fallback xmlns='{FALLBACK}' for='{REPLY}'><body start='0' end='{len(before)}'/></fallback>")
    root = about.targets.get((event.lane, content.thread)) if content.thread is not None else None
    if root is not None:
        parts.append(f"<thread>{root.position}</thread>")
    parts += [_mention(who, content.text, len(before), reader) for who in content.mentions if not who.startswith("@")]
    return f"<body>{escape(before + content.text)}</body>{_file(content)}{''.join(parts)}"


def _file(content: _Said) -> str:
    """XEP-0066: clients show what is there, and not the address."""
    return f"<x xmlns='jabber:x:oob'><url>{escape(content.text)}</url></x>" if content.oob else ""


def simple(event: Event) -> bool:
    """Nothing has to be looked up for it."""
    content = event.content
    return event.type == "message" and not (b'"reply":' in content or b'"thread":' in content)


def _quote(target: Event, about: About) -> str:
    """What is quoted, for clients that know no replies. Nothing of what was taken back."""
    state = about.states.get((target.lane, target.seq))
    words = state.text if state is not None and state.text is not None else in_words(target.content)
    lines = words[:_QUOTED].splitlines()[:_QUOTED_LINES]
    return "".join(f"> {line}\n" for line in lines)


def _mention(who: str, text: str, offset: int, reader: Reader) -> str:
    at = text.find(f"@{who}")
    where = f" begin='{offset + at}' end='{offset + at + len(who) + 1}'" if at >= 0 else ""
    return f"<reference xmlns='{REFERENCE}' type='mention' uri='xmpp:{quote(str(of_user(who, reader.domain)))}'{where}/>"


def stanza_id(by: str, event: Event) -> str:
    """Its place in the archive of `by`, an account or a room (XEP-0359): the position in the log."""
    return f"<stanza-id xmlns='{SID}' by='{quote(by)}' id='{event.position}'/>"
