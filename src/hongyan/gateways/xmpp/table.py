"""Who answers what and who tells what: the modules of the extensions put themselves in here, and know nothing of each other."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from hongyan.core.model import Event
from hongyan.features.xmpp import Access, Circle, Item, Place, Published
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.messaging import About

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.house import House
    from hongyan.gateways.xmpp.resource import Resource
    from hongyan.gateways.xmpp.said import Reader

Where = Literal["server", "account", "user", "rooms", "room", "upload"]
"""The server itself; one's own account; somebody else's; the service of rooms; one room; the service that takes files."""

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
Form = Callable[[Event, "Reader", About], str]
"""What stands in the stanza of an event, for a reader of its conversation; empty when they are told nothing."""
Work = Awaitable[None] | None
Told = Callable[["Resource", dict[str, Any]], None]


class Derived:
    """A node of personal eventing (XEP-0163) that shows what the platform knows. What it does not allow is refused."""

    access: Access = "presence"

    async def items(self, resource: "Resource", owner: str, ids: Sequence[str]) -> list[Item]:
        """Those of these ids, or all."""
        return []

    async def latest(self, resource: "Resource") -> list[Published]:
        """What it is told when it asks for news: of itself and of those whom it sees."""
        return []

    async def publish(self, resource: "Resource", id: str, payload: Element) -> None:
        raise StanzaFault("not-allowed")

    async def retract(self, resource: "Resource", id: str) -> None:
        raise StanzaFault("not-allowed")


class Table:
    def __init__(self) -> None:
        self._handlers: dict[tuple[Where, str, str], Handler] = {}
        self.features: dict[Where, list[str]] = {"server": [], "account": [], "user": [], "rooms": [], "room": [], "upload": []}
        self.messages: dict[str, Part] = {}
        """By the name of an element in it. Also of messages to rooms, whatever else they have in them."""
        self.signs: dict[str, Part] = {}
        """The same of messages that say nothing."""
        self.forms: dict[str, Form] = {}
        """By type of the event."""
        self.available: list[Callable[[Resource], Awaitable[None] | None]] = []
        """Called when a client is available for the first time; what is behind waits."""
        self.events: dict[tuple[Lane, str], Shape] = {}
        """By type."""
        self.profile: Shape = _nothing
        """Somebody is called otherwise, or looks otherwise."""
        self.signals: dict[str, list[Told]] = {"presence": [], "read": [], "typing": []}
        """By type, one after the other."""
        self.circles: list[Callable[[Resource, Circle | None, Circle], None]] = []
        """Told, when a resource knows other people than before or something else of them."""
        self.nodes: dict[str, Derived] = {}
        self.started: list[Callable[[House], None]] = []
        """Called once with the house."""
        self.info_forms: dict[Where, list[Callable[[House], str]]] = {where: [] for where in self.features}
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
    raise StanzaFault("service-unavailable")
