"""Messages: with a body into the conversation, which keeps them; without one to the clients of whom they are sent to, now."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from hongyan.core.content import Content
from hongyan.core.errors import ClientIdReused, HongyanError, Invalid
from hongyan.core.ids import check_client_id, id_from_bits
from hongyan.gateways.xmpp import encryption, saying
from hongyan.gateways.xmpp.codec import Element, render
from hongyan.gateways.xmpp.elsewhere import elsewhere
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.store import Appended

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource

BODY = saying.BODY
RECEIPT = "urn:xmpp:receipts request"
_CALL = "urn:xmpp:jingle-message:0 propose"
_OWN = 16
"""An id of so many characters is taken for one that is used once."""

_SERVERS = frozenset(
    (
        "urn:xmpp:sid:0 stanza-id",
        "urn:xmpp:delay delay",
        "jabber:x:delay x",
        "urn:xmpp:forward:0 forwarded",
        "urn:xmpp:carbons:2 sent",
        "urn:xmpp:carbons:2 received",
        "urn:xmpp:mam:2 result",
        "urn:xmpp:mam:tmp archived",
        "http://jabber.org/protocol/muc#user x",
        "http://jabber.org/protocol/address addresses",
    )
)
"""Elements that only a server says: they are never passed on."""

Finished = Callable[[], None]


def received(resource: "Resource", stanza: Element, to: Jid | None, finished: Finished) -> Awaitable[bool] | None:
    """See `incoming.received`."""
    house = resource.house
    to = to or resource.jid.bare
    if to.domain == house.rooms_domain:
        return house.table.room_message(resource, stanza, to, finished)
    if to.domain != house.domain and (house.federation is None or _passes(resource, stanza, to)):
        elsewhere(resource, stanza, to)
        finished()
        return None
    if not to.local or stanza.get("type") == "error":
        finished()
        return None
    content: Content | None = saying.only_text(stanza)
    if content is None and (work := special(resource, stanza, to)) is not None:
        return work
    content = content or saying.plain(stanza)
    if content is None or stanza.get("type") == "headline":
        pass_on(resource, stanza, to)
        finished()
        return None
    lane = house.xmpp.places.direct(resource.user, house.user(to))
    if lane is None:
        return _meet(resource, stanza, to, content, finished)
    return say(resource, stanza, to, lane, content, finished)


def _passes(resource: "Resource", stanza: Element, to: Jid) -> bool:
    """What is sent to another server as it is: all that says nothing to a person, and what is said in rooms there. Nobody is at
    the address that takes files: this is refused on the way.
    """
    if to.domain == resource.house.upload_domain:
        return True
    return stanza.get("type") in ("groupchat", "error", "headline") or not stanza.said(BODY) or to.bare in resource.directed


def special(resource: "Resource", stanza: Element, to: Jid) -> Awaitable[bool] | None:
    """What the extensions do with it, to a person or a room; None when it is a message like others."""
    table = resource.house.table
    if encryption.is_encrypted(stanza):
        return None
    says = bool(stanza.said(BODY))
    for part in stanza.inside:
        if not isinstance(part, Element):
            continue
        handler = table.messages.get(part.name) or (None if says else table.signs.get(part.name))
        if handler is not None:
            return _special(handler(resource, stanza, part, to))
    return None


def say(
    resource: "Resource", stanza: Element, to: Jid, lane: str, content: Content, finished: Finished
) -> Awaitable[bool] | None:
    """What a stanza says, into a conversation."""
    if saying.refers(stanza):
        return _resolved(resource, stanza, to, lane, content, finished)
    send(resource, stanza, lane, content, finished)
    return None


async def _special(work: Awaitable[None]) -> bool:
    await work
    return True


async def _resolved(resource: "Resource", stanza: Element, to: Jid, lane: str, content: Content, finished: Finished) -> bool:
    content = await saying.resolved(resource, stanza, to, lane, content)
    send(resource, stanza, lane, content, finished)
    return False


async def _meet(resource: "Resource", stanza: Element, to: Jid, content: Content, finished: Finished) -> bool:
    """They have not written to each other on this node yet."""
    house = resource.house
    try:
        lane = await house.xmpp.places.meet(resource.caller, house.user(to))
    except HongyanError as error:
        raise StanzaFault("service-unavailable", error.detail) if error.code == "not-found" else error from None
    return await _resolved(resource, stanza, to, lane, content, finished)


def send(resource: "Resource", stanza: Element, lane: str, content: Content, finished: Finished) -> None:
    """Into a conversation; `finished` when it is durable or refused. The stanza's id is the client id, if it is one of a kind."""
    sending = _Sending(resource, stanza, lane, content, finished)
    if stanza.child(RECEIPT) is not None:
        resource.house.asked.add((resource.user, sending.id))
    sending.submit()


class _Sending:
    """A stanza on its way into a conversation. Nothing in it refers to itself: that would be a cycle for each message, and they
    are left to the collector, which stops everything for tens of milliseconds.
    """

    __slots__ = ("_content", "_finished", "_given", "_lane", "_resource", "_stanza", "id")

    def __init__(self, resource: "Resource", stanza: Element, lane: str, content: Content, finished: Finished) -> None:
        self._resource = resource
        self._stanza = stanza
        self._lane = lane
        self._content = content
        self._finished = finished
        self._given = stanza.get("id")
        self.id = client_id(resource, self._given)

    def submit(self) -> None:
        resource = self._resource
        resource.outgoing.mine(self.id)
        resource.house.messaging.sender.submit(resource.caller, self._lane, self.id, self._content, self._done)

    def _done(self, result: Appended | HongyanError) -> None:
        if isinstance(result, ClientIdReused) and self.id == self._given:
            self.id = another_id(self._resource, self._given)
            self.submit()
            return
        if isinstance(result, HongyanError):
            self._resource.refuse(self._stanza, result)
        self._finished()


def client_id(resource: "Resource", given: str) -> str:
    if len(given) >= _OWN and "~" not in given:
        try:
            return check_client_id(given)
        except Invalid:
            pass
    return another_id(resource, given)


def another_id(resource: "Resource", given: str) -> str:
    """An id of a kind, from which the given one can be read again, where it fits."""
    fresh = id_from_bits(resource.house.random(10))
    made = f"{given}~{fresh}"
    try:
        return check_client_id(made)
    except Invalid:
        return f"~{fresh}"


def shown_id(client_id: str | None, seq: int) -> str:
    """The id of the stanza: as it was given by who sent it."""
    if client_id is None:
        return f"seq{seq}"
    return client_id.rpartition("~")[0] or client_id


def pass_on(resource: "Resource", stanza: Element, to: Jid) -> None:
    """To the clients of somebody that are connected now, or to one of them; to nobody else and not kept."""
    stanza.inside = [part for part in stanza.inside if not (isinstance(part, Element) and part.name in _SERVERS)]
    stanza.attributes["from"], stanza.attributes["to"] = str(resource.jid), str(to)
    urgent = stanza.child(_CALL) is not None
    resource.house.clients.tell(to, render(stanza), resource.jid, besides=resource, urgent=urgent)
