"""The follower of the log: what was committed, in order, once, on this node.

The bus wakes it and saves reads; the store is the truth. A batch that comes too early waits a moment for what is before it; what
is late, or never comes, is read from the store. The newest events stay in a ring, also by lane, so that a reconnect that missed
little never asks the store.

Where other nodes append too, a node that has not seen the store's end for a while (cut off, or stopped and woken) knows
nothing for sure: it is `stale`, and nobody acts on what it believes until it has caught up.
"""

import asyncio
import contextlib
import heapq
import itertools
import logging
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic

from msgspec.structs import replace

from hongyan import config
from hongyan.bus import Bus
from hongyan.core.errors import Overloaded
from hongyan.core.model import Batch, Event
from hongyan.core.policy import Span
from hongyan.core.wire import Entry
from hongyan.store import Store, reading

log = logging.getLogger("hongyan.log")

_READ = 2_000
_EARLY_EVENTS = 4_000
"""Of batches that may wait for what is before them."""
_LATE_SECONDS = 0.01
"""What has not come by then is read."""
_DEAF_SECONDS = 0.05
"""How often the store is looked at while the bus brings nothing of other nodes."""
_BEHIND_SECONDS = 5.0


class Log:
    """`fold` and `deliver` are called in the loop's thread, for each event once, in the order of positions."""

    def __init__(self, store: Store, bus: Bus, settings: config.Log, *, clock: Callable[[], float] = monotonic) -> None:
        self._store = store
        self._bus = bus
        self._size = settings.ring
        self._most_weight = settings.ring_bytes
        self._weight = 0
        self._look_seconds = settings.look_seconds
        self._lease_seconds = settings.lease_seconds
        self._clock = clock
        self._seen = clock()
        self._folds: list[Callable[[Event], None]] = []
        self._deliver: Callable[[Entry], None] = lambda entry: None
        self._ring: deque[Entry] = deque()
        self._lanes: dict[str, deque[Entry]] = {}
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._early: dict[int, Batch] = {}
        self._early_events = 0
        self._blind = False
        """The last look has failed."""
        self._caught_up: list[asyncio.Future[None]] = []
        self._hole = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._cursor = ""
        self._cursor_at = -1
        self.position = 0
        """Everything up to here was handed to folds and delivery."""
        self.floor = 0
        """Everything above this, up to `position`, is in the ring."""
        self.head = 0
        """The newest position known to exist."""
        self._parting = False
        self.parted = False
        """The store is not the one any more that this node has followed: only a new start helps."""
        self.holes = 0
        """How often a range was read from the store because the bus had not brought it."""

    @property
    def epoch(self) -> str:
        return self._store.epoch

    @property
    def ring_size(self) -> int:
        return len(self._ring)

    @property
    def stale(self) -> bool:
        """Other nodes may have changed what this one believes, and it would not know."""
        return self._store.shared and (self.parted or self._clock() - self._seen > self._lease_seconds)

    def require_fresh(self) -> None:
        """Raises Overloaded when what is known here must not be acted on."""
        if self.stale:
            self._hole.set()
            raise Overloaded("The server has lost touch with its database; try again in a moment", retry_after=0.5)

    def cursor(self) -> str:
        """The cursor of somebody who has been given everything up to here."""
        if self._cursor_at != self.position:
            self._cursor_at = self.position
            self._cursor = f"{self._store.epoch}.{self.position}"
        return self._cursor

    def fold(self, apply: Callable[[Event], None]) -> None:
        """Call `apply` for every event that is not of type `message`, before it is delivered: caches follow the log so."""
        self._folds.append(apply)

    def deliver(self, deliver: Callable[[Entry], None]) -> None:
        """Call `deliver` for every event, after the folds."""
        self._deliver = deliver

    def redact(self, lane: str, seqs: Sequence[int], content: bytes) -> None:
        """Take what these events say out of memory, also where they wait for a slow reader (`store/redacting.py`)."""
        entries = self._lanes.get(lane)
        if entries:
            first = entries[0].event.seq
            for seq in seqs:
                if 0 <= seq - first < len(entries):
                    entries[seq - first].redact(content)

    async def start(self, node: str) -> None:
        """`node` is the id of this one on the bus."""
        self._bus.listen(Batch, self._arrived)
        await self._store.start(self._bus.publish)
        head, newest = await self._store.read(lambda c: (reading.head(c), reading.newest(c, min(self._size, _READ))))
        self.position = self.head = head
        self.floor = head - len(newest)
        self._seen = self._clock()
        for event in newest:
            self._remember(Entry(event, self.epoch))
        await self._bus.start(self.epoch, self._store.key, node)
        self._task = asyncio.create_task(self._look(), name="hongyan log")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._bus.close()
        await self._store.close()
        for waiting in [*(future for _, _, future in self._waiting), *self._caught_up]:
            waiting.cancel()
        self._waiting.clear()

    async def reached(self, position: int) -> None:
        """Return when the follower is at `position` or beyond."""
        if position > self.position:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (position, next(self._order), future))
            self._hole.set()
            await future

    async def caught_up(self) -> None:
        """Return when everything is followed that was committed before this call, on whatever node. Raises Overloaded."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._caught_up.append(future)
        self._hole.set()
        try:
            async with asyncio.timeout(_BEHIND_SECONDS):
                await future
        except TimeoutError:
            raise Overloaded("This node is behind; try again", retry_after=1.0) from None
        finally:
            if not future.done() or future.cancelled():
                self._caught_up = [one for one in self._caught_up if one is not future]

    def after(self, position: int, limit: int) -> list[Entry]:
        """Of all lanes the oldest `limit` in the ring above `position`, ascending."""
        ring = self._ring
        start = max(position - self.floor, 0)  # positions are dense
        return [ring[at] for at in range(start, min(len(ring), start + limit))]

    def lane_after(self, lane: str, spans: Sequence[Span], position: int, limit: int) -> list[Entry]:
        """The same of the parts of one lane. The ring has every event of a lane from some seq on, so places are computed."""
        entries = self._lanes.get(lane)
        if entries is None or entries[-1].event.position <= position:
            return []
        first = entries[0].event.seq
        new = bisect_right(entries, position, key=_position)
        found: list[Entry] = []
        for span in spans:
            if span.last_seq is not None and span.last_seq < first + new:
                continue
            start = max(new, span.since_seq - first)
            end = len(entries) if span.last_seq is None else min(len(entries), span.last_seq - first + 1)
            found += [entries[at] for at in range(start, min(end, start + limit - len(found)))]
            if len(found) >= limit:
                break
        return found

    def _arrived(self, batch: Batch) -> None:
        self.head = max(self.head, batch.last)
        if batch.last <= self.position:
            return
        if batch.first > self.position + 1 or not batch.events:
            if batch.events and self._early_events + len(batch.events) <= _EARLY_EVENTS and batch.first not in self._early:
                self._early[batch.first] = batch
                self._early_events += len(batch.events)
            self._hole.set()
            return
        self._apply(batch.events[self.position + 1 - batch.first :])
        while self._early and (waited := self._early.pop(self.position + 1, None)) is not None:
            self._early_events -= len(waited.events)
            self._apply(waited.events)

    def _apply(self, events: Sequence[Event]) -> None:
        epoch, folds = self.epoch, self._folds
        for event in events:
            entry = Entry(event, epoch)
            if event.type != "message":
                for apply in folds:
                    try:
                        apply(event)
                    except Exception:
                        log.exception("a fold failed at position %d", event.position)
            self._remember(entry)
            self.position = event.position
            self._deliver(entry)
        self.head = max(self.head, self.position)
        waiting = self._waiting
        while waiting and waiting[0][0] <= self.position:
            future = heapq.heappop(waiting)[2]
            if not future.done():
                future.set_result(None)

    def _remember(self, entry: Entry) -> None:
        ring, lanes = self._ring, self._lanes
        ring.append(entry)
        lane = lanes.get(entry.event.lane)
        if lane is None:
            lanes[entry.event.lane] = deque((entry,))
        else:
            lane.append(entry)
        self._weight += _weight(entry)
        while len(ring) > self._size or self._weight > self._most_weight:
            oldest = ring.popleft()
            self._weight -= _weight(oldest)
            self.floor = oldest.event.position
            lane = lanes[oldest.event.lane]
            lane.popleft()
            if not lane:
                del lanes[oldest.event.lane]

    def _part_ways(self, last: Event) -> None:
        """The store has lost, or changed, what it had acknowledged: it was put back from an older state under running nodes."""
        if not self._parting:  # it stops this node for good: look twice
            self._parting = True
            self._hole.set()
            return
        if not self.parted:
            log.critical("the store does not have the event at position %d that this node has seen", last.position)
        self.parted = True

    async def _look(self) -> None:
        """Read what the bus did not bring: soon when a hole shows, and now and then without being told."""
        while True:
            deaf = self._bus.trouble is not None and self._store.shared
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_DEAF_SECONDS if deaf else self._look_seconds):
                    await self._hole.wait()
                if not self._caught_up:
                    await asyncio.sleep(_LATE_SECONDS)  # what is late often comes by itself
            self._hole.clear()
            waiting, self._caught_up = self._caught_up, []
            try:
                await self._read_on()
            except Exception as error:
                if not self._blind:
                    log.warning("the log cannot be read: %s", error)
                    self._blind = True
                self._caught_up += waiting
                await asyncio.sleep(min(self._look_seconds, 0.5))
            else:
                if self._blind:
                    log.warning("the log can be read again")
                    self._blind = False
                for future in waiting:
                    if not future.done():
                        future.set_result(None)

    async def _read_on(self) -> None:
        while True:
            began, after = self._clock(), self.position
            last = self._ring[-1].event if self._ring else None
            events = await self._store.log_after(after - 1 if last is not None else after, _READ)
            if last is not None:
                if not events or _place(events[0]) != _place(last):
                    self._part_ways(last)
                    return
                self._parting = False
                del events[0]
            if events:
                self.head = max(self.head, events[-1].position)
            fresh = [event for event in events if event.position > self.position]
            if fresh and fresh[0].position == self.position + 1:
                self.holes += 1
                self._apply(fresh)
                self._early = {first: batch for first, batch in self._early.items() if first > self.position}
                self._early_events = sum(len(batch.events) for batch in self._early.values())
            if len(events) < _READ - 1:  # this was the end of the log, and everything up to it was applied
                self._seen = began
                return


def _place(event: Event) -> Event:
    """What never changes of an event: its content may be redacted."""
    return replace(event, content=b"")


def _position(entry: Entry) -> int:
    return entry.event.position


def _weight(entry: Entry) -> int:
    """Bytes that an entry comes to hold, with both its forms."""
    return 3 * len(entry.event.content) + 600
