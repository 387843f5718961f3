"""Stanzas of a bound resource: to whom they go (RFC 6120, section 10; RFC 6121, section 8)."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from hongyan.core.errors import NotFound
from hongyan.gateways.xmpp import jid, messages, presences
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.elsewhere import elsewhere
from hongyan.gateways.xmpp.faults import StanzaFault, StreamFault
from hongyan.gateways.xmpp.jid import BadJid, Jid
from hongyan.gateways.xmpp.table import Where

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource

Work = Awaitable[bool] | None
"""Later, and whether it is finished by then; None: it has called, or will call, `finished`."""


def received(resource: "Resource", stanza: Element, finished: Callable[[], None]) -> Work:
    """Raises StanzaFault, StreamFault and HongyanError."""
    resource.house.stanzas.spend(resource.user)
    to = _addressed(resource, stanza)
    if to is not None and resource.around.circle is not None and _blocked(resource, stanza, to):
        raise StanzaFault("not-acceptable", "You have blocked them", more="<blocked xmlns='urn:xmpp:blocking:errors'/>")
    if stanza.name == "jabber:client message":
        return messages.received(resource, stanza, to, finished)
    if stanza.name == "jabber:client presence":
        return presences.received(resource, stanza, to, finished)
    return _iq(resource, stanza, to or resource.jid.bare, finished)


def _addressed(resource: "Resource", stanza: Element) -> Jid | None:
    """Whom it is sent to. A false sender ends the stream (RFC 6120, section 8.1.2.1)."""
    sender = stanza.attributes.get("from")
    try:
        if sender is not None and jid.parse(sender) not in (resource.jid, resource.jid.bare):
            raise StreamFault("invalid-from")
    except BadJid:
        raise StreamFault("invalid-from") from None
    to = stanza.attributes.get("to")
    return None if to is None else jid.address(to)


def _blocked(resource: "Resource", stanza: Element, to: Jid) -> bool:
    """Nothing is sent to whom one has blocked (XEP-0191, section 3.1); one's own account and server cannot be."""
    if stanza.get("type") in ("unavailable", "unsubscribe", "unsubscribed", "error", "result"):
        return False
    return bool(to.local) and to.bare != resource.jid.bare and resource.around.blocks(to)


def _iq(resource: "Resource", iq: Element, to: Jid, finished: Callable[[], None]) -> Work:
    type, inside = iq.get("type"), iq.children
    if type not in ("get", "set", "result", "error") or "id" not in iq.attributes:
        raise StanzaFault("bad-request", "An iq has a type and an id")
    if type in ("get", "set") and len(inside) != 1:
        raise StanzaFault("bad-request", "An iq asks for one thing")
    where = _where(resource, to)
    if where is None:
        elsewhere(resource, iq, to)
        finished()
        return None
    if to.resource and where == "user":
        _pass_on(resource, iq, to)
        finished()
        return None
    if type in ("result", "error"):
        resource.answered(iq)
        finished()
        return None
    query = inside[0]
    handler = resource.house.table.find(where, type, query.name)
    if handler is None:
        raise StanzaFault("service-unavailable")
    answer = handler(resource, iq, query, to)
    if isinstance(answer, str):
        _answer(resource, iq, answer)
        finished()
        return None
    return _later(resource, iq, answer)


async def _later(resource: "Resource", iq: Element, answer: Awaitable[str]) -> bool:
    _answer(resource, iq, await answer)
    return True


def _answer(resource: "Resource", iq: Element, inside: str) -> None:
    to = iq.attributes.get("to")
    resource.result(iq, inside, sender=None if to is None else jid.parse(to))


def _where(resource: "Resource", to: Jid) -> Where | None:
    house = resource.house
    if to.domain == house.domain:
        if not to.local:
            return "server"
        return "account" if to == resource.jid.bare else "user"
    if to.domain == house.rooms_domain:
        return "room" if to.local else "rooms"
    if to.domain == house.upload_domain and not to.local:
        return "upload"
    return None


def _pass_on(resource: "Resource", iq: Element, to: Jid) -> None:
    """To another client, which answers or does not."""
    iq.attributes["from"], iq.attributes["to"] = str(resource.jid), str(to)
    if iq.get("type") in ("get", "set"):
        resource.house.clients.ask(to, iq, resource.jid)
    else:
        resource.house.clients.answer(to, iq, resource.jid)


async def user_of(resource: "Resource", to: Jid) -> str:
    """The account at an address of this server. Raises StanzaFault when there is none."""
    try:
        return (await resource.house.messaging.people.get(to.local)).id
    except NotFound:
        raise StanzaFault("service-unavailable") from None  # as for somebody who is not there (RFC 6121, section 8.5.1)
