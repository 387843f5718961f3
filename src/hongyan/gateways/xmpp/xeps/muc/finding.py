"""Which rooms there are, and what a room is (XEP-0045, section 6). Channels are everybody's to find, groups their members'.

Pages of the list are those of XEP-0059.
"""

from hongyan.core.errors import NotFound
from hongyan.features.xmpp import Room
from hongyan.gateways.xmpp.codec import Element, quote
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.nicks import nickname
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.rooms import MUC, OCCUPANT_ID
from hongyan.gateways.xmpp.rsm import RSM, asked, told
from hongyan.gateways.xmpp.said import SID
from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.xeps.muc import making
from hongyan.gateways.xmpp.xeps.muc.forms import form

INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
_PAGE = 100
_OWN_NICK = "x-roomuser-item"


def register(table: Table) -> None:
    table.iq("rooms", "get", f"{ITEMS} query", _list)
    table.iq("room", "get", f"{INFO} query", _info)
    table.iq("room", "get", f"{ITEMS} query", _occupants)
    table.feature(MUC, RSM, where="rooms")
    table.feature(INFO, ITEMS, MUC, f"{MUC}#stable_id", SID, OCCUPANT_ID, where="room")


async def _list(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    if query.get("node"):
        raise StanzaFault("item-not-found")
    house = resource.house
    page = asked(query, _PAGE, _PAGE)
    found, index, count = await house.xmpp.directory.page(resource.user, after=page.after, before=page.before, limit=page.limit)
    items = "".join(
        f"<item jid='{quote(str(Jid(room.place.name, house.rooms_domain)))}' name='{quote(room.place.title or '')}'/>"
        for room in found
    )
    ends = (found[0].place.id, found[-1].place.id) if found else (None, None)
    paged = query.child(f"{RSM} set") is not None or count > len(found)
    return f"<query xmlns='{ITEMS}'>{items}{told(*ends, index=index, count=count) if paged else ''}</query>"


async def _info(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    _room_itself(to)
    node, house = query.get("node"), resource.house
    if making.is_new(resource, to):
        return _told(resource, node, to.local, "", "all", 1, member_only=True)
    room = await house.xmpp.directory.look(resource.user, to.local)
    if node == _OWN_NICK:
        nick = nickname((await house.messaging.people.names([resource.user])).get(resource.user, ""), resource.user)
        identity = f"<identity category='conference' type='text' name='{quote(nick)}'/>"
        return f"<query xmlns='{INFO}' node='{_OWN_NICK}'>{identity}</query>"
    title, topic = room.place.title or "", room.place.topic or ""
    return _told(resource, node, title, topic, room.writers, room.count, member_only=room.place.kind != "channel")


def _told(resource: Resource, node: str, title: str, topic: str, writers: str, count: int, *, member_only: bool) -> str:
    if node:
        raise StanzaFault("item-not-found")
    names = ["muc_persistent", "muc_unsecured", "muc_nonanonymous"]
    names += ["muc_membersonly", "muc_hidden"] if member_only else ["muc_open", "muc_public"]
    names.append("muc_unmoderated" if writers == "all" else "muc_moderated")
    names += resource.house.table.features["room"]
    features = "".join(f"<feature var='{quote(name)}'/>" for name in sorted(set(names)))
    fields = [
        ("muc#roomconfig_roomname", "text-single", "Title", title),
        ("muc#roominfo_description", "text-single", "Description", topic),
        ("muc#roominfo_subject", "text-single", "Subject", topic),
        ("muc#roominfo_occupants", "text-single", "Members", str(count)),
    ]
    identity = f"<identity category='conference' type='text' name='{quote(title)}'/>"
    return f"<query xmlns='{INFO}'>{identity}{features}{form('result', f'{MUC}#roominfo', fields)}</query>"


async def _occupants(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    """Presence tells of them; here only whether there is such a room (section 6.5)."""
    _room_itself(to)
    await resource.house.xmpp.directory.look(resource.user, to.local)
    return f"<query xmlns='{ITEMS}'/>"


def _room_itself(to: Jid) -> None:
    if to.resource:
        raise StanzaFault("service-unavailable", "Ask the account of an occupant")


async def inside(resource: Resource, to: Jid) -> Room:
    """A room that the user is in; one that it is about to make is made by this. Raises StanzaFault, NotFound."""
    _room_itself(to)
    if making.is_new(resource, to):
        await making.finish(resource, to)
    room = await resource.house.xmpp.directory.look(resource.user, to.local)
    if room.role is None:
        raise NotFound("There is no such room, or you are not in it")
    return room
