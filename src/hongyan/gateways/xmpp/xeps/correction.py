"""XEP-0308: Last Message Correction, of any message of one's own as long as it may be edited."""

import msgspec

from hongyan.core.acts import Edit
from hongyan.core.model import Event
from hongyan.gateways.xmpp import acting, saying
from hongyan.gateways.xmpp.codec import Element, escape, quote
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.messages import shown_id
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.said import Reader
from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.telling import tell
from hongyan.messaging import About

NS = "urn:xmpp:message-correct:0"


class _Edit(msgspec.Struct):
    seq: int = 0
    text: str = ""


_edit = msgspec.json.Decoder(_Edit).decode


def register(table: Table) -> None:
    table.messages[f"{NS} replace"] = _correct
    table.events["direct", "edit"] = table.events["room", "edit"] = tell
    table.forms["edit"] = _form
    table.feature(NS, where="account")


async def _correct(resource: Resource, stanza: Element, replace: Element, to: Jid) -> None:
    body = stanza.said(saying.BODY)
    if not body or body.isspace():
        raise StanzaFault("bad-request", "A correction says something")
    lane = await acting.conversation(resource, to)
    event = await saying.found(resource, to, lane, replace.get("id"), mine=True)
    text = saying.without_fallback(stanza, body, saying.REPLY.partition(" ")[0])
    await acting.act(resource, stanza, lane, Edit(event.seq, text))


def _form(event: Event, reader: Reader, about: About) -> str:
    """The id is that of the stanza, in rooms too. What was taken back meanwhile says nothing."""
    edit = _edit(event.content)
    target = about.targets.get((event.lane, edit.seq))
    if target is None or not edit.text:
        return ""
    id = shown_id(target.client_id, target.seq)
    return f"<body>{escape(edit.text)}</body><replace xmlns='{NS}' id='{quote(id)}'/>"
