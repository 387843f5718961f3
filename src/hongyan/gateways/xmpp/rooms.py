"""What a resource knows of the rooms it has joined, and the stanzas of rooms (XEP-0045): shared by all extensions that tell
something in a room.
"""

import asyncio
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from hongyan.core.model import Event, Role, Writers
from hongyan.features.xmpp import Roster
from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.codec import quote
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.messages import shown_id
from hongyan.gateways.xmpp.nicks import nickname
from hongyan.gateways.xmpp.said import SID, stanza_id
from hongyan.gateways.xmpp.shown import SHOW, status_text

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource

MUC = "http://jabber.org/protocol/muc"
MUC_USER = f"{MUC}#user"
OCCUPANT_ID = "urn:xmpp:occupant-id:0"


class Occupant(msgspec.Struct, frozen=True):
    """Somebody whom a resource was told of as being in the room."""

    nick: str
    role: Role


class Joined:
    """A room that a resource has joined. Before `ready` nothing of it was told, and its events wait."""

    __slots__ = ("address", "id", "nick", "ready", "role", "roster", "seen", "upto")

    def __init__(self, id: str, address: Jid) -> None:
        self.id = id
        self.address = address
        """As it was joined; everything comes from there."""
        self.nick = ""
        self.role: Role = "member"
        self.roster: Roster
        self.seen: dict[str, Occupant] = {}
        """Others whom it was told of, and not that they have gone."""
        self.upto = 0
        """Events up to this position were in what it was told when it came in."""
        self.ready = asyncio.Event()

    def nick_of(self, user: str, own: str) -> str | None:
        """As it was told, or would be; None has to be asked for. `own` is the resource's user."""
        if user == own:
            return self.nick
        if (seen := self.seen.get(user)) is not None:
            return seen.nick
        person = self.roster.people.get(user) if self.roster.people is not None else None
        return nickname(person.name, user) if person is not None else None


def joined_at(resource: "Resource", room: Jid) -> Joined | None:
    """What it has joined at this address."""
    found = resource.rooms.get(resource.addresses.get(room.local, ""))
    return found if found is not None and found.address.local == room.local else None


def join(resource: "Resource", joined: Joined) -> None:
    resource.rooms[joined.id] = joined
    resource.addresses[joined.address.local] = joined.id


def account(resource: "Resource", address: str) -> str:
    """Who may be a member. Raises StanzaFault."""
    found = jid.address(address)
    if found.domain != resource.house.domain or not found.local:
        raise StanzaFault("item-not-found", "Rooms have accounts of this server as members")
    return found.local


def affiliation(role: Role | None) -> str:
    return role or "none"


def voice(role: Role, writers: Writers) -> str:
    """The role of an occupant (XEP-0045, section 5.1)."""
    return "moderator" if role != "member" else "participant" if writers == "all" else "visitor"


def item(
    resource: "Resource",
    user: str,
    role: Role | None,
    voice: str,
    *,
    actor: str | None = None,
    nick: str = "",
    banned: bool = False,
) -> str:
    """Rooms are not anonymous: everybody's address is shown."""
    address = resource.jid if user == resource.user else resource.house.jid(user)
    renamed = f" nick='{quote(nick)}'" if nick else ""
    by = f"<actor nick='{quote(actor)}'/>" if actor else ""
    held = "outcast" if banned else affiliation(role)
    return f"<item affiliation='{held}' role='{voice}' jid='{quote(str(address))}'{renamed}>{by}</item>"


def statuses(codes: Iterable[int]) -> str:
    return "".join([f"<status code='{code}'/>" for code in codes])


def there(resource: "Resource", joined: Joined, user: str, nick: str, role: Role, *codes: int) -> None:
    """Somebody is in the room, and what they say of themselves."""
    words = ""
    if user == resource.user:
        codes = (*codes, 110)
    else:
        joined.seen[user] = Occupant(nick, role)
        summary = resource.house.messaging.attendance.summary_of(user)
        words = f"{SHOW[summary.status]}{status_text(summary)}" if summary is not None else ""
    inside = f"{item(resource, user, role, voice(role, joined.roster.writers))}{statuses(codes)}"
    _presence(resource, joined, user, nick, "", f"{words}<x xmlns='{MUC_USER}'>{inside}</x>")


def gone(resource: "Resource", joined: Joined, user: str, *codes: int, role: Role | None, inside: str = "", **more: Any) -> None:
    """Somebody whom it was told of is not in the room any more, at least not with this nickname."""
    if user == resource.user:
        nick, codes = joined.nick, (*codes, 110)
    else:
        seen = joined.seen.pop(user, None)
        if seen is None:
            return
        nick = seen.nick
    left = voice(role, joined.roster.writers) if role is not None and more.get("nick") else "none"
    what = f"{item(resource, user, role, left, **more)}{statuses(codes)}{inside}"
    _presence(resource, joined, user, nick, " type='unavailable'", f"<x xmlns='{MUC_USER}'>{what}</x>")


def _presence(resource: "Resource", joined: Joined, user: str, nick: str, type: str, inside: str) -> None:
    sender = quote(str(joined.address.at(nick)))
    resource.send(f"<presence from='{sender}' to='{resource.quoted}'{type}>{inside}{_occupant(user)}</presence>")


def _occupant(user: str) -> str:
    return f"<occupant-id xmlns='{OCCUPANT_ID}' id='{quote(user)}'/>"


def spoken(joined: Joined, event: Event, nick: str, inside: str) -> tuple[str, str]:
    """Something that somebody has said in a room, before and behind the address of who is told. `inside` is what it says."""
    by = str(joined.address)
    sender, id = quote(f"{by}/{nick}" if nick else by), quote(shown_id(event.client_id, event.seq))
    origin = f"<origin-id xmlns='{SID}' id='{id}'/>" if event.client_id is not None else ""  # clients know their own by it
    inside = f"{inside}{origin}{stanza_id(by, event)}{_occupant(event.sender or '')}"
    return f"<message from='{sender}' to='", f"' type='groupchat' id='{id}'>{inside}</message>"


def notice(resource: "Resource", joined: Joined, inside: str, nick: str = "") -> None:
    """Something that the room says, or that somebody has done to it."""
    by = joined.address.at(nick) if nick else joined.address
    resource.send(f"<message from='{quote(str(by))}' to='{resource.quoted}' type='groupchat'>{inside}</message>")


def small(resource: "Resource", user: str) -> "Iterator[tuple[Joined, Role, str]]":
    """Joined rooms with a list of people that somebody is on, their role and their nickname there."""
    for joined in list(resource.rooms.values()):
        people = joined.roster.people if joined.ready.is_set() else None
        if people is not None and (person := people.get(user)) is not None and person.role is not None:
            yield joined, person.role, joined.nick_of(user, resource.user) or user
