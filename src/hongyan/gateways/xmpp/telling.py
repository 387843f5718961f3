"""Events as stanzas, of all conversations alike: what stands in them is a `Form` of the event's type, what is around it is the
conversation's: a chat between two, or a room.
"""

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from hongyan.core.model import Event
from hongyan.features.xmpp import Place
from hongyan.gateways.xmpp.inside import inside, named
from hongyan.gateways.xmpp.rooms import Joined, spoken
from hongyan.gateways.xmpp.said import Reader, simple, stanza_id
from hongyan.messaging.archive import NOTHING, About, points_to

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource


def moderated(event: Event, about: About) -> bool:
    """A message that somebody else had written was taken back (XEP-0425): the room tells of it."""
    if event.type != "recall" or event.sender is None:
        return False
    return any(target.sender != event.sender for seq in points_to(event) if (target := about.targets.get((event.lane, seq))))


def tell(resource: "Resource", event: Event, place: Place | None) -> Awaitable[None] | None:
    """A `Shape` for events of conversations."""
    if place is None:
        return None
    mine = resource.outgoing.is_mine(event)
    if place.pair is None:
        return _in_room(resource, event, place)  # it comes back to who has sent it, too (XEP-0045, section 7.4)
    if mine:
        return None
    if simple(event):
        _tell(resource, event, place, NOTHING)
        return None
    return _later(resource, event, place)


async def _later(resource: "Resource", event: Event, place: Place) -> None:
    about = await resource.house.messaging.archive.about(resource.caller, [event])
    _tell(resource, event, place, about)


def _tell(resource: "Resource", event: Event, place: Place, about: About) -> None:
    house = resource.house
    form, wrap = house.table.forms.get(event.type), house.table.wrap
    if form is None or wrap is None:
        return
    reader = Reader(house.domain, house.rooms_domain, place)
    inside = form(event, reader, about)
    if inside:
        wrap(resource, event, reader, about, f"{inside}{stanza_id(str(resource.jid.bare), event)}")


def _joined(resource: "Resource", event: Event, joined: Joined) -> Awaitable[None] | None:
    if simple(event):
        return _spoken(resource, event, joined, NOTHING)
    return _spoken_later(resource, event, joined)


_in_room = inside(_joined)


async def _spoken_later(resource: "Resource", event: Event, joined: Joined) -> None:
    about = await resource.house.messaging.archive.about(resource.caller, [event])
    if (work := _spoken(resource, event, joined, about)) is not None:
        await work


def _spoken(resource: "Resource", event: Event, joined: Joined, about: About) -> Awaitable[None] | None:
    """As an occupant says it, or the room itself, when somebody else's message was taken back (XEP-0425)."""
    house, place = resource.house, resource.house.xmpp.places.get(event.lane)
    form = house.table.forms.get(event.type)
    if form is None or place is None:
        return None
    said = form(event, Reader(house.domain, house.rooms_domain, place), about)
    if not said:
        return None

    def speak(resource: "Resource", event: Event, joined: Joined, nick: str) -> None:
        resource.send(spoken(resource, joined, event, "" if moderated(event, about) else nick, said))

    return named(resource, event, joined, speak)
