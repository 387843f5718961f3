"""Presence (RFC 6121, section 4): that a client is available, and what it says of its user."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource

_NS = "jabber:client"


def received(resource: "Resource", stanza: Element, to: Jid | None, finished: Callable[[], None]) -> Awaitable[bool] | None:
    """See `incoming.received`."""
    house = resource.house
    if to is not None and to.domain == house.rooms_domain:
        return house.table.room_presence(resource, stanza, to, finished)
    if to is None:
        _own(resource, stanza)
    finished()
    return None


def _own(resource: "Resource", stanza: Element) -> None:
    type = stanza.get("type")
    if type == "unavailable":
        resource.priority = None
        resource.rooms.clear()  # who is not there is in no room
        resource.new_rooms.clear()
    elif not type:
        resource.priority = _priority(stanza.said(f"{_NS} priority"))
        resource.outgoing.wake()
    else:
        raise StanzaFault("bad-request")


def _priority(said: str | None) -> int:
    try:
        found = int(said or 0)
    except ValueError:
        raise StanzaFault("bad-request", "A priority is a number") from None
    if not -128 <= found <= 127:
        raise StanzaFault("bad-request", "A priority is between -128 and 127")
    return found
