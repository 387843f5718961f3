"""The store on SQLite: one writing thread with group commit, a few reading connections, one file."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy import Connection

from hongyan.core.errors import Overloaded
from hongyan.core.model import Batch, Event
from hongyan.store import Done, Draft, Transaction, migrate, reading, sqlite_file
from hongyan.store.epoch import Identity, identity
from hongyan.store.sqlite_checkpoint import Checkpoints
from hongyan.store.sqlite_file import Access
from hongyan.store.sqlite_writer import Answer, Job, Returned, Writer
from hongyan.store.stats import Stats

log = logging.getLogger("hongyan.store")

T = TypeVar("T")


class SqliteStore:
    """Keeps the contract of `hongyan.store.Store` in one file, made by `start` when there is none.

    `queue` bounds the appends and transactions, and as well the reads, that are not answered yet.
    """

    shared = False

    def __init__(self, path: Path, *, queue: int, readers: int, checkpoint_pages: int) -> None:
        self.path = path
        self.stats = Stats()
        self._bound = queue
        self._reader_count = readers
        self._checkpoint_pages = checkpoint_pages
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._open = False
        self._identity = Identity("", b"")
        self._pool: ThreadPoolExecutor | None = None
        self._readers: list[Access] = []
        self._reads: set[asyncio.Future[Any]] = set()
        self._checkpoints: Checkpoints | None = None
        self._writer: Writer | None = None
        self._thread: Thread | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def epoch(self) -> str:
        return self._identity.epoch

    @property
    def key(self) -> bytes:
        return self._identity.key

    @property
    def trouble(self) -> str | None:
        return None if self._writer is None else self._writer.trouble

    async def start(self, on_commit: Callable[[Batch], None]) -> None:
        """Raises WrongSchema when the tables are of another version of the program."""
        self._on_commit = on_commit
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._pool = ThreadPoolExecutor(self._reader_count, thread_name_prefix="store-read")
        try:
            access, checkpoints = await self._loop.run_in_executor(self._pool, self._open_file)
        except BaseException:
            await self.close()
            raise
        self._writer = Writer(access, self._queue, self._from_writer, checkpoints)
        # A daemon: a process that ends without `close` must end, and what is not acknowledged is promised to nobody.
        self._thread = Thread(target=self._write, args=(self._writer, access), name="store-write", daemon=True)
        self._thread.start()
        self._open = True

    async def close(self) -> None:
        if self._closing is None:
            self._open = False
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    def append(self, draft: Draft, done: Done) -> None:
        self._enqueue(draft, done)

    async def transaction(self, fn: Callable[[Transaction], T], *, scope: str | None = None) -> T:
        """All are in one thread, so each is alone, whatever its scope."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def done(outcome: Returned | BaseException) -> None:
            if future.done():
                return
            if isinstance(outcome, Returned):
                future.set_result(outcome.value)
            elif isinstance(outcome, Exception) and not isinstance(outcome, StopIteration):
                future.set_exception(outcome)
            else:
                future.set_exception(RuntimeError(f"The function of a transaction raised {outcome!r}"))

        self._enqueue(fn, done)
        return await future

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Raises Overloaded when too many reads are waiting."""
        if not self._open or self._pool is None or len(self._reads) >= self._bound:
            raise Overloaded(retry_after=1.0)
        future = self._loop.run_in_executor(self._pool, self._read, fn)
        self._reads.add(future)
        future.add_done_callback(self._reads.discard)
        return await future

    async def log_after(self, position: int, limit: int) -> list[Event]:
        return await self.read(lambda connection: reading.after(connection, position, limit))

    def _enqueue(self, work: Any, done: Callable[[Any], None]) -> None:
        if not self._open or self.stats.queued >= self._bound:
            raise Overloaded(retry_after=1.0)
        self.stats.queued += 1
        self._queue.put(Job(work, done, monotonic()))

    def _open_file(self) -> tuple[Access, Checkpoints]:
        if not self.path.exists():
            migrate.upgrade(self.path)
        migrate.check(self.path)
        access = sqlite_file.open_writer(self.path, self._checkpoint_pages)
        try:
            access.raw.execute("BEGIN IMMEDIATE")
            self._identity = identity(access.connection)
            access.raw.execute("COMMIT")
            while len(self._readers) < self._reader_count:
                self._readers.append(sqlite_file.open_reader(self.path))
            checkpoints = self._checkpoints = Checkpoints(self.path, self._checkpoint_pages)
        except BaseException:
            access.close()
            raise
        return access, checkpoints

    def _read(self, fn: Callable[[Connection], T]) -> T:
        access = self._readers.pop()  # there are as many as threads
        try:
            access.raw.execute("BEGIN")
            return fn(access.connection)
        finally:
            access.mend()
            if access.raw.in_transaction:
                access.raw.execute("ROLLBACK")
            self._readers.append(access)

    def _write(self, writer: Writer, access: Access) -> None:
        try:
            writer.run()
        finally:
            access.close()
            self._loop.call_soon_threadsafe(self._ended.set_result, None)

    def _from_writer(self, answers: list[Answer], batch: Batch | None, queued: float) -> None:
        try:
            self._loop.call_soon_threadsafe(self._deliver, answers, batch, queued)
        except RuntimeError:
            log.exception("the loop was closed before the store")

    def _deliver(self, answers: list[Answer], batch: Batch | None, queued: float) -> None:
        stats = self.stats
        stats.queued -= len(answers)
        stats.latency.observe(monotonic() - queued)
        stats.refused += sum(isinstance(outcome, BaseException) for _, outcome in answers)
        for done, outcome in answers:
            try:
                done(outcome)
            except Exception:
                log.exception("the answer to an append could not be given")
        if batch is not None:
            stats.commits += 1
            stats.events += len(batch.events)
            stats.batch_size.observe(len(batch.events))
            self._on_commit(batch)

    async def _close(self) -> None:
        if self._pool is not None:
            await asyncio.to_thread(self._pool.shutdown)
        for access in self._readers:
            access.close()
        if self._checkpoints is not None:
            await asyncio.to_thread(self._checkpoints.stop)
        if self._thread is not None:
            self._queue.put(None)
            await self._ended
            self._thread.join()
