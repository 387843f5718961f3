"""Who is what in a room (XEP-0045, sections 5.2, 9, 10.3 to 10.8): affiliations are the roles of members, and none is no member.

To ask for affiliation none for oneself is to leave for good. Roles follow from affiliations, so they are not given. Who is kicked
is a member no more, as with affiliation none; who is banned (`outcast`) does not come in again before an owner or admin says so.
"""

import msgspec

from hongyan.core import policy
from hongyan.core.errors import Invalid, NotFound
from hongyan.core.model import Role
from hongyan.features.xmpp import Room
from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.codec import Element, quote
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.nicks import nickname, user_of
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.rooms import MUC
from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.xeps.muc.finding import inside

NS = f"{MUC}#admin"
_MOST = 50
"""Items of one request."""
_LISTED = 1_000
"""Members that one list may have."""

_ROLES: dict[str, Role] = {"owner": "owner", "admin": "admin", "member": "member"}


class _Wanted(msgspec.Struct, frozen=True):
    user: str
    role: Role | None
    """None: no member any more."""
    expelled: bool = False
    """Kicked or banned, which nobody does to themselves."""
    banned: bool = False


def register(table: Table) -> None:
    table.iq("room", "get", f"{NS} query", _get)
    table.iq("room", "set", f"{NS} query", _set)


async def _get(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    room = await inside(resource, to)
    items = query.all(f"{NS} item")
    if len(items) != 1:
        raise StanzaFault("bad-request", "Ask for one list")
    wanted = items[0].get("affiliation")
    if wanted == "outcast":
        return await _outcasts(resource, room)
    if wanted not in _ROLES:
        raise StanzaFault("feature-not-implemented", "There are lists of affiliations")
    house, found = resource.house, []
    members = house.messaging.conversations.members
    for member in (await members(resource.caller, room.place.id, None, _LISTED, role=_ROLES[wanted]))[0]:
        address, nick = quote(str(house.jid(member.id))), quote(nickname(member.name, member.id))
        found.append(f"<item affiliation='{wanted}' jid='{address}' nick='{nick}'/>")
    return f"<query xmlns='{NS}'>{''.join(found)}</query>"


async def _outcasts(resource: Resource, room: Room) -> str:
    house = resource.house
    found = await house.messaging.bans.all(resource.caller, room.place.id)
    items = "".join(f"<item affiliation='outcast' jid='{house.quoted(one.id)}'/>" for one in found)
    return f"<query xmlns='{NS}'>{items}</query>"


async def _set(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    """One after the other; the first that is refused ends it. Each is a change, as if it had come alone."""
    items = query.all(f"{NS} item")
    if not items:
        raise StanzaFault("bad-request", "Name somebody")
    if len(items) > _MOST:
        raise StanzaFault("policy-violation", f"One request may name {_MOST} people")
    wanted = [_wanted(item, _user(resource, item)) for item in items]
    if any(one.expelled and one.user == resource.user for one in wanted):
        raise StanzaFault("conflict", "Nobody expels themselves: to leave for good, give yourself affiliation none")
    room = await inside(resource, to)
    for one in wanted:
        resource.house.changes.spend(resource.user)
        if one.banned:
            await resource.house.messaging.bans.ban(resource.caller, room.place.id, one.user)
        elif one.expelled:
            await resource.house.messaging.conversations.remove(resource.caller, room.place.id, one.user)
        else:
            await _give(resource, room, one.user, one.role)
    return ""


def _wanted(item: Element, user: str) -> _Wanted:
    affiliation, role = item.get("affiliation"), item.get("role")
    if role and not affiliation:
        if role != "none":
            raise StanzaFault("not-allowed", "Roles follow from affiliations")
        return _Wanted(user, None, expelled=True)
    if affiliation == "outcast":
        return _Wanted(user, None, expelled=True, banned=True)
    if affiliation == "none":
        return _Wanted(user, None)
    if affiliation not in _ROLES:
        raise StanzaFault("bad-request", "There is no such affiliation")
    return _Wanted(user, _ROLES[affiliation])


def _user(resource: Resource, item: Element) -> str:
    address = item.get("jid")
    if not address:
        if not item.get("nick"):
            raise StanzaFault("bad-request", "Name somebody")
        return user_of(item.get("nick"))
    found = jid.address(address)
    if not found.local:
        raise StanzaFault("item-not-found", "Members are people")
    return resource.house.user(found)


async def _give(resource: Resource, room: Room, user: str, role: Role | None) -> None:
    conversations, caller, conversation = resource.house.messaging.conversations, resource.caller, room.place.id
    if role is None:
        try:
            await conversations.remove(caller, conversation, user)
        except NotFound:  # who is outside may be kept there
            await resource.house.messaging.bans.lift(caller, conversation, user)
        return
    person = await resource.house.xmpp.directory.person(conversation, user)
    if person is None:
        raise NotFound(f"There is no user {user}")
    if person.role == role:
        return
    if person.role is None:
        if role == "owner":
            raise Invalid("Only who is in the room can become its owner")
        if role == "admin":
            policy.set_role(room.place.kind, room.role, "member")  # before anything is done
        await conversations.add(caller, conversation, [user])
    if person.role is not None or role != "member":
        await conversations.set_role(caller, conversation, user, role)
