"""The one thread that writes to SQLite: commits together whatever has queued."""

import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from queue import Empty, SimpleQueue
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hongyan.core.errors import StoreUnavailable
from hongyan.core.model import Batch, Event
from hongyan.store import Appended, Draft, Transaction, accepted
from hongyan.store.grouping import GATHER_SECONDS, SEVERAL
from hongyan.store.sqlite_checkpoint import Checkpoints
from hongyan.store.sqlite_file import Access
from hongyan.store.sqlite_log import MOST, LogEnd, TransactionLost, is_trouble

log = logging.getLogger("hongyan.store")

PROBE_SECONDS = 1.0
"""How often writing is tried while it does not work and nobody tries it anyway."""

RETRY_SECONDS = 2.0

_PROBE_BYTES = 262_144


class Returned(msgspec.Struct, frozen=True):
    """What the function of a transaction returned."""

    value: Any


Work = Draft | Callable[[Transaction], Any]
Answer = tuple[Callable[[Any], None], Any]
"""A callback, and what it is to be called with: Appended, Returned or an exception."""


class Job(msgspec.Struct, frozen=True, gc=False):
    work: Work
    done: Callable[[Any], None]
    queued: float
    """When, by a monotonic clock."""


Deliver = Callable[[list[Answer], Batch | None, float], None]
"""Called in the writer's thread: the answers of one commit in the order of the calls, its events, when the first was queued."""


class SqliteTransaction:
    """Keeps the contract of `hongyan.store.Transaction`."""

    def __init__(self, connection: Connection, end: LogEnd) -> None:
        self._connection: Connection | None = connection
        self._end = end
        self.events: list[Event] = []

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("This transaction is over")
        return self._connection

    def append(self, draft: Draft) -> Appended:
        return self.append_all([draft])[0]

    def append_all(self, drafts: Sequence[Draft]) -> list[Appended]:
        if self._connection is None:
            raise RuntimeError("This transaction is over")
        found: list[Appended] = []
        for at in range(0, len(drafts), MOST):
            placed = self._end.append(drafts[at : at + MOST])
            self.events += placed.events
            found += accepted(placed.outcomes)
        return found

    def over(self) -> None:
        self._connection = None


class Writer:
    def __init__(self, access: Access, queue: "SimpleQueue[Job | None]", deliver: Deliver, checkpoints: Checkpoints) -> None:
        self._access = access
        self._checkpoints = checkpoints
        self._raw = access.raw
        self._queue = queue
        self._deliver = deliver
        self._end = LogEnd(access.raw)
        self.trouble: str | None = None

    def run(self) -> None:
        """Until None is taken from the queue."""
        while True:
            try:
                first = self._queue.get(timeout=PROBE_SECONDS if self.trouble else None)
            except Empty:
                self._probe()
                continue
            jobs = [first, *(self._queue.get_nowait() for _ in range(min(self._queue.qsize(), MOST - 1)))]
            if stop := jobs[-1] is None:
                jobs.pop()
            if jobs:
                self._work([job for job in jobs if job is not None])
            if stop:
                return
            if len(jobs) >= SEVERAL:
                time.sleep(GATHER_SECONDS)

    def _work(self, jobs: list[Job]) -> None:
        batch = None
        before = self._raw.total_changes
        try:
            answers, events = self._commit(jobs)
            self._end.trim()
            if self._raw.total_changes != before:  # an empty transaction is committed on a full disk too
                self._works()
            if events:
                batch = Batch(events[0].position, events[-1].position, events)
        except BaseException as error:
            self._fails(error)
            reason = f"The message store cannot be written now ({error}); nothing was stored"
            answers = [(job.done, StoreUnavailable(reason, retry_after=RETRY_SECONDS)) for job in jobs]
        self._deliver(answers, batch, jobs[0].queued)
        self._checkpoints.wrote(self._raw)

    def _commit(self, jobs: list[Job]) -> tuple[list[Answer], list[Event]]:
        drafts = [job.work for job in jobs if type(job.work) is Draft and not job.work.bumps]
        alone = len(drafts) == len(jobs)
        if alone:
            try:
                placed = self._end.write(drafts)  # a single statement is its own transaction
            except Exception as error:
                if is_trouble(error):
                    raise
            else:
                return [(job.done, outcome) for job, outcome in zip(jobs, placed.outcomes, strict=True)], placed.events
        self._raw.execute("BEGIN IMMEDIATE")
        self._end.begun()
        answers: list[Answer] = []
        events: list[Event] = []
        for are_drafts, some in groupby(jobs, lambda job: type(job.work) is Draft):
            run = list(some)
            if are_drafts:
                append = self._end.append_slowly if alone else self._end.append
                placed = append([job.work for job in run if isinstance(job.work, Draft)])
                answers += [(job.done, outcome) for job, outcome in zip(run, placed.outcomes, strict=True)]
                events += placed.events
            else:
                for job in run:
                    outcome, added = self._transaction(job.work)
                    answers.append((job.done, outcome))
                    events += added
        self._raw.execute("COMMIT")
        return answers, events

    def _transaction(self, fn: Any) -> tuple[Any, list[Event]]:
        """Run it under a savepoint."""
        head = self._end.head
        transaction = SqliteTransaction(self._access.connection, self._end)
        self._raw.execute("SAVEPOINT one")
        try:
            returned = Returned(fn(transaction))
            if not self._raw.in_transaction:
                raise TransactionLost("SQLite ended the transaction")
            if not self._access.intact():
                raise RuntimeError(
                    "A transaction's function ended the transaction, or left a savepoint open: that is the store's to do"
                )
            if transaction.events and not self._end.grew(head, len(transaction.events)):
                raise RuntimeError("A transaction's function took back, or wrote by itself, what belongs to the log")
            self._raw.execute("RELEASE one")
        except BaseException as error:
            cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
            if is_trouble(cause):
                raise cause from error
            if not self._raw.in_transaction:
                raise TransactionLost(str(error)) from error
            self._raw.execute("ROLLBACK TO one")
            self._raw.execute("RELEASE one")
            self._end.rewind(head, {event.lane for event in transaction.events})
            return error, []
        finally:
            transaction.over()
            self._access.mend()
        return returned, transaction.events

    def _works(self) -> None:
        if self.trouble is not None:
            log.warning("the store can be written again")
            self.trouble = None

    def _fails(self, error: BaseException) -> None:
        """Take everything back; what is known of the log is read anew."""
        if self.trouble is None:
            log.error("the store cannot be written: %s", error, exc_info=None if is_trouble(error) else error)
        self.trouble = str(error) or type(error).__name__
        self._end.forget()
        try:
            if self._raw.in_transaction:
                self._raw.execute("ROLLBACK")
        except sqlite3.Error:
            log.exception("a failed transaction could not be taken back")

    def _probe(self) -> None:
        """Whether there is room for some events again. A few bytes would always fit into what the failed commit left."""
        try:
            self._raw.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', ?)", ("." * _PROBE_BYTES,))
            self._raw.execute("DELETE FROM meta WHERE name = 'probe'")
            self._works()
        except sqlite3.Error as error:
            self._fails(error)
