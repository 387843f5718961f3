"""The loop on every node that follows the log and has those told of messages who want to be.

Each message is taken by one node, in a transaction of all nodes that take any: what was taken is told of by that node or, when it
dies then, by nobody. A message that is not told of is missed by nobody: it is in the log, and unread.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, delete, insert, select

from hongyan.core.errors import HongyanError
from hongyan.core.model import WRITTEN, Event
from hongyan.features.push import recipients
from hongyan.features.push.tables import push_claims
from hongyan.features.push.ways import Way
from hongyan.messaging import Log
from hongyan.store import Store, Transaction

log = logging.getLogger("hongyan.push")

_SCOPE = "_push"
_LOOK_SECONDS = 0.25
_TROUBLE_SECONDS = 2.0
_AT_ONCE = 500
_KEPT = 100_000
"""Positions that claims are remembered for: nobody is so far behind."""
_PATIENCE_SECONDS = 0.5
_MOST_WAITED_FOR = 4
_MISSED = 10_000
"""Devices of which this is remembered."""
_MISSED_SECONDS = 3.0
"""Until all nodes know that a device is not there, which presence tells after two."""
_MISSED_EVENTS = 5_000
"""The newest of all conversations, that are looked at for one device."""
_MISSED_AT_ONCE = 100


class _Missed(msgspec.Struct, frozen=True):
    way: Way
    after: int
    due: float


class Push:
    """`present` tells which devices of somebody are there, `rank` how many nodes come before this one."""

    def __init__(
        self,
        store: Store,
        log: Log,
        *ways: Way,
        present: recipients.Present,
        clock: Callable[[], int],
        rank: Callable[[], int] = lambda: 0,
        look: float = _LOOK_SECONDS,
        patience: float = _MISSED_SECONDS,
    ) -> None:
        self._store = store
        self._log = log
        self._ways = list(ways)
        self._present = present
        self._clock = clock
        self._rank = rank
        self._look = look
        self._patience = patience
        self._position = 0
        self._looking = asyncio.Lock()
        self._missed: dict[tuple[str, str], _Missed] = {}
        """By user and device, the longest known first."""
        self._task: asyncio.Task[None] | None = None

    def add(self, way: Way) -> None:
        self._ways.append(way)

    def start(self) -> None:
        """Tell of messages from now on."""
        self._position = self._log.position
        self._task = asyncio.create_task(self._follow(), name="hongyan push follower")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for way in self._ways:
            await way.stop()

    def missed(self, way: Way, user: str, device: str, after: int) -> None:
        """A device is out of reach, and what is above this position may not have come to it: unless it is back soon, it is told
        of that. `way` has a column `device`.
        """
        known = self._missed.pop((user, device), None)
        while len(self._missed) >= _MISSED:
            del self._missed[next(iter(self._missed))]
        due = asyncio.get_running_loop().time() + self._patience
        self._missed[user, device] = _Missed(way, after if known is None else min(after, known.after), due)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._look)
            try:
                await self.turn()
            except HongyanError as error:
                log.warning("nobody can be told of messages now: %s", error)
                await asyncio.sleep(_TROUBLE_SECONDS)
            except Exception:
                log.exception("nobody could be told of some messages")
                await asyncio.sleep(_TROUBLE_SECONDS)

    async def turn(self) -> None:
        """Look at what is new, and at what devices have missed, and have it told."""
        async with self._looking:
            if self._position < (position := self._log.position):
                # Often nobody has subscribed: finding that out four times a second has to be cheap.
                if self._ways and (ways := await self._store.read(self._used)):
                    while self._position < self._log.position:
                        await self._look_at_new(ways)
                else:
                    self._position = position
            await self._look_back()

    def _used(self, connection: Connection) -> list[Way]:
        return [way for way in self._ways if connection.execute(way.anybody).first() is not None]

    async def _look_at_new(self, ways: Sequence[Way]) -> None:
        begin = max(self._position, self._log.floor)  # what is older is not in memory any more: it is not told of
        entries = self._log.after(begin, _AT_ONCE)
        self._position = entries[-1].event.position if entries else self._log.position
        events = [entry.event for entry in entries if entry.event.type in WRITTEN]
        if not events or self._log.stale:
            return
        now = self._clock()
        lanes = list({event.lane for event in events})
        subscribed = [way.subscribed(now) for way in ways]
        heard = await self._store.read(lambda connection: recipients.heard(connection, subscribed, lanes))
        events = [event for event in events if event.lane in heard]
        if events:
            taken = set(await self._claim([event.position for event in events]))
            events = [event for event in events if event.position in taken]
            for way in ways:
                await self._tell(way, events)

    async def _look_back(self) -> None:
        """What devices have missed that are out of reach for a while now."""
        now = asyncio.get_running_loop().time()
        due = [(key, missed) for key, missed in self._missed.items() if missed.due <= now][:_MISSED_AT_ONCE]
        subscribed = {way: way.subscribed(self._clock()) for way in {missed.way for _, missed in due}}

        def having(connection: Connection) -> set[tuple[Way, tuple[str, str]]]:
            devices = {way: [key for key, missed in due if missed.way is way] for way in subscribed}
            return {(way, key) for way in subscribed for key in recipients.having(connection, subscribed[way], devices[way])}

        have = await self._store.read(having) if due else set()
        for key, missed in due:
            if self._missed.get(key) is missed:  # it was not lost anew meanwhile
                del self._missed[key]
                if (missed.way, key) in have:
                    await self._look_back_for(missed.way, *key, missed.after)

    async def _look_back_for(self, way: Way, user: str, device: str, after: int) -> None:
        newest = max(self._log.floor, self._log.position - _MISSED_EVENTS)
        entries = self._log.after(max(after, newest), _MISSED_EVENTS)
        events = [entry.event for entry in entries if entry.event.type in WRITTEN and entry.event.sender != user]
        lanes = list({event.lane for event in events})
        if lanes:
            heard = await self._store.read(lambda connection: recipients.inside(connection, user, lanes))
            events = [event for event in events if event.lane in heard]
            await self._tell(way, events[-_AT_ONCE:], (user, device))

    async def _tell(self, way: Way, events: Sequence[Event], only: tuple[str, str] | None = None) -> None:
        """A page of subscriptions after the other, until all were looked at or there is no room."""
        if not events:
            return
        now = self._clock()
        subscribed = way.subscribed(now)
        telling = recipients.Telling(events, await self._store.read(lambda connection: recipients.known(connection, events)))
        after: recipients.Place | None = recipients.FIRST
        while after is not None:
            page = await self._store.read(
                lambda connection, after=after: recipients.page(connection, telling, subscribed, after, only)  # type: ignore[misc]
            )
            devices = {row.user: self._present(row.user) for row in page.rows}
            found = await asyncio.to_thread(telling.decide, page, devices, now, way.reached)
            after = page.after if all([way.offer(row, told) for row, told in found]) else None

    async def _claim(self, positions: Sequence[int]) -> list[int]:
        """Those that no other node has taken."""
        if not self._store.shared:
            return list(positions)
        if before := min(self._rank(), _MOST_WAITED_FOR):
            await asyncio.sleep(before * _PATIENCE_SECONDS)

        def write(tx: Transaction) -> list[int]:
            p = push_claims.c.position
            taken = set(tx.connection.execute(select(p).where(p.in_(positions))).scalars())
            free = [position for position in positions if position not in taken]
            if free:
                tx.connection.execute(insert(push_claims), [{"position": position} for position in free])
                tx.connection.execute(delete(push_claims).where(p < free[0] - _KEPT))
            return free

        return await self._store.transaction(write, scope=_SCOPE)
