"""Whether a client hears what is sent to it: one without a connection, or that owes an acknowledgement for long, does not. What
it may not have is told to it by its push service (XEP-0357).
"""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource


class Reach:
    def __init__(self, resource: "Resource") -> None:
        self._resource = resource
        self._lost = False

    def asked(self) -> None:
        """For an acknowledgement."""
        self._resource.house.unanswered.setdefault(self, asyncio.get_running_loop().time())

    def heard(self) -> None:
        """It has acknowledged something, or is back."""
        self._resource.house.unanswered.pop(self, None)
        if self._lost:
            self._lost = False
            self._resource.house.messaging.presence.answers(self._resource.session, True)

    def lost(self) -> None:
        resource = self._resource
        resource.house.unanswered.pop(self, None)
        if self._lost:
            return
        self._lost = True
        before = resource.ledger.before if resource.ledger is not None else None
        resource.house.messaging.presence.answers(resource.session, False)
        resource.house.missed(resource, before if before is not None else resource.outgoing.upto or resource.since)
