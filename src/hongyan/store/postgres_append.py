"""The end of the log on PostgreSQL: what has queued becomes one call of one function, which is one transaction.

The call locks the log's head until its commit, so nodes append one after the other and nobody ever sees a hole. A call whose
answer was lost is made again: the function finds by their client ids those that were stored, and stores the others. Where a
draft has none, the call is made in a transaction whose id is known before it is committed, and the database is asked what
became of that.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

import asyncpg
import msgspec

from hongyan.core.errors import ClientIdReused, HongyanError, OutcomeUnknown, StoreUnavailable
from hongyan.core.model import Batch, Event
from hongyan.store import Appended, Done, Draft, Refused, VersionConflict
from hongyan.store.grouping import GATHER_SECONDS, SEVERAL
from hongyan.store.postgres_connection import Connect, away, is_away, is_standby, told

log = logging.getLogger("hongyan.store")

MOST = 1_024
"""Drafts of one call."""
_MOST_BYTES = 4_194_304
CALL_SECONDS = 5.0
"""After so long a call's answer counts as lost."""
PATIENCE_SECONDS = 6.0
"""How long an append waits for a database that is away, before its sender is told."""
RETRY_SECONDS = 2.0
_PAUSE_SECONDS = 0.2

_CALL = "SELECT * FROM append_events($1, $2, $3, $4, $5, $6, $7, $8)"

Answer = tuple[Done, Appended | Refused]
Deliver = Callable[[list[Answer], Batch | None, float], None]
"""The answers of one commit in the order of the calls, its events, when the first was queued."""


class Job:
    __slots__ = ("done", "draft", "queued", "unsure")

    def __init__(self, draft: Draft, done: Done, queued: float) -> None:
        self.draft = draft
        self.done = done
        self.queued = queued
        self.unsure = False
        """It was in a call whose answer was lost."""


class Placed(msgspec.Struct, frozen=True):
    """The answers to some drafts in their order, and the events that are new in the log."""

    outcomes: list[Appended | Refused]
    events: list[Event]
    xid: int


def parameters(drafts: Sequence[Draft]) -> tuple[list[Any], ...]:
    """The arrays of `append_events`."""
    return (
        [draft.lane for draft in drafts],
        [draft.type for draft in drafts],
        [draft.sender for draft in drafts],
        [draft.time for draft in drafts],
        [draft.client_id for draft in drafts],
        [draft.content for draft in drafts],
        [draft.version for draft in drafts],
        [draft.bumps for draft in drafts],
    )


def placed(drafts: Sequence[Draft], positions: Any, seqs: Any, times: Any, codes: Any, xid: int) -> Placed:
    """What `append_events` answered to these drafts."""
    outcomes: list[Appended | Refused] = []
    events: list[Event] = []
    for draft, position, seq, time, code in zip(drafts, positions, seqs, times, codes, strict=True):
        if code == 0:
            outcomes.append(Appended(position, seq, time))
            events.append(Event(position, draft.lane, seq, draft.type, draft.sender, time, draft.client_id, draft.content))
        elif code == 1:
            outcomes.append(Appended(position, seq, time, repeated=True))
        elif code == 2:
            outcomes.append(ClientIdReused())
        else:
            outcomes.append(VersionConflict(position))
    return Placed(outcomes, events, xid)


async def _call(connection: "asyncpg.Connection[Any]", given: tuple[list[Any], ...]) -> tuple[Any, ...]:
    row = await connection.fetchrow(_CALL, *given)
    if row is None:
        raise AssertionError("append_events answers with one row")
    return tuple(row)


async def xact_status(connection: "asyncpg.Connection[Any]", xid: int) -> str:
    """`committed`, `aborted` or `in progress`."""
    try:
        return str(await connection.fetchval("SELECT pg_xact_status($1::text::xid8)", str(xid)))
    except asyncpg.InvalidParameterValueError:  # "in the future": the database was killed before it wrote that it was begun
        return "aborted"


