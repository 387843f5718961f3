"""What is said to a room (XEP-0045, sections 7.4, 7.5, 7.8, 8.1) and invitations to it (also XEP-0249).

Messages go through the sender and come back from the log. A message to an occupant goes into the conversation of the two.
"""

from collections.abc import Awaitable, Callable

from hongyan.core.content import Content
from hongyan.core.errors import NotFound
from hongyan.features.xmpp import is_remote
from hongyan.gateways.xmpp import jid, messages, saying
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.nicks import user_of
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.rooms import MUC_USER, Joined, account, joined_at
from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.xeps.muc import making

CONFERENCE = "jabber:x:conference"
_SUBJECT = "jabber:client subject"
_MOST_INVITED = 20

Finished = Callable[[], None]


def register(table: Table) -> None:
    table.room_message = _message
    table.messages[f"{CONFERENCE} x"] = _passed_on
    table.feature(CONFERENCE, where="rooms")


def _message(resource: Resource, stanza: Element, to: Jid, finished: Finished) -> Awaitable[bool] | None:
    type = stanza.get("type")
    if not to.local:
        raise StanzaFault("service-unavailable")
    if type == "error":
        finished()
        return None
    if making.is_new(resource, to):
        return _first(resource, stanza, to, finished)
    joined = joined_at(resource, to)
    if joined is None:
        if type == "groupchat" or to.resource:
            raise StanzaFault("not-acceptable", "Join this room first")
        return _asked(resource, stanza, to)
    if type == "groupchat":
        return _said(resource, stanza, to, joined, finished)
    if to.resource:
        return _privately(resource, stanza, to, joined, finished)
    return _asked(resource, stanza, to)


async def _first(resource: Resource, stanza: Element, to: Jid, finished: Finished) -> bool:
    """The room that it has begun is made by this."""
    await making.finish(resource, to)
    work = _message(resource, stanza, to, finished)
    return False if work is None else await work


def _said(resource: Resource, stanza: Element, to: Jid, joined: Joined, finished: Finished) -> Awaitable[bool] | None:
    if to.resource:
        raise StanzaFault("bad-request", "What is said to everybody goes to the room")
    content: Content | None = saying.only_text(stanza)
    if content is None and (work := messages.special(resource, stanza, to)) is not None:
        return work
    content = content or saying.plain(stanza)
    if content is not None:
        return messages.say(resource, stanza, to, joined.id, content, finished)
    subject = stanza.said(_SUBJECT)
    if subject is not None:
        return _subject(resource, joined, subject)
    finished()  # nothing that is kept
    return None


async def _subject(resource: Resource, joined: Joined, subject: str) -> bool:
    await resource.house.messaging.conversations.change(resource.caller, joined.id, topic=" ".join(subject.split()))
    return True


async def _privately(resource: Resource, stanza: Element, to: Jid, joined: Joined, finished: Finished) -> bool:
    rooms, user = resource.house.xmpp.directory, user_of(to.resource)
    me, other = await rooms.person(joined.id, resource.user), await rooms.person(joined.id, user)
    if me is None or me.role is None:
        raise StanzaFault("not-acceptable", "You are not in this room")
    if other is None or other.role is None:
        raise StanzaFault("item-not-found", "Nobody here is called so")
    content = saying.plain(stanza)
    if content is None:
        return True
    lane = await resource.house.xmpp.places.meet(resource.caller, user)
    messages.send(resource, stanza, lane, content, finished)
    return False


async def _asked(resource: Resource, stanza: Element, to: Jid) -> bool:
    """A message to the room itself: an invitation by way of it."""
    x = stanza.child(f"{MUC_USER} x")
    invites = x.all(f"{MUC_USER} invite") if x is not None else []
    if not invites:
        if x is not None and x.child(f"{MUC_USER} decline") is not None:
            return True  # who was invited is a member, and may leave
        raise StanzaFault("bad-request", "A message to a room is for everybody in it, or an invitation")
    if len(invites) > _MOST_INVITED:
        raise StanzaFault("policy-violation", f"One message may invite {_MOST_INVITED} people")
    if is_remote(resource.user):
        raise StanzaFault("not-allowed", "People of this server invite")
    people = [account(resource, invite.get("to")) for invite in invites]
    room = await resource.house.xmpp.directory.look(resource.user, to.local)
    await resource.house.messaging.conversations.add(resource.caller, room.place.id, people)
    return True


async def _passed_on(resource: Resource, stanza: Element, part: Element, to: Jid) -> None:
    """XEP-0249: who is invited to a room of this server becomes a member, if the rights are there, and the room tells them."""
    house = resource.house
    room = jid.address(part.get("jid"))
    if to.domain != house.domain:
        raise StanzaFault("bad-request", "Somebody is invited, not a room")
    if room.domain == house.rooms_domain:
        if is_remote(resource.user):
            raise StanzaFault("not-allowed", "People of this server invite")
        if making.is_new(resource, room):
            await making.finish(resource, room)
        found = await house.xmpp.directory.look(resource.user, room.local)
        known = await house.xmpp.directory.person(found.place.id, to.local)
        if known is None or known.role is None:
            try:
                await house.messaging.conversations.add(resource.caller, found.place.id, [to.local])
            except NotFound as error:
                raise StanzaFault("service-unavailable", error.detail) from None
            return
    messages.pass_on(resource, stanza, to)
