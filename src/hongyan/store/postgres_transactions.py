"""Features' transactions and reads on PostgreSQL: SQLAlchemy on asyncpg, in a loop of its own in a thread of its own.

So what a function computes between its statements does not hold up the server's loop.

Transactions are as if alone. Unless it names a `scope`, one waits for all others and all others wait for it; those that name
one wait for the same scope only. Both by advisory locks that are taken first; the log's head, which appending locks, comes last.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from threading import Thread
from time import monotonic
from typing import Any, Generic, TypeVar

import msgspec
import uvloop
from sqlalchemy import ARRAY, BigInteger, Boolean, Connection, LargeBinary, String, bindparam, event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from hongyan.core.errors import Invalid, OutcomeUnknown, StoreUnavailable
from hongyan.core.model import Event
from hongyan.store import Appended, Draft, Transaction, accepted
from hongyan.store.postgres_append import CALL_SECONDS, MOST, PATIENCE_SECONDS, RETRY_SECONDS, parameters, placed, xact_status
from hongyan.store.postgres_connection import (
    NAMESPACE,
    away,
    connect,
    engine,
    is_away,
    is_bad_text,
    is_conflict,
    is_standby,
    told,
)

log = logging.getLogger("hongyan.store")

T = TypeVar("T")

_READ_SECONDS = 20.0
_WRITE_SECONDS = 20.0
_PAUSE_SECONDS = 0.2
WRITERS = 4

_ARRAYS: dict[str, Any] = {
    "lanes": String, "types": String, "senders": String, "times": BigInteger,
    "client_ids": String, "contents": LargeBinary, "versions": BigInteger, "bumps": Boolean,
}  # fmt: skip
_CALL = text(f"SELECT * FROM append_events({', '.join(':' + name for name in _ARRAYS)})").bindparams(  # noqa: S608
    *[bindparam(name, type_=ARRAY(kind)) for name, kind in _ARRAYS.items()]
)
_ALONE = text("SELECT pg_advisory_xact_lock(:namespace, 0)").bindparams(namespace=NAMESPACE)
_SCOPE = text(
    "SELECT pg_advisory_xact_lock_shared(:namespace, 0), pg_advisory_xact_lock(:namespace + 1, hashtext(:scope))"
).bindparams(namespace=NAMESPACE)
_XID = text("SELECT pg_current_xact_id_if_assigned()::text::bigint")


class PostgresTransaction:
    """Keeps the contract of `hongyan.store.Transaction`."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Connection | None = connection
        self.events: list[Event] = []
        self.xid: int | None = None

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("This transaction is over")
        return self._connection

    def append(self, draft: Draft) -> Appended:
        return self.append_all([draft])[0]

    def append_all(self, drafts: Sequence[Draft]) -> list[Appended]:
        found: list[Appended] = []
        for at in range(0, len(drafts), MOST):
            some = drafts[at : at + MOST]
            row = self.connection.execute(_CALL, dict(zip(_ARRAYS, parameters(some), strict=True))).one()
            answer = placed(some, *row)
            self.events += answer.events
            self.xid = answer.xid
            found += accepted(answer.outcomes)
        return found

    def over(self) -> None:
        self._connection = None


