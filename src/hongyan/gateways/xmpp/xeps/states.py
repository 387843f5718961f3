"""XEP-0085: Chat State Notifications: that somebody is typing, or not any more. Other states are not told."""

from typing import Any

from hongyan.core.errors import NotFound
from hongyan.gateways.xmpp import acting
from hongyan.gateways.xmpp.chats import told
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.table import Table

NS = "http://jabber.org/protocol/chatstates"


def register(table: Table) -> None:
    for state in ("active", "composing", "paused", "inactive", "gone"):
        table.signs[f"{NS} {state}"] = _state
    table.signals["typing"].append(_told)
    table.feature(NS, where="account")


async def _state(resource: Resource, stanza: Element, state: Element, to: Jid) -> None:
    """Between people who have never written it is told to nobody: nothing is made for it, and it is no fault."""
    try:
        lane = await acting.conversation(resource, to)
        await resource.house.messaging.presence.typing(resource.caller, lane, state.local == "composing")
    except NotFound:
        return
    except StanzaFault:
        if to.domain == resource.house.rooms_domain:
            raise


def _told(resource: Resource, body: dict[str, Any]) -> None:
    place = resource.house.xmpp.places.get(str(body["conversation"]))
    if place is None:
        resource.house.task(_learn(resource, body))
        return
    if place.peer(resource.user) == body["user"] and (resource.priority or 0) >= 0:
        state = "composing" if body["typing"] else "paused"
        told(resource, False, str(body["user"]), f"<{state} xmlns='{NS}'/><no-store xmlns='urn:xmpp:hints'/>")


async def _learn(resource: Resource, body: dict[str, Any]) -> None:
    try:
        await resource.house.xmpp.places.find(str(body["conversation"]))
    except NotFound:
        return
    _told(resource, body)
