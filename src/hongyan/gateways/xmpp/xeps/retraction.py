"""XEP-0424: Message Retraction, which is a recall; XEP-0425: Moderated Message Retraction, a recall by admins of a room."""

import msgspec

from hongyan.core.acts import Recall
from hongyan.core.model import Event
from hongyan.gateways.xmpp import acting, saying
from hongyan.gateways.xmpp.codec import Element, quote
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.said import FALLBACK, Reader
from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.telling import moderated, tell
from hongyan.messaging import About

NS = "urn:xmpp:message-retract:1"
MODERATE = "urn:xmpp:message-moderate:1"
_BODY = "/me retracted a previous message, but it's unsupported by your client."


class _Seq(msgspec.Struct):
    seq: int = 0


_seq = msgspec.json.Decoder(_Seq).decode


def register(table: Table) -> None:
    table.messages[f"{NS} retract"] = _retract
    table.iq("room", "set", f"{MODERATE} moderate", _moderate)
    table.events["direct", "recall"] = table.events["room", "recall"] = tell
    table.forms["recall"] = _form
    for where in ("account", "room"):
        table.feature(NS, where=where)
    table.feature(MODERATE, where="room")


async def _retract(resource: Resource, stanza: Element, retract: Element, to: Jid) -> None:
    lane = await acting.conversation(resource, to)
    event = await saying.found(resource, to, lane, retract.get("id"))
    if event.sender != resource.user:
        raise StanzaFault("forbidden", "Only who wrote a message may retract it")
    await acting.act(resource, stanza, lane, Recall(event.seq))


async def _moderate(resource: Resource, iq: Element, moderate: Element, to: Jid) -> str:
    if moderate.child(f"{NS} retract") is None:
        raise StanzaFault("feature-not-implemented")
    lane = await acting.conversation(resource, to)
    event = await saying.found(resource, to, lane, moderate.get("id"))
    await acting.act(resource, iq, lane, Recall(event.seq))
    return ""


def _form(event: Event, reader: Reader, about: About) -> str:
    target = about.targets.get((event.lane, _seq(event.content).seq))
    if target is None:
        return ""
    inside = ""
    if reader.room and event.sender is not None and moderated(event, about):
        inside = f"<moderated xmlns='{MODERATE}' by='{quote(str(reader.address(event.sender, about)))}'/>"
    return (
        f"<retract xmlns='{NS}' id='{quote(reader.name(target))}'>{inside}</retract>"
        f"<fallback xmlns='{FALLBACK}' for='{NS}'/><body>{_BODY}</body><store xmlns='urn:xmpp:hints'/>"
    )
