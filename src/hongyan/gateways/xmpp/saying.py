"""What a stanza says, as content: the other half of `said`. What it answers is looked up by the id that its client gives."""

from typing import TYPE_CHECKING

from hongyan.core.addresses import addresses_file
from hongyan.core.content import Content, Text
from hongyan.core.errors import NotFound
from hongyan.core.model import Event
from hongyan.gateways.xmpp import encryption
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.jid import Jid

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource

BODY = "jabber:client body"
REPLY = "urn:xmpp:reply:0 reply"
FALLBACK = "urn:xmpp:fallback:0"
_OOB = "jabber:x:oob"
_THREAD = "jabber:client thread"


def only_text(stanza: Element) -> Text | None:
    """Of a stanza that has a body and nothing else, which most have."""
    if len(stanza.inside) != 1 or not isinstance(body := stanza.inside[0], Element) or body.name != BODY:
        return None
    text = body.text
    return Text(text) if text and not text.isspace() else None


def plain(stanza: Element) -> Content | None:
    """What it says, as far as nothing has to be looked up. None when it says nothing that is kept."""
    if encryption.is_encrypted(stanza):
        return encryption.taken(stanza)
    body = stanza.said(BODY)
    if not body or body.isspace():
        return None
    file = stanza.child(f"{_OOB} x")
    address = body.strip()
    if file is not None and (file.said(f"{_OOB} url") or "").strip() == address and addresses_file(address):
        return Text(address, oob=True)
    return Text(body)


def refers(stanza: Element) -> bool:
    """It answers something, or may belong to a thread: ids of ours are numbers."""
    thread = stanza.said(_THREAD)
    return stanza.child(REPLY) is not None or (thread is not None and thread.isascii() and thread.isdecimal())


async def resolved(resource: "Resource", stanza: Element, to: Jid, lane: str, content: Content) -> Content:
    """With the messages that it refers to. What cannot be found stays the text that it is."""
    if not isinstance(content, Text):
        return content
    reply, text = None, content.text
    answers = stanza.child(REPLY)
    if answers is not None and (event := await _find(resource, to, lane, answers.get("id"))) is not None:
        reply, text = event.seq, without_fallback(stanza, text, REPLY.partition(" ")[0])
    thread = None
    root = await _find(resource, to, lane, stanza.said(_THREAD) or "", only_position=True)
    if root is not None and root.type == "message":
        thread = root.seq
    return Text(text, reply=reply, thread=thread, oob=content.oob and text == content.text)


async def found(resource: "Resource", to: Jid, lane: str, id: str, *, mine: bool = False) -> Event:
    """The message that a client means, in a conversation with somebody or a room. Raises NotFound."""
    house = resource.house
    room = to.domain == house.rooms_domain
    senders = (resource.user,) if mine or room else (resource.user, resource.house.user(to))
    return await house.xmpp.finding.message(resource.caller, lane, id, senders, room=room and not mine)


async def _find(resource: "Resource", to: Jid, lane: str, id: str, *, only_position: bool = False) -> Event | None:
    if only_position and not (id.isascii() and id.isdecimal()):
        return None
    try:
        return await found(resource, to, lane, id)
    except NotFound:
        return None


def without_fallback(stanza: Element, text: str, of: str) -> str:
    """The text without what is only for clients that do not know `of` (XEP-0428); all of it, where nothing would be left."""
    for fallback in stanza.all(f"{FALLBACK} fallback"):
        body = fallback.child(f"{FALLBACK} body")
        if fallback.get("for") != of or body is None:
            continue
        start, end = body.get("start"), body.get("end")
        if start.isascii() and end.isascii() and start.isdecimal() and end.isdecimal() and len(start) < 8 and len(end) < 8:
            left = _without(text, int(start), int(end))
            if int(start) <= int(end) and left.strip():
                return left
    return text


def _without(text: str, start: int, end: int) -> str:
    """Code points are counted (XEP-0426), and by Dino 0.4 bytes: a quote that ends a line only as bytes is counted in them."""
    raw = text.encode()
    if text[end - 1 : end] != "\n" and raw[end - 1 : end] == b"\n":
        return (raw[:start] + raw[end:]).decode(errors="ignore")
    return text[:start] + text[end:]
