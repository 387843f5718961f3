"""Presence (RFC 6121, sections 3 and 4): that a client is available, what it says of its user, and who may see it.

Those who have a direct conversation see each other; so asking to see somebody begins one, and is granted at once. Not to
see somebody is to take them out of the roster; not to be seen, to block them.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from hongyan.core.errors import HongyanError
from hongyan.gateways.xmpp.caps import key_of
from hongyan.gateways.xmpp.codec import Element, quote
from hongyan.gateways.xmpp.elsewhere import elsewhere
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.s2s.subscribing import KINDS
from hongyan.gateways.xmpp.shown import detail, status_of, text_of

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource

_NS = "jabber:client"
_DIRECTED = 100


def received(resource: "Resource", stanza: Element, to: Jid | None, finished: Callable[[], None]) -> Awaitable[bool] | None:
    """See `incoming.received`."""
    house = resource.house
    if to is not None and to.domain == house.rooms_domain:
        return house.table.room_presence(resource, stanza, to, finished)
    if to is not None and to.domain != house.domain:
        if house.federation is not None and stanza.get("type") in KINDS:
            return house.federation.subscribing.says(resource, stanza.get("type"), to.bare)
        elsewhere(resource, stanza, to)
        finished()
        return None
    work = _own(resource, stanza) if to is None else _to(resource, stanza, to)
    if work is None:
        finished()
    return work


def _own(resource: "Resource", stanza: Element) -> Awaitable[bool] | None:
    type, people = stanza.get("type"), resource.house.people
    if type == "unavailable":
        people.leave(resource)
        resource.rooms.clear()  # who is not there is in no room
        resource.new_rooms.clear()
        return None
    if type == "error":
        return None
    if type:
        raise StanzaFault("bad-request")
    priority, status, key = _priority(stanza.said(f"{_NS} priority")), status_of(stanza), key_of(stanza)
    said = detail(resource.jid.resource, stanza)

    def tell() -> None:
        resource.house.messaging.presence.appear(resource.session, status, text_of(stanza), said)
        people.capable(resource, key)

    async def first() -> bool:
        await people.arrive(resource, priority)
        tell()
        _appear(resource)
        return True

    if resource.priority is None:
        return first()
    resource.priority = priority
    tell()
    _appear(resource)
    return None


def _appear(resource: "Resource") -> None:
    """From now on it is given what comes, and once what came while nobody was there."""
    if (resource.priority or 0) >= 0 and not resource.appeared:
        resource.appeared = True
        resource.outgoing.begin()
    else:
        resource.outgoing.wake()


def _to(resource: "Resource", stanza: Element, to: Jid) -> Awaitable[bool] | None:
    type, house = stanza.get("type"), resource.house
    if not to.local or type == "error":
        return None
    match type:
        case "":
            directed = resource.around.directed
            if to not in directed and len(directed) >= _DIRECTED:
                raise StanzaFault("resource-constraint", f"Presence may be sent to {_DIRECTED} addresses")
            directed.add(to)
            status_of(stanza)
            house.people.direct(resource, to, "", detail("", stanza)[1:])
        case "unavailable":
            resource.around.directed.discard(to)
            house.people.direct(resource, to, " type='unavailable'", "")
        case "probe":
            return _probe(resource, to.bare)
        case "subscribe":
            return _subscribe(resource, to.bare)
        case "unsubscribe" | "unsubscribed":
            return _again(resource, to.bare)
        case "subscribed":
            pass  # it is granted already
        case _:
            raise StanzaFault("bad-request")
    return None


async def _probe(resource: "Resource", to: Jid) -> bool:
    """Section 4.3: what it is told anyway, once more. Of others it learns nothing."""
    await resource.house.people.refresh(resource)
    if to.local == resource.user or resource.around.sees(to.local):
        resource.around.shown.pop(to.local, None)
        resource.house.people.sync(resource, to.local)
    else:
        _answer(resource, to, "unsubscribed")
    return True


async def _subscribe(resource: "Resource", to: Jid) -> bool:
    """Section 3.1: whoever has an account can be written to, and who has a conversation sees the other."""
    house = resource.house
    if to.local == resource.user:
        return True
    house.changes.spend(resource.user)
    circle = await house.people.refresh(resource)
    if not resource.around.sees(to.local):
        if resource.around.blocks(to):
            raise StanzaFault("not-acceptable", "You have blocked them")
        try:
            await house.xmpp.places.meet(resource.caller, to.local)
        except HongyanError as error:
            if error.code != "not-found":
                raise
            _answer(resource, to, "unsubscribed")
            return True
        if to.local not in circle.people:
            contact = circle.contacts.get(str(to))  # or it was taken out of the roster, and comes back
            await house.xmpp.circles.set_entry(
                resource.caller,
                str(to),
                contact.name if contact is not None else "",
                contact.groups if contact is not None else (),
            )
    _answer(resource, to, "subscribed")
    return True


async def _again(resource: "Resource", to: Jid) -> bool:
    """Sections 3.2 and 3.3: nobody's sight of the other changes by it, so the client is told again how it is."""
    around = resource.around
    around.roster.pop(str(to), None)
    circle = await resource.house.people.refresh(resource)
    for tell in resource.house.table.circles:
        tell(resource, circle, circle)
    return True


def _answer(resource: "Resource", by: Jid, type: str) -> None:
    resource.send(f"<presence type='{type}' from='{quote(str(by))}' to='{quote(str(resource.jid.bare))}'/>")


def _priority(said: str | None) -> int:
    try:
        found = int(said or 0)
    except ValueError:
        raise StanzaFault("bad-request", "A priority is a number") from None
    if not -128 <= found <= 127:
        raise StanzaFault("bad-request", "A priority is between -128 and 127")
    return found
