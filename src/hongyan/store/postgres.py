"""The store on PostgreSQL, for any number of nodes: appends in batches on a connection of their own, all else beside them."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy import Connection

from hongyan.core.errors import Overloaded, StoreUnavailable
from hongyan.core.model import Batch, Event
from hongyan.store import Done, Draft, Transaction, migrate
from hongyan.store.epoch import Identity, identity
from hongyan.store.postgres_append import Answer, Appender
from hongyan.store.postgres_connection import away, connect, is_away
from hongyan.store.postgres_tail import Tail
from hongyan.store.postgres_transactions import WRITERS, Transactions
from hongyan.store.stats import Stats

log = logging.getLogger("hongyan.store")

T = TypeVar("T")

_OWN = 2
"""The appender's connection and the tail's."""


def connections_of(readers: int) -> int:
    """How many connections a node may have open."""
    return readers + WRITERS + _OWN


class PostgresStore:
    """Keeps the contract of `hongyan.store.Store` in a database, whose tables are made by `start` when there are none.

    `queue` bounds the appends and transactions, and as well the reads, that are not answered yet.
    """

    shared = True

    def __init__(self, url: str, *, queue: int, readers: int) -> None:
        self.url = url
        self.stats = Stats()
        self._bound = queue
        self._appender = Appender(partial(connect, url), self._deliver)
        self._tail = Tail(partial(connect, url))
        self._transactions = Transactions(url, readers)
        self._open = False
        self._identity = Identity("", b"")
        self._reads = 0
        self._writes: set[asyncio.Task[Any]] = set()
        self._closing: asyncio.Task[None] | None = None

    @property
    def epoch(self) -> str:
        return self._identity.epoch

    @property
    def key(self) -> bytes:
        return self._identity.key

    @property
    def trouble(self) -> str | None:
        return self._appender.trouble

    async def start(self, on_commit: Callable[[Batch], None]) -> None:
        """Raises WrongSchema when the tables are of another version of the program, StoreUnavailable when nobody answers."""
        self._on_commit = on_commit
        try:
            await asyncio.to_thread(migrate.ready, self.url)
            self._transactions.start()
            self._identity, _ = await self._transactions.write(lambda tx: identity(tx.connection), None)
            await self._appender.start()
        except BaseException as error:
            await self.close()
            if isinstance(error, Exception) and is_away(error):
                raise StoreUnavailable(away(error)) from error
            raise
        self._open = True

    async def close(self) -> None:
        if self._closing is None:
            self._open = False
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    def append(self, draft: Draft, done: Done) -> None:
        self._admit()
        self._appender.put(draft, done)

    async def transaction(self, fn: Callable[[Transaction], T], *, scope: str | None = None) -> T:
        self._admit()
        return await asyncio.shield(self._later(self._transaction(fn, scope)))

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Raises Overloaded when too many reads are waiting, StoreUnavailable."""
        if not self._open or self._reads >= self._bound:
            raise Overloaded(retry_after=1.0)
        self._reads += 1
        try:
            return await self._transactions.read(fn)
        finally:
            self._reads -= 1

    async def log_after(self, position: int, limit: int) -> list[Event]:
        """Raises StoreUnavailable."""
        return await self._tail.after(position, limit)

    def _admit(self) -> None:
        if not self._open or self.stats.queued >= self._bound:
            raise Overloaded(retry_after=1.0)
        self.stats.queued += 1

    def _later(self, work: Any) -> "asyncio.Task[Any]":
        """What goes on when its caller goes away."""
        task: asyncio.Task[Any] = asyncio.ensure_future(work)
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        return task

    async def _transaction(self, fn: Callable[[Transaction], T], scope: str | None) -> T:
        began, stats = monotonic(), self.stats
        try:
            value, events = await self._transactions.write(fn, scope)
        except BaseException:
            stats.refused += 1
            raise
        finally:
            stats.queued -= 1
            stats.latency.observe(monotonic() - began)
        self._committed(events)
        return value

    def _deliver(self, answers: list[Answer], batch: Batch | None, queued: float) -> None:
        stats = self.stats
        stats.queued -= len(answers)
        if answers:
            stats.latency.observe(monotonic() - queued)
        for done, outcome in answers:
            stats.refused += isinstance(outcome, BaseException)
            try:
                done(outcome)
            except Exception:
                log.exception("the answer to an append could not be given")
        if batch is not None:
            self._committed(batch.events)

    def _committed(self, events: Sequence[Event]) -> None:
        if events:
            self.stats.commits += 1
            self.stats.events += len(events)
            self.stats.batch_size.observe(len(events))
            try:
                self._on_commit(Batch(events[0].position, events[-1].position, events))
            except Exception:
                log.exception("what was committed could not be handed on; the follower will read it")

    async def _close(self) -> None:
        self._transactions.hurry()
        if self._writes:
            await asyncio.wait(list(self._writes))
        await self._appender.stop()
        self._tail.stop()
        await self._transactions.stop()
