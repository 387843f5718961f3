"""The indexer: follows the log in the background, in batches, and at once when somebody asks.

A batch is read, made into tokens outside of the store's threads, and written in one transaction together with how far the index
is, if it is still where the batch began: what two nodes do at the same time, or one that was killed does again, is done once.
What is written of a message is what it says now, so it does not matter how often, or how late, an edit is looked at.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from random import random
from time import monotonic
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, select, update

from hongyan.core.errors import HongyanError, OutcomeUnknown, Overloaded, StoreUnavailable
from hongyan.core.model import WRITTEN
from hongyan.features.search import matching
from hongyan.features.search.documents import document, tokens_of
from hongyan.features.search.tables import progress
from hongyan.features.search.tokens import VERSION
from hongyan.messaging import Log
from hongyan.messaging.tables import amended
from hongyan.store import Store, Transaction, reading
from hongyan.store.schema import events

log = logging.getLogger("hongyan.search")

SCOPE = "_search"
_BUSY_QUEUE = 50
"""Appends that wait for the disk."""
_BUSY_EVENTS = 200.0
_SOME_EVENTS = 5.0
"""Events a second that the log grows by."""
_LOOK_SECONDS = 0.5
_TROUBLE_SECONDS = 5.0


class _Pace(msgspec.Struct, frozen=True):
    batch: int
    rest: float
    """So many times as long as it works."""


_ALONE = _Pace(300, 0.1)
_BESIDE = _Pace(100, 1.0)
"""People write, and should not notice."""
_BUSY = _Pace(100, 29.0)
"""People write much. It keeps up with some 300 messages a second, and with the rest when there is less to do."""


class _Told(msgspec.Struct):
    seq: int = 0
    """0 in an edit of a message that was taken back."""


_told = msgspec.json.Decoder(_Told).decode


class State(msgspec.Struct, frozen=True):
    """How far the index is, and the log."""

    position: int
    head: int

    @property
    def complete(self) -> bool:
        return self.position >= self.head


class _Batch(msgspec.Struct, frozen=True):
    begin: int
    end: int
    messages: Sequence[Any]
    """Messages as they are now, with what was made of them."""


class Indexer:
    """`queued` tells how many appends wait."""

    def __init__(self, store: Store, log: Log, queued: Callable[[], int], *, clock: Callable[[], float] = monotonic) -> None:
        self._store = store
        self._log = log
        self._queued = queued
        self._clock = clock
        self._one = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._seen = (clock(), 0)
        self._begun = False
        self.position = 0
        """Up to here the index is complete, as far as this node knows."""
        self.indexed = 0
        """Messages that this node has put into it."""

    @property
    def lag(self) -> int:
        """Events of the log that are not looked at yet."""
        return max(self._log.position - self.position, 0)

    async def start(self) -> None:
        """Begin in the background. A store that cannot be written now is no reason not to start."""
        try:
            await self._begin()
        except HongyanError as error:
            log.warning("the index of the search cannot be written: %s", error)
        self._seen = (self._clock(), self._log.position)
        self._task = asyncio.create_task(self._follow(), name="hongyan search")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def reach(self, position: int, seconds: float) -> None:
        """Index what is missing up to `position`, as far as that is possible, and done within so long."""
        until = self._clock() + seconds
        with contextlib.suppress(StoreUnavailable, OutcomeUnknown, Overloaded):
            while self.position < position and self._clock() < until:
                async with self._one:
                    if self.position < position and not await self.step():
                        await asyncio.sleep(0)  # another node did it: look again

    async def step(self, most: int = _ALONE.batch) -> bool:
        """One batch. False when there was nothing to do, or another node did it."""
        batch = await self._store.read(lambda connection: _read(connection, most))
        self.position = max(self.position, batch.begin)
        if batch.end == batch.begin:
            return False
        documents, old = await asyncio.to_thread(_made, batch)

        def write(tx: Transaction) -> bool:
            here = (progress.c.id == 1, progress.c.position == batch.begin, progress.c.version == VERSION)
            if not tx.connection.execute(update(progress).where(*here).values(position=batch.end)).rowcount:
                return False
            matching.of(tx.connection).put(tx.connection, documents, old)
            return True

        if not await self._store.transaction(write, scope=SCOPE):
            return False
        self.position = max(self.position, batch.end)
        self.indexed += len(documents)
        return True

    async def _begin(self) -> None:
        self.position = await self._store.transaction(_ready, scope=SCOPE)
        self._begun = True

    async def _follow(self) -> None:
        while True:
            try:
                pause = await self._turn()
            except Exception as error:
                log.warning("the index of the search cannot be written: %s", error)
                pause = _TROUBLE_SECONDS
            await asyncio.sleep(pause)

    async def _turn(self) -> float:
        """Seconds to rest."""
        if not self._begun:
            await self._begin()
        pace = self._pace()
        if not self.lag:
            return _LOOK_SECONDS
        async with self._one:
            began = self._clock()
            mine = await self.step(pace.batch)
            spent = self._clock() - began
        if not mine and self.lag:  # another node is at it
            return _LOOK_SECONDS * (1 + random())  # noqa: S311
        return spent * pace.rest

    def _pace(self) -> _Pace:
        """By what people have written since it was last asked."""
        now, position = self._clock(), self._log.position
        before, was = self._seen
        rate = (position - was) / max(now - before, 0.001)
        self._seen = (now, position)
        if rate > _BUSY_EVENTS or self._queued() > _BUSY_QUEUE:
            return _BUSY
        return _BESIDE if rate > _SOME_EVENTS else _ALONE


def state(connection: Connection) -> State:
    found = connection.execute(select(progress.c.position).where(progress.c.version == VERSION)).scalar()
    return State(found or 0, reading.head(connection))


def _ready(tx: Transaction) -> int:
    """Begin anew when what is there was made with other tokens."""
    row = tx.connection.execute(select(progress.c.position, progress.c.version)).one()
    if row.version == VERSION:
        return int(row.position)
    if row.position:
        for statement in matching.of(tx.connection).clear:
            tx.connection.exec_driver_sql(statement)
    tx.connection.execute(update(progress).values(position=0, version=VERSION))
    return 0


_MESSAGE = (
    select(
        events.c.position, events.c.lane, events.c.sender, events.c.time, events.c.content,
        amended.c.text, amended.c.mentions,
    )
    .select_from(events.outerjoin(amended, and_(amended.c.conversation == events.c.lane, amended.c.seq == events.c.seq)))
    .where(events.c.type.in_(WRITTEN))
)  # fmt: skip


def _read(connection: Connection, most: int) -> _Batch:
    now = state(connection)
    begin, end = now.position, min(now.position + most, now.head)
    if begin >= end:
        return _Batch(begin, begin, ())
    within = (events.c.position > begin, events.c.position <= end)
    messages = list(connection.execute(_MESSAGE.where(*within)))
    acts = select(events.c.lane, events.c.content).where(*within, events.c.type.in_(("edit", "recall")))
    for lane, seq in {(lane, _told(content).seq) for lane, content in connection.execute(acts)}:
        messages += connection.execute(_MESSAGE.where(events.c.lane == lane, events.c.seq == seq, events.c.position <= begin))
    return _Batch(begin, end, messages)


def _made(batch: _Batch) -> tuple[list[tuple[int, str]], list[int]]:
    """The documents of a batch, and the numbers of those that were indexed before."""
    documents: list[tuple[int, str]] = []
    for position, lane, sender, time, content, text, mentions in batch.messages:
        try:
            one = document(content, text, mentions)
            if one is not None:
                documents.append((position, tokens_of(one, lane, sender, time)))
        except Exception:  # one message must not keep all others from being found
            log.exception("the message at position %d cannot be indexed", position)
    return documents, [row.position for row in batch.messages if row.position <= batch.begin]
