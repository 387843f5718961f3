"""Events as stanzas, of all conversations alike: what stands in them is a `Form` of the event's type, what is around it is the
conversation's: a chat between two, or a room.
"""

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from hongyan.core.model import Event
from hongyan.features.xmpp import Place
from hongyan.gateways.xmpp.said import Reader, simple, stanza_id
from hongyan.messaging.archive import NOTHING, About

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource


def tell(resource: "Resource", event: Event, place: Place | None) -> Awaitable[None] | None:
    """A `Shape` for events of conversations."""
    if place is None:
        return None
    mine = resource.outgoing.is_mine(event)
    if mine and place.pair is not None:
        return None  # in a room it comes back to who has sent it (XEP-0045, section 7.4)
    if place.pair is not None and simple(event):
        _tell(resource, event, place, NOTHING)
        return None
    return _later(resource, event, place)


async def _later(resource: "Resource", event: Event, place: Place) -> None:
    about = await resource.house.messaging.archive.about(resource.caller, [event])
    _tell(resource, event, place, about)


def _tell(resource: "Resource", event: Event, place: Place, about: About) -> None:
    house = resource.house
    form, wrap = house.table.forms.get(event.type), house.table.wraps.get("direct" if place.pair is not None else "room")
    if form is None or wrap is None:
        return
    reader = Reader(house.domain, house.rooms_domain, place)
    inside = form(event, reader, about)
    if inside:
        by = str(resource.jid.bare) if not reader.room else f"{place.id}@{house.rooms_domain}"
        wrap(resource, event, reader, about, f"{inside}{stanza_id(by, event)}")
