"""Somebody of another server, as a resource: what they send is handled as from any client, what they are told goes over a route.

It has a session only while it is in a room; messages of direct conversations go out by forwarding.
"""

from typing import TYPE_CHECKING

from hongyan.core.model import Caller
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.resource import Resource

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.faults import StreamFault
    from hongyan.gateways.xmpp.house import House
    from hongyan.gateways.xmpp.s2s.federation import Federation


class _Over:
    """What it has in place of a stream."""

    def __init__(self, federation: "Federation", to: Jid) -> None:
        self._federation = federation
        self._to = to

    def write(self, xml: str) -> None:
        """One stanza, which says itself who sends it."""
        self._federation.told(xml, self._to)

    def fail(self, fault: "StreamFault") -> None:
        pass

    def close(self) -> None:
        pass

    def pause(self) -> None:
        pass

    def go_on(self) -> None:
        pass


class Visitor(Resource):
    def __init__(self, house: "House", federation: "Federation", jid: Jid) -> None:
        user = str(jid.bare)
        super().__init__(house, jid, Caller(user, user, False, f"s2s:{jid}", jid.resource or "XMPP"))
        self._federation = federation
        self.stream = _Over(federation, jid)  # type: ignore[assignment]
        self.priority = -1
        """It is told of no direct conversation."""
        self.last = 0.0
        """When it was last heard."""
        self.began = False

    async def begin(self) -> None:
        if not self.began:
            await super().begin()
            self.began = True

    def _close(self, fault: "StreamFault | None") -> None:
        super()._close(fault)
        self.rooms.clear()
        self._federation.gone_visitor(self)

    async def _log_out(self) -> None:
        """It has no token."""
