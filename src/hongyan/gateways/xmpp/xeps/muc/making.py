"""Making a room (XEP-0045, section 10.1). A name that nobody has is the client's alone until it accepts the usual settings, gives
others, or does anything in the room: only then there is a group or channel, whose kind never changes.
"""

from hongyan.core.model import Writers
from hongyan.features.xmpp import is_remote
from hongyan.gateways.xmpp.codec import quote
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.nicks import nickname
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.rooms import MUC_USER, Joined, join, statuses

_MOST = 20
"""Rooms that a resource may be about to make."""


async def begin(resource: Resource, to: Jid) -> None:
    if is_remote(resource.user):
        raise StanzaFault("not-allowed", "Rooms are made by people of this server")
    if len(resource.new_rooms) >= _MOST and to.local not in resource.new_rooms:
        raise StanzaFault("resource-constraint", "Finish the rooms that you have begun")
    user = resource.user
    nick = nickname((await resource.house.messaging.people.names([user])).get(user, user), user)
    resource.new_rooms[to.local] = nick
    codes = statuses((100, 110, 201) if nick == to.resource else (100, 110, 201, 210))
    me = f"<item affiliation='owner' role='moderator' jid='{resource.quoted}'/>"
    _tell(resource, to.bare.at(nick), "", f"{me}{codes}")
    sender = quote(str(to.bare))
    resource.send(f"<message from='{sender}' to='{resource.quoted}' type='groupchat'><subject></subject></message>")


def is_new(resource: Resource, to: Jid) -> bool:
    return to.local in resource.new_rooms


def cancel(resource: Resource, to: Jid) -> None:
    """Nothing was made."""
    nick = resource.new_rooms.pop(to.local, None)
    if nick is not None:
        me = "<item affiliation='none' role='none'/><status code='110'/>"
        _tell(resource, to.bare.at(nick), " type='unavailable'", me)


async def finish(
    resource: Resource, to: Jid, *, title: str = "", channel: bool = False, topic: str | None = None, writers: Writers = "all"
) -> Joined:
    """There is a room now. Raises Conflict when somebody else has taken the name, Invalid, and what the service refuses."""
    house, user = resource.house, resource.user
    id = await house.xmpp.directory.create(
        resource.caller, to.local, title or to.local, channel=channel, topic=topic or None, writers=writers
    )
    joined = Joined(id, to.bare)
    joined.nick, joined.role = resource.new_rooms.pop(to.local, user), "owner"
    joined.roster = await house.xmpp.rosters.hold(id)
    joined.upto = house.messaging.log.position
    joined.ready.set()
    join(resource, joined)
    return joined


def _tell(resource: Resource, sender: Jid, type: str, inside: str) -> None:
    to = resource.quoted
    resource.send(f"<presence from='{quote(str(sender))}' to='{to}'{type}><x xmlns='{MUC_USER}'>{inside}</x></presence>")
