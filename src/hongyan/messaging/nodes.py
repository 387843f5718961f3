"""The nodes of the cluster: each tells every second that it is there, and who falls silent is gone.

Silence is counted in this node's own ticks, not by a clock: a node that was stopped and wakes does not take all others for
dead, and a clock that is set changes nothing. While this node cannot reach the bus, or is not sure of it, it knows nothing of the
others, and leaves them as they are.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Container

from hongyan.bus import Beat, Bus, Gone, NodeInfo
from hongyan.core.choice import By, Chooser
from hongyan.core.errors import NoNode, NotFound

log = logging.getLogger("hongyan.nodes")

_BEAT_SECONDS = 1.0
_SILENT_BEATS = 3
"""So many ticks without a beat, and a node counts as dead: 3 to 4 seconds."""


class Nodes:
    """`describe` gives this node as it is now."""

    def __init__(self, bus: Bus, describe: Callable[[], NodeInfo], *, random: Callable[[], float]) -> None:
        self._bus = bus
        self._describe = describe
        self._chooser = Chooser(random)
        self._others: dict[str, NodeInfo] = {}
        self._silent: dict[str, int] = {}
        self._lost: Callable[[str], None] = lambda node: None
        self._heard: Callable[[Beat], None] = lambda beat: None
        self._changes: Callable[[], int] = lambda: 0
        self._swept: Callable[[Container[str]], None] = lambda there: None
        self._task: asyncio.Task[None] | None = None
        bus.listen(Beat, self._on_beat)
        bus.listen(Gone, self._on_gone)

    def watch(self, heard: Callable[[Beat], None], lost: Callable[[str], None], changes: Callable[[], int]) -> None:
        """Be told of each beat of another node, and of those that are gone; `changes` goes out with each beat (presence)."""
        self._heard, self._lost, self._changes = heard, lost, changes

    def sweep(self, swept: Callable[[Container[str]], None]) -> None:
        """Be told, at each tick, of the ids that are there."""
        self._swept = swept

    def start(self) -> None:
        self._tell(asks=True)
        self._task = asyncio.create_task(self._beat(), name="hongyan nodes")

    async def stop(self) -> None:
        """The others are told."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
            self._bus.publish(Gone(self._describe().id))

    def tell(self) -> None:
        """At once, because something has changed that others should know: this node takes no more clients."""
        if self._task is not None:
            self._tell(asks=False)

    def all(self) -> list[NodeInfo]:
        """This one and the others, by name."""
        return sorted([self._describe(), *self._others.values()], key=lambda node: (node.name, node.id))

    def __len__(self) -> int:
        return 1 + len(self._others)

    def rank(self) -> int:
        """How many of the nodes that take clients come before this one, in an order that all agree on."""
        mine = self._describe().id
        return sum(node.ready and node.id < mine for node in self._others.values())

    @property
    def another(self) -> bool:
        """There is another node that takes clients."""
        return any(node.ready for node in self._others.values())

    def pick(self, by: By = "least", key: str = "", gateway: str = "http", without: Container[str] = ()) -> NodeInfo:
        """A node that takes clients and has this gateway, none of those `without`. Raises NotFound (none has it), NoNode (none
        takes clients).
        """
        if not any(gateway in node.addresses for node in self.all()):
            raise NotFound("No node has such a gateway")
        ready = {node.id: node for node in self.all() if node.ready and gateway in node.addresses and node.id not in without}
        if not ready:
            raise NoNode(f"No node takes clients of {gateway} now", retry_after=1.0)
        return ready[self._chooser.choose(list(ready), by, key=key, load=lambda id: ready[id].sessions)]

    def _tell(self, *, asks: bool) -> None:
        self._bus.publish(Beat(self._describe(), self._changes(), asks))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            self._tell(asks=False)
            if self._bus.doubtful:
                continue
            self._swept(self._others)
            for id in list(self._others):
                self._silent[id] += 1
                if self._silent[id] > _SILENT_BEATS:
                    log.warning("node %s (%s) is silent: it counts as gone", self._others[id].name, id)
                    self._forget(id)

    def _on_beat(self, beat: Beat) -> None:
        node = beat.node
        if node.id == self._describe().id:
            return
        if node.id not in self._others:
            log.info("node %s (%s) is there", node.name, node.id)
        self._others[node.id] = node
        self._silent[node.id] = 0
        if beat.asks:
            self._tell(asks=False)
        self._heard(beat)

    def _on_gone(self, gone: Gone) -> None:
        if gone.node in self._others:
            log.info("node %s (%s) has stopped", self._others[gone.node].name, gone.node)
            self._forget(gone.node)

    def _forget(self, id: str) -> None:
        del self._others[id], self._silent[id]
        self._lost(id)
