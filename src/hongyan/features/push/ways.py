"""How somebody can be told."""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Select, Subquery

from hongyan.bus import Device
from hongyan.features.push.recipients import Told


class Way(Protocol):
    """One way of telling those who have subscribed to it."""

    anybody: Select[Any]
    """A row if there is a subscription at all, good or not."""

    def subscribed(self, now: int) -> Subquery:
        """Subscriptions that are good now: `user`, `id`, and what else the way wants to know of them."""

    def reached(self, row: Any, devices: Sequence[Device]) -> bool:
        """The device of this subscription is among those that are connected, and learns of messages by itself."""

    def offer(self, row: Any, told: Told) -> bool:
        """Tell it of this message. False: there is no room, also for no other."""

    async def stop(self) -> None: ...
