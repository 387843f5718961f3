"""XEP-0333: Displayed Markers. They are read marks: to others a marker of the newest message of theirs that was read, to one's
own other clients a copy of the marker.
"""

from functools import partial
from typing import Any

import msgspec

from hongyan.core.errors import NotFound
from hongyan.core.model import Event
from hongyan.features.xmpp import Place
from hongyan.gateways.xmpp import acting, saying
from hongyan.gateways.xmpp.chats import told
from hongyan.gateways.xmpp.codec import Element, quote
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.messages import shown_id
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.said import MARKERS
from hongyan.gateways.xmpp.table import Table, Work


class _Read(msgspec.Struct):
    conversation: str
    seq: int


_read = msgspec.json.Decoder(_Read).decode


def register(table: Table) -> None:
    table.signs[f"{MARKERS} displayed"] = _displayed
    table.signals["read"].append(_told)
    table.events["own", "read"] = _own
    table.feature(MARKERS, where="account")


async def _displayed(resource: Resource, stanza: Element, displayed: Element, to: Jid) -> None:
    lane = await acting.conversation(resource, to)
    event = await saying.found(resource, to, lane, displayed.get("id"))
    await resource.house.messaging.receipts.read(resource.caller, lane, event.seq)


def _told(resource: Resource, body: dict[str, Any]) -> None:
    """Somebody else has read up to there."""
    lane = str(body["conversation"])
    if _is_shown(resource, lane):
        resource.outgoing.then(partial(_show, resource, lane, int(body["seq"]), by=str(body["user"])))


def _own(resource: Resource, event: Event, place: Place | None) -> Work:
    read = _read(event.content)
    if resource.carbons and _is_shown(resource, read.conversation):
        return _show(resource, read.conversation, read.seq, by=resource.user)
    return None


def _is_shown(resource: Resource, lane: str) -> bool:
    """Nobody is told of marks in rooms; whether this is one may have to be asked."""
    place = resource.house.xmpp.places.get(lane)
    return (resource.priority or 0) >= 0 and (place is None or place.pair is not None)


async def _show(resource: Resource, lane: str, seq: int, *, by: str) -> None:
    """The marker names a message of who did not read it."""
    house = resource.house
    try:
        place = await house.xmpp.places.find(lane)
        peer = place.peer(resource.user)
        if peer is None:
            return
        author = peer if by == resource.user else resource.user
        event = await house.xmpp.finding.last_of(resource.caller, lane, author, seq)
    except NotFound:
        return
    id = quote(shown_id(event.client_id, event.seq))
    told(resource, by == resource.user, peer, f"<displayed xmlns='{MARKERS}' id='{id}'/><no-store xmlns='urn:xmpp:hints'/>")
