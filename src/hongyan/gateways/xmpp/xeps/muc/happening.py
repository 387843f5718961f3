"""What happens in rooms, to resources that have joined them (XEP-0045, sections 7.4, 8 to 10).

Who is added gets an invitation."""

from typing import Any

import msgspec

from hongyan.core.model import Event, Role
from hongyan.features.xmpp import Place, RoomChange, decode_change
from hongyan.gateways.xmpp.codec import escape, quote
from hongyan.gateways.xmpp.inside import by_name, inside
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.nicks import nickname
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.rooms import MUC_USER, Joined, Occupant, gone, item, notice, small, statuses, there
from hongyan.gateways.xmpp.table import Table, Work


class _Profile(msgspec.Struct):
    id: str
    name: str


_REMOVED, _BANNED = (307, 321), (301,)
"""By a kick or by affiliation none, which are the same here. Many clients know the first only, and take the other for leaving."""
_decode_profile = msgspec.json.Decoder(_Profile).decode


def register(table: Table) -> None:
    table.events["room", "member"] = _membership
    table.events["room", "create"] = _created
    table.events["room", "settings"] = by_name(_tell_settings)
    table.profile = _profile
    table.signals["presence"].append(_presence)


# Who comes and goes


def _created(resource: Resource, event: Event, place: Place | None) -> Work:
    return _invited(resource, event, decode_change(event.content).members)


def _membership(resource: Resource, event: Event, place: Place | None) -> Work:
    if event.lane in resource.rooms:
        return _members(resource, event, place)
    change = decode_change(event.content)
    return _invited(resource, event, change.users) if change.action == "add" else None


def _invited(resource: Resource, event: Event, people: list[Any]) -> Work:
    """Somebody has brought this user in."""
    mine = any(person.id == resource.user for person in people)
    if not mine or event.sender in (None, resource.user) or (resource.priority or 0) < 0:
        return None
    return _invite(resource, event)


async def _invite(resource: Resource, event: Event) -> None:
    house = resource.house
    room = Jid(await house.xmpp.directory.name(event.lane), house.rooms_domain)
    by = house.quoted(event.sender or "")
    resource.send(
        f"<message from='{quote(str(room))}' to='{resource.quoted}'><x xmlns='{MUC_USER}'><invite from='{by}'/></x></message>"
    )


def _changed(resource: Resource, event: Event, joined: Joined) -> Work:
    change = decode_change(event.content)
    actor = joined.nick_of(event.sender, resource.user) if event.sender is not None else None
    for person in change.users:
        mine = person.id == resource.user
        if change.action in ("remove", "leave") and not mine and person.id not in joined.seen:
            _not_here(resource, joined, person.id, None, banned=change.banned)
        elif change.action in ("remove", "leave"):
            codes = () if change.action == "leave" else _BANNED if change.banned else _REMOVED
            by = actor if change.action == "remove" else None
            gone(resource, joined, person.id, *codes, role=None, actor=by, banned=change.banned)
            if mine:
                del resource.rooms[joined.id]
                return None
        elif mine:
            joined.role = person.role
            there(resource, joined, person.id, joined.nick, person.role)
        else:
            _shown(resource, joined, person.id, person.name, person.role)
    if change.owner is not None:
        _succeeded(resource, joined, change.owner)
    return None


_members = inside(_changed)


def _shown(resource: Resource, joined: Joined, user: str, name: str, role: Any) -> None:
    seen = joined.seen.get(user)
    if seen is not None or _is_here(resource, joined, user):
        there(resource, joined, user, seen.nick if seen is not None else nickname(name, user), role)
    else:
        _not_here(resource, joined, user, role)


def _not_here(resource: Resource, joined: Joined, user: str, role: Role | None, *, banned: bool = False) -> None:
    """Of somebody who is not there only what they are in the room (section 9.3), in a message without a type."""
    head = f"<message from='{quote(str(joined.address))}' to='{resource.quoted}'>"
    resource.send(f"{head}<x xmlns='{MUC_USER}'>{item(resource, user, role, 'none', banned=banned)}</x></message>")


def _is_here(resource: Resource, joined: Joined, user: str) -> bool:
    return joined.roster.people is not None and resource.house.messaging.attendance.summary_of(user) is not None


def _succeeded(resource: Resource, joined: Joined, heir: str) -> None:
    if heir == resource.user:
        joined.role = "owner"
        there(resource, joined, heir, joined.nick, "owner")
    elif (seen := joined.seen.get(heir)) is not None:
        there(resource, joined, heir, seen.nick, "owner")


def _presence(resource: Resource, body: dict[str, Any]) -> None:
    user = body["user"]
    if user == resource.user:
        return
    for joined, role, nick in small(resource, user):
        if body["status"] == "offline":
            gone(resource, joined, user, role=role)
        else:
            there(resource, joined, user, nick, role)


def _profile(resource: Resource, event: Event, place: Place | None) -> None:
    """Another nickname (section 7.6)."""
    told = _decode_profile(event.content)
    nick, mine = nickname(told.name, told.id), told.id == resource.user
    for joined in list(resource.rooms.values()):
        was = Occupant(joined.nick, joined.role) if mine else joined.seen.get(told.id)
        if joined.ready.is_set() and was is not None and was.nick != nick:
            gone(resource, joined, told.id, 303, role=was.role, nick=nick)
            if mine:
                joined.nick = nick
            there(resource, joined, told.id, nick, was.role)


# What the room is


def _tell_settings(resource: Resource, event: Event, joined: Joined, nick: str) -> None:
    change: RoomChange = decode_change(event.content)
    if change.topic is not msgspec.UNSET:
        notice(resource, joined, f"<subject>{escape(change.topic or '')}</subject>", nick)
    if change.title is not msgspec.UNSET or change.writers is not None or change.history is not None:
        notice(resource, joined, f"<x xmlns='{MUC_USER}'>{statuses([104])}</x>")
    if change.writers is not None:  # whether members may speak
        for user, seen in list(joined.seen.items()):
            if seen.role == "member":
                there(resource, joined, user, seen.nick, seen.role)
        if joined.role == "member":
            there(resource, joined, resource.user, joined.nick, joined.role)
