"""What all connections of the gateway share: services, limits, counts, tasks, and one write for each turn of the loop."""

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import msgspec

from hongyan.config import Settings
from hongyan.gateways.door.peers import safely
from hongyan.gateways.door.rates import Rates

if TYPE_CHECKING:
    from hongyan.features.cim import Cim
    from hongyan.gateways.cim.outgoing import Outgoing
    from hongyan.messaging import Messaging

_MADE = 500

log = logging.getLogger("hongyan.cim")


class CimServices(msgspec.Struct, frozen=True, kw_only=True):
    """Put together by the server and passed in."""

    messaging: "Messaging"
    cim: "Cim"
    settings: Settings


class Counts:
    """Since the start."""

    def __init__(self) -> None:
        self.logins: Counter[str] = Counter()
        """By outcome: `ok`, `mismatch`, `repeated`, or the code of an error."""
        self.closed: Counter[str] = Counter()
        """Connections that this side has closed, by reason."""
        self.answers: Counter[str] = Counter()
        """Of the route, by code."""
        self.frames_in = 0
        self.frames_out = 0


class House:
    def __init__(self, services: CimServices) -> None:
        self.messaging = services.messaging
        self.cim = services.cim
        self.settings = services.settings
        self.counts = Counts()
        limits = services.settings.limits
        self.sites = Rates(limits.requests_per_second, limits.requests_burst)
        """What strangers may ask for, by where they come from."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._dirty: list[Outgoing] = []
        self.made: dict[int, bytes] = {}
        """What was last made of events, by position: for the next receiver."""

    def task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run it; `stop` ends it."""
        task = asyncio.create_task(work, name="hongyan cim")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def flush(self, outgoing: "Outgoing") -> None:
        """Let it write when this turn of the loop is over."""
        if not self._dirty:
            asyncio.get_running_loop().call_soon(self._flush)
        self._dirty.append(outgoing)

    def keep(self, position: int, made: bytes) -> None:
        while len(self.made) >= _MADE:
            del self.made[next(iter(self.made))]
        self.made[position] = made

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for outgoing in dirty:
            safely(outgoing.flush)
