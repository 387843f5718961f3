"""What a stanza does to a message, as acts of its sender."""

from typing import TYPE_CHECKING

from hongyan.core.acts import Act
from hongyan.core.errors import ClientIdReused
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.messages import another_id, client_id
from hongyan.gateways.xmpp.rooms import joined_at

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource


async def conversation(resource: "Resource", to: Jid) -> str:
    """The one with somebody, or a room that the resource has joined. It is not made for this. Raises StanzaFault."""
    house = resource.house
    if to.domain == house.rooms_domain:
        joined = joined_at(resource, to) if not to.resource else None
        if joined is None:
            raise StanzaFault("not-acceptable", "Join the room first")
        return joined.id
    found = await house.xmpp.places.between(resource.user, house.user(to))
    if found is None:
        raise StanzaFault("item-not-found", "There is no conversation with them")
    return found


async def act(resource: "Resource", stanza: Element, lane: str, *acts: Act) -> None:
    """Do these, in their order. The first has the id of the stanza. Raises HongyanError."""
    given = stanza.get("id")
    id = client_id(resource, given)
    for number, one in enumerate(acts):
        id = id if not number else another_id(resource, "")
        resource.outgoing.mine(id)
        try:
            await resource.house.messaging.acts.act(resource.caller, lane, one, id)
        except ClientIdReused:
            again = another_id(resource, given)
            resource.outgoing.mine(again)
            await resource.house.messaging.acts.act(resource.caller, lane, one, again)
