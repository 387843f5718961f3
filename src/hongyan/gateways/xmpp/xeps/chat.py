"""Messages of direct conversations, with their place in the archive (XEP-0359); copies of one's own (XEP-0280)."""

from collections.abc import Awaitable

from hongyan.core.content import in_words
from hongyan.core.model import Event
from hongyan.gateways.xmpp.codec import Element, escape, quote
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.messages import shown_id
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.table import Table

SID = "urn:xmpp:sid:0"
CARBONS = "urn:xmpp:carbons:2"
FORWARD = "urn:xmpp:forward:0"


def register(table: Table) -> None:
    table.events["message"] = _message
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


def _message(resource: Resource, event: Event) -> Awaitable[None] | None:
    mine = resource.outgoing.is_mine(event)
    place = resource.house.xmpp.places.get(event.lane)
    if place is None:
        return _learn(resource, event, mine)
    peer = place.peer(resource.user)
    if peer is None or mine or (resource.priority or 0) < 0:
        return None
    house = resource.house
    inside = f"{body(event)}{stanza_id(resource, event)}"
    id = quote(shown_id(event.client_id, event.seq))
    if event.sender != resource.user:
        resource.send(
            f"<message from='{quote(str(house.jid(peer)))}' to='{quote(str(resource.jid))}' type='chat' id='{id}'>{inside}</message>"
        )
    elif resource.carbons:
        me = quote(str(resource.jid.bare))
        resource.send(
            f"<message from='{me}' to='{quote(str(resource.jid))}' type='chat'><sent xmlns='{CARBONS}'><forwarded xmlns='{FORWARD}'>"
            f"<message xmlns='jabber:client' from='{me}' to='{quote(str(house.jid(peer)))}' type='chat' id='{id}'>{inside}"
            "</message></forwarded></sent></message>"
        )
    return None


async def _learn(resource: Resource, event: Event, mine: bool) -> None:
    await resource.house.xmpp.places.learn([event.lane])
    if mine:
        return
    if resource.house.xmpp.places.get(event.lane) is not None:
        _message(resource, event)


def body(event: Event) -> str:
    words = in_words(event.content)
    return f"<body>{escape(words)}</body>" if words else ""


def stanza_id(resource: Resource, event: Event) -> str:
    """Its place in the archive of the account."""
    return f"<stanza-id xmlns='{SID}' by='{quote(str(resource.jid.bare))}' id='{event.position}'/>"
