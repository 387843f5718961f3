"""Who answers what and who tells what: the modules of the extensions put themselves in here, and know nothing of each other."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal

from hongyan.core.model import Event
from hongyan.features.xmpp import Place
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.jid import Jid

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.house import House
    from hongyan.gateways.xmpp.resource import Resource

Where = Literal["server", "account", "user", "rooms", "room"]
"""The server itself; one's own account; somebody else's; the service of rooms; one room."""

Answer = str | Awaitable[str]
"""What stands in the result, as XML."""
Handler = Callable[["Resource", Element, Element, Jid], Answer]
"""Of a query: who asks, the iq, what is in it, and whom it was sent to. Raises StanzaFault and HongyanError."""
Stanza = Callable[["Resource", Element, Jid, Callable[[], None]], Awaitable[bool] | None]
"""Of a whole stanza to a room; see `incoming.received`."""
Part = Callable[["Resource", Element, Element, Jid], Awaitable[None]]
"""Of a message between two that does not say something: who sends it, the message, the part that makes it so, to whom."""
Lane = Literal["direct", "room", "own"]
"""A conversation of two; a group or channel; one's own lane."""
Shape = Callable[["Resource", Event, Place | None], Awaitable[None] | None]
"""Tells a resource of an event; what has to be asked for first makes what is behind it wait. One's own lane is no place."""
Told = Callable[["Resource", dict[str, Any]], None]


class Table:
    def __init__(self) -> None:
        self._handlers: dict[tuple[Where, str, str], Handler] = {}
        self.features: dict[Where, list[str]] = {"server": [], "account": [], "user": [], "rooms": [], "room": []}
        self.messages: dict[str, Part] = {}
        """By the name of an element in it."""
        self.events: dict[tuple[Lane, str], Shape] = {}
        """By type."""
        self.profile: Shape = _nothing
        """Somebody is called otherwise, or looks otherwise."""
        self.signals: dict[str, Told] = {}
        """By type."""
        self.forms: dict[Where, list[Callable[[House], str]]] = {where: [] for where in self.features}
        """What stands behind the features in an answer to disco#info (XEP-0128)."""
        self.stream_features: list[Callable[[House], str]] = []
        """What the features of a stream say to who has logged in."""
        self.room_message: Stanza = _no_rooms
        self.room_presence: Stanza = _no_rooms

    def iq(self, where: Where, type: Literal["get", "set"], name: str, handler: Handler) -> None:
        """`name` is that of the element in it."""
        self._handlers[where, type, name] = handler

    def feature(self, *names: str, where: Where = "server") -> None:
        self.features[where] += names

    def find(self, where: Where, type: str, name: str) -> Handler | None:
        return self._handlers.get((where, type, name))


def _nothing(resource: "Resource", event: Event, place: Place | None) -> None:
    pass


def _no_rooms(resource: "Resource", stanza: Element, to: Jid, finished: Callable[[], None]) -> None:
    from hongyan.gateways.xmpp.faults import StanzaFault

    raise StanzaFault("service-unavailable")