class Appender:
    """Owns one connection, and makes a new one when it is lost."""

    def __init__(self, connect: Connect, deliver: Deliver) -> None:
        self._connect = connect
        self._deliver = deliver
        self._queue: deque[Job] = deque()
        self._queued = asyncio.Event()
        self._connection: asyncpg.Connection[Any] | None = None
        self._unsure: tuple[list[Job], Placed] | None = None
        """A commit that was not answered, and what it answers if it was made."""
        self._one_by_one = 0
        """So many jobs at the front of the queue go alone: one of them is at fault."""
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self.trouble: str | None = None

    async def start(self) -> None:
        """Raises what `is_away` knows when the database is not there."""
        self._connection = await self._connect()
        self._task = asyncio.create_task(self._run(), name="hongyan append")

    async def stop(self) -> None:
        """When everything that has queued was answered."""
        self._stopping = True
        self._queued.set()
        if self._task is not None:
            await self._task
        if self._connection is not None:
            try:
                async with asyncio.timeout(1.0):
                    await self._connection.close()
            except Exception:
                self._connection.terminate()

    def put(self, draft: Draft, done: Done) -> None:
        self._queue.append(Job(draft, done, monotonic()))
        self._queued.set()

    async def _run(self) -> None:
        while True:
            if not self._queue and self._unsure is None:
                if self._stopping:
                    return
                self._queued.clear()
                await self._await_work()
            if self._connection is None:
                await self._reconnect()
            if self._connection is not None and self._unsure is not None:
                await self._find_out(self._connection, *self._unsure)
            elif self._connection is not None and self._queue:
                jobs = self._take()
                try:
                    await self._commit(self._connection, jobs)
                except Exception as error:  # a fault of the program: whoever waits is told, and appending goes on
                    log.exception("a batch could not be appended")
                    self._lost(error)
                    self._deliver([(job.done, OutcomeUnknown(retry_after=RETRY_SECONDS)) for job in jobs], None, monotonic())
                if len(jobs) >= SEVERAL and len(self._queue) < MOST and not self._stopping:
                    await asyncio.sleep(GATHER_SECONDS)

    async def _await_work(self) -> None:
        """An idle connection may be lost too, and comes back before somebody needs it."""
        while not self._queued.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._queued.wait()
            if self._connection is not None and self._connection.is_closed():
                self._lost(ConnectionError("the connection was closed"))
            if self._connection is None and not self._queued.is_set():
                await self._reconnect()
            elif self._connection is not None and self.trouble is not None:
                await self._recover(self._connection)

    def _take(self) -> list[Job]:
        """The next batch: a draft that bumps ends it, and no two of it have the same client id."""
        jobs: list[Job] = []
        later: list[Job] = []
        keys: set[tuple[str, str]] = set()
        size = 0
        queue = self._queue
        most = 1 if self._one_by_one else MOST
        self._one_by_one = max(0, self._one_by_one - 1)
        while queue and len(jobs) < most and size < _MOST_BYTES:
            job = queue.popleft()
            draft = job.draft
            if draft.client_id is not None and draft.sender is not None:
                key = (draft.sender, draft.client_id)
                if key in keys:
                    later.append(job)
                    continue
                keys.add(key)
            jobs.append(job)
            size += len(draft.content) + 200
            if draft.bumps:
                break
        queue.extendleft(reversed(later))
        return jobs

    async def _commit(self, connection: "asyncpg.Connection[Any]", jobs: list[Job]) -> None:
        drafts = [job.draft for job in jobs]
        given = parameters(drafts)
        committing: Placed | None = None
        try:
            async with asyncio.timeout(CALL_SECONDS):
                if all(draft.client_id is not None and draft.sender is not None for draft in drafts):
                    found = placed(drafts, *await _call(connection, given))
                else:
                    transaction = connection.transaction(isolation="read_committed")
                    await transaction.start()
                    found = placed(drafts, *await _call(connection, given))
                    committing = found
                    await transaction.commit()
        except Exception as error:
            if not is_away(error) and not is_standby(error):
                await self._refused(connection, jobs, error)
                return
            self._lost(error)
            if committing is not None:
                self._unsure = jobs, committing
            else:
                for job in jobs:
                    job.unsure = True
                self._queue.extendleft(reversed(jobs))
        else:
            self._answer(jobs, found)

    def _answer(self, jobs: list[Job], found: Placed) -> None:
        answers = [(job.done, outcome) for job, outcome in zip(jobs, found.outcomes, strict=True)]
        self._give(answers, found.events, jobs[0].queued)

    async def _find_out(self, connection: "asyncpg.Connection[Any]", jobs: list[Job], found: Placed) -> None:
        """What became of a transaction whose commit was not answered."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                status = await xact_status(connection, found.xid)
                while status == "in progress":
                    await asyncio.sleep(_PAUSE_SECONDS)
                    status = await xact_status(connection, found.xid)
        except Exception as error:
            self._lost(error)
            return
        self._unsure = None
        if status == "committed":
            self._answer(jobs, found)
        else:
            self._queue.extendleft(reversed(jobs))

    async def _refused(self, connection: "asyncpg.Connection[Any]", jobs: list[Job], error: Exception) -> None:
        """The database takes none of a batch when one of it cannot be stored: the others are stored without it."""
        if connection.is_in_transaction():
            try:
                await connection.execute("ROLLBACK")
            except Exception as lost:
                self._lost(lost)
        if len(jobs) > 1:
            self._one_by_one = len(jobs)
            self._queue.extendleft(reversed(jobs))
            return
        log.error("an event of type %r cannot be stored: %s", jobs[0].draft.type, error)
        self._give([(jobs[0].done, HongyanError("This event could not be stored"))], [], jobs[0].queued)

    def _give(self, answers: list[Answer], events: list[Event], queued: float) -> None:
        if self.trouble is not None:
            log.warning("the store can be written again")
            self.trouble = None
        batch = Batch(events[0].position, events[-1].position, events) if events else None
        self._deliver(answers, batch, queued)

    def _lost(self, error: BaseException) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
        if self.trouble is None:
            log.error("the store cannot be written: %s", told(error))
        self.trouble = away(error)

    async def _reconnect(self) -> None:
        """Until it works; whoever has waited too long is told meanwhile."""
        connecting = asyncio.ensure_future(self._connect())
        try:
            while not connecting.done():
                await asyncio.wait((connecting,), timeout=_PAUSE_SECONDS)
                self._give_up()
            self._connection = connecting.result()
        except Exception as error:
            self._lost(error)
            self._give_up()
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            if not self._queue and self.trouble is not None:
                await self._recover(self._connection)
        finally:
            connecting.cancel()

    async def _recover(self, connection: "asyncpg.Connection[Any]") -> None:
        """Nobody waits to append: whether it would work. A database that can only be read can be connected to all the same."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                read_only = await connection.fetchval("SHOW transaction_read_only")
        except Exception as error:
            self._lost(error)
        else:
            if read_only == "off":
                self._give([], [], monotonic())

    def _give_up(self) -> None:
        over = monotonic() - (0.0 if self._stopping else PATIENCE_SECONDS)
        unknown = OutcomeUnknown(f"{self.trouble}; whether it was stored is not known", retry_after=RETRY_SECONDS)
        nothing = StoreUnavailable(f"{self.trouble}; nothing was stored", retry_after=RETRY_SECONDS)
        answers: list[Answer] = []
        if self._unsure is not None and self._unsure[0][0].queued <= over:
            answers += [(job.done, unknown) for job in self._unsure[0]]
            self._unsure = None
        kept: deque[Job] = deque()
        for job in self._queue:
            if job.queued > over:
                kept.append(job)
            else:
                answers.append((job.done, unknown if job.unsure else nothing))
        if answers:
            self._queue = kept
            self._deliver(answers, None, over)
