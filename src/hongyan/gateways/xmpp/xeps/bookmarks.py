"""XEP-0402: PEP Native Bookmarks; XEP-0049: Private XML Storage, and the bookmarks in it (XEP-0048, XEP-0411).

Bookmarks are the groups and channels that somebody is in, so that clients open them by themselves. One more is a channel to come
into, one less a channel to leave; what the platform does not allow is refused.
"""

from collections.abc import Sequence

from hongyan.core.errors import HongyanError
from hongyan.features.xmpp import MOST_ITEMS, Item, Membership, Node, Published
from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.codec import Element, escape, quote, render
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.house import House
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.nicks import nickname
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.table import Derived, Table

NODE = "urn:xmpp:bookmarks:1"
PRIVATE = "jabber:iq:private"
STORAGE = "storage:bookmarks"
_KEPT = " private"


def register(table: Table) -> None:
    table.nodes[NODE] = _Bookmarks()
    table.nodes[STORAGE] = _Storage()
    table.iq("account", "get", f"{PRIVATE} query", _get)
    table.iq("account", "set", f"{PRIVATE} query", _set)
    table.feature(PRIVATE)
    table.feature(PRIVATE, f"{NODE}#compat", f"{NODE}#compat-pep", "urn:xmpp:bookmarks-conversion:0", where="account")
    table.started.append(lambda house: house.xmpp.rooms.watch(lambda *what: _changed(house, *what)))


class _Bookmarks(Derived):
    access = "whitelist"

    async def items(self, resource: Resource, owner: str, ids: Sequence[str]) -> list[Item]:
        found = [_item(resource, room) for room in await resource.house.xmpp.rooms.of(owner)]
        return [one for one in found if not ids or one.id in ids]

    async def latest(self, resource: Resource) -> list[Published]:
        return [Published(resource.user, Node(NODE), item) for item in await self.items(resource, resource.user, ())]

    async def publish(self, resource: Resource, id: str, payload: Element) -> None:
        if payload.name != f"{NODE} conference":
            raise StanzaFault("bad-request")
        room = await _room(resource, id)
        if not await resource.house.xmpp.rooms.of(resource.user, room):
            await resource.house.messaging.conversations.join(resource.caller, room)

    async def retract(self, resource: Resource, id: str) -> None:
        found = await resource.house.xmpp.rooms.of(resource.user, await _room(resource, id))
        if not found:
            raise StanzaFault("item-not-found")
        if not found[0].channel:
            raise StanzaFault("not-allowed", "A group is left in the room itself")
        await resource.house.messaging.conversations.remove(resource.caller, found[0].id, resource.user)


class _Storage(Derived):
    access = "whitelist"

    async def items(self, resource: Resource, owner: str, ids: Sequence[str]) -> list[Item]:
        return [Item("current", await _storage(resource))]

    async def publish(self, resource: Resource, id: str, payload: Element) -> None:
        await _enter(resource, payload)


async def _get(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    asked = _one(query)
    if asked.name == f"{STORAGE} storage":
        return f"<query xmlns='{PRIVATE}'>{await _storage(resource)}</query>"
    kept = await resource.house.xmpp.nodes.items(resource.user, _KEPT, (asked.name,))
    said = kept[0].payload if kept else render(Element(asked.name), PRIVATE)
    return f"<query xmlns='{PRIVATE}'>{said}</query>"


async def _set(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    said = _one(query)
    resource.house.changes.spend(resource.user)
    if said.name == f"{STORAGE} storage":
        await _enter(resource, said)
    else:
        node = Node(_KEPT, "whitelist", MOST_ITEMS)
        await resource.house.xmpp.nodes.publish(resource.caller, node, Item(said.name, render(said, PRIVATE)), hidden=True)
    return ""


def _one(query: Element) -> Element:
    if len(query.children) != 1 or not query.children[0].space:
        raise StanzaFault("bad-request", "One element with a namespace of its own")
    return query.children[0]


async def _storage(resource: Resource) -> str:
    rooms = await resource.house.xmpp.rooms.of(resource.user)
    said = [
        f"<conference jid='{quote(_address(resource.house, room.name))}' name='{quote(room.title)}' autojoin='true'>"
        f"<nick>{escape(_nick(resource))}</nick></conference>"
        for room in rooms
    ]
    return f"<storage xmlns='{STORAGE}'>{''.join(said)}</storage>"


async def _enter(resource: Resource, storage: Element) -> None:
    """A whole list at once: channels that are new in it are come into where that is allowed; nothing is left."""
    inside = {room.id for room in await resource.house.xmpp.rooms.of(resource.user)}
    for conference in storage.all(f"{STORAGE} conference")[:MOST_ITEMS]:
        try:
            room = await _room(resource, conference.get("jid"))
            if room not in inside:
                resource.house.changes.spend(resource.user)
                await resource.house.messaging.conversations.join(resource.caller, room)
        except (StanzaFault, HongyanError) as error:
            resource.house.log.debug("a bookmark was not heeded: %s", error)


async def _room(resource: Resource, address: str) -> str:
    """The conversation. Raises StanzaFault and NotFound."""
    found = jid.address(address)
    if found.domain != resource.house.rooms_domain or not found.local:
        raise StanzaFault("not-allowed", "Rooms of other servers are not kept here")
    return (await resource.house.xmpp.directory.look(resource.user, found.local)).place.id


def _address(house: House, room: str) -> str:
    return str(Jid(room, house.rooms_domain))


def _nick(resource: Resource) -> str:
    return nickname(resource.caller.name, resource.user)


def _item(resource: Resource, room: Membership) -> Item:
    nick = f"<nick>{escape(_nick(resource))}</nick>"
    said = f"<conference xmlns='{NODE}' name='{quote(room.title)}' autojoin='true'>{nick}</conference>"
    return Item(_address(resource.house, room.name), said)


def _changed(house: House, user: str, room: str, inside: bool) -> None:
    for resource in house.of(user):
        if NODE in resource.around.wants:
            if inside:
                house.people.later(_tell(resource, room))
            else:
                house.people.later(_retracted(resource, room))


async def _retracted(resource: Resource, id: str) -> None:
    house = resource.house
    house.people.retracted(resource, resource.user, NODE, _address(house, await house.xmpp.directory.name(id)))


async def _tell(resource: Resource, id: str) -> None:
    for room in await resource.house.xmpp.rooms.of(resource.user, id):
        resource.house.people.notify(resource, Published(resource.user, Node(NODE), _item(resource, room)))
