"""Entering a room, leaving it, and what one is told first (XEP-0045, sections 7.1, 7.2, 7.6, 7.14, 10.1)."""

from collections.abc import Awaitable, Callable

from hongyan.core.errors import NotFound
from hongyan.features.xmpp import Person, Place
from hongyan.gateways.xmpp.codec import Element, escape
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.nicks import nickname
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.rooms import MUC, Joined, gone, join, joined_at, notice, there
from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.xeps.muc import history, making

_MOST = 500
"""Rooms that one resource may have joined."""


def register(table: Table) -> None:
    table.room_presence = _presence


def _presence(resource: Resource, stanza: Element, to: Jid, finished: Callable[[], None]) -> Awaitable[bool] | None:
    type = stanza.get("type")
    if not to.local:
        raise StanzaFault("service-unavailable")
    if type == "error":
        finished()
        return None
    if type == "unavailable":
        _leave(resource, to)
        finished()
        return None
    if type:
        raise StanzaFault("not-allowed", "Nobody subscribes to a room: join it")
    if not to.resource:
        raise StanzaFault("jid-malformed", "A room is joined with a nickname")
    x, joined = stanza.child(f"{MUC} x"), joined_at(resource, to)
    if x is None:
        if joined is None or to.resource != joined.nick:
            raise StanzaFault("not-acceptable", "Nicknames are given" if joined is not None else "You have not joined this room")
        finished()  # somebody's presence is one and the same everywhere
        return None
    if resource.priority is None:
        raise StanzaFault("unexpected-request", "Be available first")
    if joined is None and len(resource.rooms) >= _MOST:
        raise StanzaFault("resource-constraint", f"One client may join {_MOST} rooms")
    return _enter(resource, history.Wanted.of(x), to)


def _leave(resource: Resource, to: Jid) -> None:
    """The view of this resource. Who wants to leave for good asks for affiliation none."""
    making.cancel(resource, to)
    joined = joined_at(resource, to)
    if joined is not None:
        gone(resource, joined, resource.user, role=joined.role)
        del resource.rooms[joined.id]


async def _enter(resource: Resource, wanted: history.Wanted, to: Jid) -> bool:
    rooms = resource.house.xmpp.directory
    try:
        room = await rooms.look(resource.user, to.local)
    except NotFound:
        if not await rooms.may_be_made(to.local):
            raise StanzaFault("registration-required", "A member has to bring you in") from None
        await making.begin(resource, to)
        return True
    resource.new_rooms.pop(to.local, None)  # somebody else was quicker
    if room.role is None:
        await resource.house.messaging.conversations.join(resource.caller, room.place.id)
    await _come_in(resource, room.place, wanted, to)
    return True


async def _come_in(resource: Resource, place: Place, wanted: history.Wanted, to: Jid) -> None:
    """Who is there, then oneself, then what was said, then the subject."""
    house, user = resource.house, resource.user
    joined = Joined(place.id, to.bare)
    join(resource, joined)
    try:
        joined.roster = await house.xmpp.rosters.hold(place.id)
        me = await house.xmpp.directory.person(place.id, user)
        if me is None or me.role is None:
            raise NotFound("There is no such room, or you are not in it")
        joined.nick, joined.role = nickname(me.name, user), me.role
        lines, upto = await history.read(resource, joined, wanted)
        await house.messaging.log.reached(upto)
        joined.upto = upto
        await resource.may_take()
    except BaseException:
        if resource.rooms.get(place.id) is joined:
            del resource.rooms[place.id]
        joined.ready.set()
        raise
    people = joined.roster.people or {}
    me = people.get(user, me)
    joined.nick, joined.role = nickname(me.name, user), me.role or joined.role
    for other, person in people.items():
        _show(resource, joined, other, person)
    codes = (100,) if joined.nick == to.resource else (100, 210)
    there(resource, joined, user, joined.nick, joined.role, *codes)
    for line in lines:
        resource.send(line)
    known = house.xmpp.places.get(place.id) or place
    notice(resource, joined, f"<subject>{escape(known.topic or '')}</subject>")
    joined.ready.set()


def _show(resource: Resource, joined: Joined, user: str, person: Person) -> None:
    here = resource.house.messaging.attendance.summary_of(user) is not None
    if here and user != resource.user and person.role is not None:
        there(resource, joined, user, nickname(person.name, user), person.role)
