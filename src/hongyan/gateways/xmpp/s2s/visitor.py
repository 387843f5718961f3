"""Somebody of another server, as a resource: what they send is handled as from any client, what they are told goes over a route.

It has a session only while it is in a room; messages of direct conversations go out by forwarding.
"""

import asyncio
from typing import TYPE_CHECKING

from hongyan.core.errors import Overloaded
from hongyan.core.model import Caller
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.reach import Reach
from hongyan.gateways.xmpp.resource import Resource

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.faults import StreamFault
    from hongyan.gateways.xmpp.house import House
    from hongyan.gateways.xmpp.s2s.visitors import Telling, Visitors


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


class _Reached(Reach):
    """Their server tells them of what they may not have."""

    def lost(self) -> None:
        pass


class Visitor(Resource):
    def __init__(self, house: "House", visitors: "Visitors", jid: Jid) -> None:
        user = str(jid.bare)
        super().__init__(house, jid, Caller(user, user, False, f"s2s:{jid}", jid.resource or "XMPP"))
        self._visitors = visitors
        self.stream = _Over(self, visitors)
        self.reach = _Reached(self)
        self.telling: Telling | None = None
        """What it is told of, when that is forwarded."""
        self.priority = -1
        """It is told of no direct conversation."""
        self.last = 0.0
        """When it was last heard."""
        self._beginning = asyncio.Lock()

    async def begin(self) -> None:
        """It comes into a room. Raises what `Sessions.open` raises, and Overloaded."""
        async with self._beginning:
            if not hasattr(self, "session"):
                await super().begin()
            if self._over:
                self.session.close()
                raise Overloaded("Come again", retry_after=1.0)

    def close(self, fault: "StreamFault | None") -> None:
        super().close(fault)
        self.rooms.clear()
        self._visitors.gone(self)

    async def _log_out(self) -> None:
        """It has no token."""
