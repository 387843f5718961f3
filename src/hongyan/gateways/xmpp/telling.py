"""Events as stanzas, of all conversations alike: what stands in them is a `Form` of the event's type, what is around it is the
conversation's: a chat between two, or a room.
"""

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from hongyan.core.model import WRITTEN, Event
from hongyan.features.xmpp import Place
from hongyan.gateways.xmpp.chats import told
from hongyan.gateways.xmpp.inside import inside, named
from hongyan.gateways.xmpp.messages import shown_id
from hongyan.gateways.xmpp.rooms import Joined, spoken
from hongyan.gateways.xmpp.said import Reader, simple, stanza_id
from hongyan.messaging.archive import NOTHING, About, points_to

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource

RECEIPTS = "urn:xmpp:receipts"
_ACTIVE = "<active xmlns='http://jabber.org/protocol/chatstates'/>"
"""Who has written is not typing any more (XEP-0085); without it clients go on showing that they are."""


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
    about = NOTHING if simple(event) else resource.house.shared.about(resource, event)
    if not isinstance(about, About):
        return _later(resource, event, place, about)
    _tell(resource, event, place, about)
    return None


async def _later(resource: "Resource", event: Event, place: Place, about: Awaitable[About]) -> None:
    _tell(resource, event, place, await about)


def _tell(resource: "Resource", event: Event, place: Place, about: About) -> None:
    house, form, peer = resource.house, resource.house.table.forms.get(event.type), place.peer(resource.user)
    if form is None or peer is None or (resource.priority or 0) < 0:
        return
    inside = form(event, Reader(house.domain, house.rooms_domain, place), about)
    if not inside:
        return
    if resource.jid.domain == house.domain:  # the ids of another server's archive are not ours to give
        inside += stanza_id(str(resource.jid.bare), event)
    if event.type in WRITTEN and event.sender != resource.user:
        inside += _ACTIVE
    if event.client_id is not None and (event.sender, event.client_id) in house.asked and event.type == "message":
        inside += f"<request xmlns='{RECEIPTS}'/>"
    told(resource, event.sender == resource.user, peer, inside, shown_id(event.client_id, event.seq))


def _joined(resource: "Resource", event: Event, joined: Joined) -> Awaitable[None] | None:
    about = NOTHING if simple(event) else resource.house.shared.about(resource, event)
    if isinstance(about, About):
        return _spoken(resource, event, joined, about)
    return _spoken_later(resource, event, joined, about)


_in_room = inside(_joined)


async def _spoken_later(resource: "Resource", event: Event, joined: Joined, about: Awaitable[About]) -> None:
    if (work := _spoken(resource, event, joined, await about)) is not None:
        await work


def _spoken(resource: "Resource", event: Event, joined: Joined, about: About) -> Awaitable[None] | None:
    """As an occupant says it, or the room itself, when somebody else's message was taken back (XEP-0425)."""
    house, place = resource.house, resource.house.xmpp.places.get(event.lane)
    form = house.table.forms.get(event.type)
    if form is None or place is None:
        return None

    def speak(resource: "Resource", event: Event, joined: Joined, nick: str) -> None:
        def make() -> tuple[str, str]:
            said = form(event, Reader(house.domain, house.rooms_domain, place), about)
            return spoken(joined, event, "" if moderated(event, about) else nick, said) if said else ("", "")

        before, behind = house.shared.stanza(event, about, (joined.address, nick), make)
        if before:
            resource.send(f"{before}{resource.quoted}{behind}")

    return named(resource, event, joined, speak)
