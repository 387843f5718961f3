"""Somebody of another server, as a resource: what they send is handled as from any client, what they are told goes over a route.

It has a session only while it is in a room; messages of direct conversations go out by forwarding.
"""

from typing import TYPE_CHECKING

from hongyan.core.model import Caller, Event
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.resource import Resource

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.faults import StreamFault
    from hongyan.gateways.xmpp.house import House
    from hongyan.gateways.xmpp.s2s.visitors import Visitors


class _Over:
    """What it has in place of a stream."""

    def __init__(self, visitor: "Visitor", visitors: "Visitors") -> None:
        self._visitor = visitor
        self._visitors = visitors

    def write(self, xml: str) -> None:
        """One stanza, which says itself who sends it."""
        self._visitors.told(self._visitor, xml)

    @property
    def address(self) -> str:
        return self._visitor.jid.domain

    @property
    def secure(self) -> bool:
        return False  # nobody knows how they talk to their server

    def fail(self, fault: "StreamFault") -> None:
        pass

    def close(self) -> None:
        pass

    def pause(self) -> None:
        pass

    def go_on(self) -> None:
        pass


class Visitor(Resource):
    def __init__(self, house: "House", visitors: "Visitors", jid: Jid) -> None:
        user = str(jid.bare)
        super().__init__(house, jid, Caller(user, user, False, f"s2s:{jid}", jid.resource or "XMPP"))
        self._visitors = visitors
        self.stream = _Over(self, visitors)
        self.event: Event | None = None
        """What it is being told of, when that is forwarded."""
        self.priority = -1
        """It is told of no direct conversation."""
        self.last = 0.0
        """When it was last heard."""
        self.began = False

    async def begin(self) -> None:
        if not self.began:
            await super().begin()
            self.began = True

    def close(self, fault: "StreamFault | None") -> None:
        super().close(fault)
        self.rooms.clear()
        self._visitors.gone(self)

    async def _log_out(self) -> None:
        """It has no token."""
