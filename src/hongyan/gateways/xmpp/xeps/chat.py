"""Messages of direct conversations, and copies of one's own (XEP-0280)."""

from hongyan.core.model import Event
from hongyan.features.xmpp import Place
from hongyan.gateways.xmpp.codec import Element, quote
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.messages import shown_id
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.said import SID, said, stanza_id
from hongyan.gateways.xmpp.table import Table

CARBONS = "urn:xmpp:carbons:2"
FORWARD = "urn:xmpp:forward:0"


def register(table: Table) -> None:
    table.events["direct", "message"] = _message
    table.iq("account", "set", f"{CARBONS} enable", _enable)
    table.iq("account", "set", f"{CARBONS} disable", _disable)
    table.feature(SID, where="account")
    table.feature(CARBONS)


def _enable(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    resource.carbons = True
    return ""


def _disable(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    resource.carbons = False
    return ""


def _message(resource: Resource, event: Event, place: Place | None) -> None:
    mine = resource.outgoing.is_mine(event)
    peer = place.peer(resource.user) if place is not None else None
    if peer is None or mine or (resource.priority or 0) < 0:
        return
    told(resource, event, peer, f"{said(event)}{stanza_id(str(resource.jid.bare), event)}", shown_id(event.client_id, event.seq))


def told(resource: Resource, event: Event, peer: str, inside: str, id: str) -> None:
    """A message of a direct conversation; one of one's own as a copy, to clients that want copies."""
    me, to = quote(str(resource.jid.bare)), quote(str(resource.jid))
    other = quote(str(resource.house.jid(peer)))
    if event.sender != resource.user:
        resource.send(f"<message from='{other}' to='{to}' type='chat' id='{quote(id)}'>{inside}</message>")
    elif resource.carbons:
        sent = f"<message xmlns='jabber:client' from='{me}' to='{other}' type='chat' id='{quote(id)}'>{inside}</message>"
        copy = f"<sent xmlns='{CARBONS}'><forwarded xmlns='{FORWARD}'>{sent}</forwarded></sent>"
        resource.send(f"<message from='{me}' to='{to}' type='chat'>{copy}</message>")
