"""Messages: with a body into the conversation, which keeps them; without one to the clients of whom they are sent to, now."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from hongyan.core.content import Content, Text
from hongyan.core.errors import ClientIdReused, HongyanError, Invalid
from hongyan.core.ids import check_client_id, id_from_bits
from hongyan.gateways.xmpp.codec import Element, render
from hongyan.gateways.xmpp.elsewhere import elsewhere
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.store import Appended

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource

BODY = "jabber:client body"
_OWN = 16
"""An id of so many characters is taken for one that is used once."""

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
    for part in stanza.inside:
        if isinstance(part, Element) and (handler := house.table.messages.get(part.name)) is not None:
            return _special(resource, handler(resource, stanza, part, to))
    body = stanza.said(BODY)
    if not body or stanza.get("type") == "headline":
        pass_on(resource, stanza, to)
        finished()
        return None
    lane = house.xmpp.places.direct(resource.user, house.user(to))
    if lane is None:
        return _meet(resource, stanza, to, Text(body), finished)
    send(resource, stanza, lane, Text(body), finished)
    return None


def _passes(resource: "Resource", stanza: Element, to: Jid) -> bool:
    """What is sent to another server as it is: all that says nothing to a person, and what is said in rooms there."""
    return stanza.get("type") in ("groupchat", "error", "headline") or not stanza.said(BODY) or to.bare in resource.directed


async def _special(resource: "Resource", work: Awaitable[None]) -> bool:
    await work
    return True


async def _meet(resource: "Resource", stanza: Element, to: Jid, content: Content, finished: Finished) -> bool:
    """They have not written to each other on this node yet."""
    house = resource.house
    try:
        if to.domain != house.domain:
            await house.xmpp.remotes.meet(house.user(to), house.now())
        lane = await house.xmpp.places.meet(resource.caller, house.user(to))
    except HongyanError as error:
        raise StanzaFault("service-unavailable", error.detail) if error.code == "not-found" else error from None
    send(resource, stanza, lane, content, finished)
    return False


def send(resource: "Resource", stanza: Element, lane: str, content: Content, finished: Finished) -> None:
    """Into a conversation; `finished` when it is durable or refused. The stanza's id is the client id, if it is one of a kind."""
    house = resource.house
    given = stanza.get("id")
    client_id = _client_id(resource, given)

    def done(result: Appended | HongyanError) -> None:
        if isinstance(result, ClientIdReused) and client_id == given:
            again = _another(resource, given)
            resource.outgoing.mine(again)
            house.messaging.sender.submit(resource.caller, lane, again, content, done)
            return
        if isinstance(result, HongyanError):
            resource.refuse(stanza, result)
        finished()

    resource.outgoing.mine(client_id)
    house.messaging.sender.submit(resource.caller, lane, client_id, content, done)


def _client_id(resource: "Resource", given: str) -> str:
    if len(given) >= _OWN:
        try:
            return check_client_id(given)
        except Invalid:
            pass
    return _another(resource, given)


def _another(resource: "Resource", given: str) -> str:
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
    return client_id.partition("~")[0] or client_id


def pass_on(resource: "Resource", stanza: Element, to: Jid) -> None:
    """To the clients of somebody that are connected now, or to one of them; to nobody else and not kept."""
    stanza.attributes["from"], stanza.attributes["to"] = str(resource.jid), str(to)
    resource.house.pass_on(to, render(stanza), resource.jid, besides=resource)
