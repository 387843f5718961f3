"""The database file: who may read it, and how a connection to it is set up. Only the stdlib's copy of SQLite opens it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from hongyan.store.partial import partial

DATABASE = "hongyan.db"
"""The name of the database in a data directory."""

BUSY_SECONDS = 5.0
"""How long a write waits for another process (`hongyan user add` beside a server) before it is refused."""

_WRITER = """
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA secure_delete = ON;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -65536;
PRAGMA journal_size_limit = 67108864;
PRAGMA wal_autocheckpoint = {checkpoint_pages};
"""
_READER = """
PRAGMA query_only = ON;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -8192;
"""


class _Connection(sqlite3.Connection):
    """The store begins and ends all transactions, with statements. What SQLAlchemy calls has no effect; `intact` notices it."""

    def commit(self) -> None:
        pass

    def rollback(self) -> None:
        pass


_handed: list[sqlite3.Connection] = []
_handing = Lock()
_engine = create_engine("sqlite://", creator=lambda: _handed.pop(), poolclass=NullPool)
"""One for all connections, since it keeps the statements that it has compiled: each would compile every one again."""


class Access:
    """One connection, twice: for SQLAlchemy's statements, and bare.

    SQLAlchemy sees one transaction for as long as nobody ends it; the real ones are the store's.
    """

    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw
        with _handing:
            _handed.append(raw)
            self.connection = _engine.connect()
        self._transaction = self.connection.begin()

    def intact(self) -> bool:
        """False when a function that was given the connection ended the transaction, or left a savepoint open."""
        same = self.connection.get_transaction() is self._transaction and self._transaction.is_active
        return same and not self.connection.in_nested_transaction()

    def mend(self) -> None:
        """Give SQLAlchemy a transaction again."""
        if not self.intact():
            self.connection.rollback()
            self._transaction = self.connection.begin()

    def close(self) -> None:
        self.connection.close()


@contextmanager
def making(path: Path) -> Iterator[Path]:
    """A new file, which gets the name `path` at the end, unless another process was faster: nobody sees it unfinished."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with partial(path) as made:
        yield made
        with suppress(FileExistsError):
            os.link(made, path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make names of files durable: after a power cut a new or renamed file is under its name."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def connect(path: Path) -> sqlite3.Connection:
    """A bare connection to a database that exists; transactions are begun and ended by statements."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
        factory=_Connection,
    )


def open_writer(path: Path, checkpoint_pages: int = 1_000) -> Access:
    """Raises sqlite3.Error, or RuntimeError where a file system does not let SQLite keep a write-ahead log."""
    raw = connect(path)
    try:
        mode = raw.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise RuntimeError(f"{path} is on a file system on which SQLite has no write-ahead log ({mode})")
        raw.executescript(_WRITER.format(checkpoint_pages=int(checkpoint_pages)))
        return Access(raw)
    except BaseException:
        raw.close()
        raise


def open_reader(path: Path) -> Access:
    """A connection that cannot write."""
    raw = connect(path)
    try:
        raw.executescript(_READER)
        return Access(raw)
    except BaseException:
        raw.close()
        raise
