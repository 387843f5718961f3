"""Events of rooms, for resources that have joined them: shapes that ask nothing, or for the nickname of who has done it."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from hongyan.core.model import Event
from hongyan.features.xmpp import Place
from hongyan.gateways.xmpp.nicks import nickname
from hongyan.gateways.xmpp.rooms import Joined, gone, there
from hongyan.gateways.xmpp.table import Shape, Work

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource

_SPEAKERS = 100
"""Of large rooms: who has spoken last is shown."""

Tell = Callable[["Resource", Event, Joined], Work]
Named = Callable[["Resource", Event, Joined, str], None]


def inside(tell: Tell) -> Shape:
    """Of a room that the resource has joined, after what it was told when it came in."""

    def told(resource: "Resource", event: Event, place: Place | None) -> Work:
        joined = resource.rooms.get(event.lane)
        if joined is None:
            return None
        if not joined.ready.is_set():
            return _waited(joined, lambda: told(resource, event, place))
        return tell(resource, event, joined) if event.position > joined.upto else None

    return told


def by_name(tell: Named) -> Shape:
    """The same with the nickname: see `named`."""
    return inside(partial(_named, tell))


def named(resource: "Resource", event: Event, joined: Joined, tell: Named) -> Work:
    """`tell` with the nickname of who has done it; empty for the room itself."""
    nick = joined.nick_of(event.sender, resource.user) if event.sender is not None else ""
    if nick is None:
        return _introduced(resource, event, joined, tell)
    tell(resource, event, joined, nick)
    return None


def _named(tell: Named, resource: "Resource", event: Event, joined: Joined) -> Work:
    return named(resource, event, joined, tell)


async def _waited(joined: Joined, told: Callable[[], Work]) -> None:
    await joined.ready.wait()
    if (work := told()) is not None:
        await work


async def _introduced(resource: "Resource", event: Event, joined: Joined, tell: Named) -> None:
    """Somebody of whom nothing is known yet: in a large room they are shown by their first word."""
    user = event.sender or ""
    person = await resource.house.xmpp.directory.person(joined.id, user)
    nick = nickname(person.name, user) if person is not None else user
    if resource.rooms.get(joined.id) is not joined:
        return
    if person is not None and person.role is not None and joined.roster.people is None:
        while len(joined.seen) >= _SPEAKERS:
            oldest = next(iter(joined.seen))
            gone(resource, joined, oldest, role=joined.seen[oldest].role)
        there(resource, joined, user, nick, person.role)
    tell(resource, event, joined, nick)