class Transactions:
    """Everything here is called in the server's loop's thread, and runs in the other one."""

    def __init__(self, url: str, readers: int) -> None:
        self._url = url
        self._engine = engine(url, readers + WRITERS)
        self._patience = PATIENCE_SECONDS
        self._reading = asyncio.Semaphore(readers)
        self._writing = asyncio.Semaphore(WRITERS)
        self._loop = uvloop.new_event_loop()
        self._thread = Thread(target=self._run, name="store-postgres", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def hurry(self) -> None:
        """Wait for a database that is away no longer: this process is ending."""
        self._patience = 0.0

    async def stop(self) -> None:
        """When what runs has ended."""
        if self._thread.is_alive():
            await self._call(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            await asyncio.to_thread(self._thread.join)

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Raises StoreUnavailable, and what `fn` raises."""
        return await self._call(self._trying(lambda: self._read(fn)))

    async def write(self, fn: Callable[[Transaction], T], scope: str | None) -> tuple[T, list[Event]]:
        """The value, and the events that were appended. Raises StoreUnavailable, OutcomeUnknown, and what `fn` raises."""
        return await self._call(self._trying(lambda: self._write(fn, scope)))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    async def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def _close(self) -> None:
        running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if running:
            await asyncio.wait(running, timeout=PATIENCE_SECONDS)
        try:
            async with asyncio.timeout(2.0):
                await self._engine.dispose()
        except TimeoutError:
            log.warning("the connections to the database did not close in time")

    async def _trying(self, attempt: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Again while the database is away, for a while; and when another transaction was in the way."""
        began = monotonic()
        while True:
            try:
                return await attempt()
            except Exception as error:
                if is_conflict(error):
                    if monotonic() - began > PATIENCE_SECONDS:
                        raise StoreUnavailable("Others keep changing the same; nothing was stored", retry_after=0.5) from error
                elif is_bad_text(error):
                    raise Invalid("A text has a character that cannot be stored") from None
                elif not is_away(error):
                    raise
                elif monotonic() - began > self._patience:
                    raise StoreUnavailable(f"{away(error)}; nothing was stored", retry_after=RETRY_SECONDS) from error
                else:
                    await asyncio.sleep(_PAUSE_SECONDS)

    async def _read(self, fn: Callable[[Connection], T]) -> T:
        async with self._reading, self._connected(_READ_SECONDS) as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            return await connection.run_sync(fn)

    async def _write(self, fn: Callable[[Transaction], T], scope: str | None) -> tuple[T, list[Event]]:
        commit: _Commit[T] | None = None
        try:
            async with self._writing, self._connected(_WRITE_SECONDS) as connection:
                begun = await connection.begin()
                if scope is None:
                    await connection.execute(_ALONE)
                else:
                    await connection.execute(_SCOPE, {"scope": scope})
                value, tx = await connection.run_sync(_run, fn)
                commit = _Commit(tx.xid or await connection.scalar(_XID), value, tx.events)
                await begun.commit()
        except Exception as error:
            if is_standby(error):
                raise ConnectionRefusedError(f"it takes no writes ({told(error)})") from error
            if commit is None or commit.xid is None or not is_away(error) or not await self._committed(commit.xid, error):
                raise
        return commit.value, commit.events

    @asynccontextmanager
    async def _connected(self, seconds: float) -> AsyncIterator[AsyncConnection]:
        """A connection for so long. One that has failed is thrown away: what it is in the middle of is not known."""
        async with asyncio.timeout(seconds):
            connection = await self._engine.connect()
            try:
                yield connection
            except BaseException as error:
                if is_away(error) or isinstance(error, (asyncio.CancelledError, RuntimeError)):
                    await asyncio.shield(connection.invalidate())
                raise
            finally:
                await asyncio.shield(connection.close())

    async def _committed(self, xid: int, error: Exception) -> bool:
        """Whether a transaction was committed whose answer was lost. Raises OutcomeUnknown when it cannot be found out."""
        began = monotonic()
        while monotonic() - began < self._patience:
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    connection = await connect(self._url)
                    try:
                        status = await xact_status(connection, xid)
                    finally:
                        connection.terminate()
            except Exception as again:
                if not is_away(again):
                    raise
            else:
                if status != "in progress":
                    return status == "committed"
            await asyncio.sleep(_PAUSE_SECONDS)
        raise OutcomeUnknown(
            f"The database went away ({told(error)}); whether this was stored is not known", retry_after=RETRY_SECONDS
        ) from error


class _Commit(msgspec.Struct, Generic[T], frozen=True):
    """What is being committed. Without an id nothing was written."""

    xid: int | None
    value: T
    events: list[Event]


def _run(connection: Connection, fn: Callable[[Transaction], T]) -> tuple[T, PostgresTransaction]:
    """Call the function; what it may not do to the transaction is a fault of the program."""
    begun = connection.get_transaction()
    tx = PostgresTransaction(connection)
    taken_back: list[str] = []

    def savepoint_taken_back(connection: Connection, name: str, context: None) -> None:
        if tx.events:
            taken_back.append(name)

    def commits(connection: Connection) -> None:
        raise RuntimeError("A transaction's function cannot commit it: that is the store's to do")

    listeners = (("rollback_savepoint", savepoint_taken_back), ("commit", commits))
    for name, listener in listeners:
        event.listen(connection, name, listener)
    try:
        value = fn(tx)
    except Exception as error:
        if isinstance(error, StopIteration):
            raise RuntimeError(f"The function of a transaction raised {error!r}") from error
        raise
    except BaseException as error:  # would end the store's thread; a real cancellation is one of this task
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            raise
        raise RuntimeError(f"The function of a transaction raised {error!r}") from error
    finally:
        tx.over()
        for name, listener in listeners:
            event.remove(connection, name, listener)
    if begun is None or connection.get_transaction() is not begun or not begun.is_active or connection.in_nested_transaction():
        raise RuntimeError("A transaction's function ended the transaction, or left a savepoint open: that is the store's to do")
    if taken_back:
        raise RuntimeError("A transaction's function took back what belongs to the log")
    return value, tx
