"""Copies of the database: taken while a server runs, and put back while none does."""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from hongyan.store import migrate, sqlite_file
from hongyan.store.epoch import new_epoch
from hongyan.store.partial import partial

_PAGES = 1_000
_TABLES = {"alembic_version", "events", "meta"}

Progress = Callable[[int, int], None]
"""Called now and then with the pages that are done and how many there are."""


class BackupError(Exception):
    """A copy that cannot be made or used. The text says why and what to do."""


def _silent(done: int, total: int) -> None:
    pass


def write(source: Path, target: Path, progress: Progress = _silent, *, overwrite: bool = False) -> None:
    """Write a consistent copy of the database `source` to `target`, durable when this returns, readable for its owner only.

    A server may go on writing. `target` is there whole or not at all. Raises BackupError.
    """
    if not source.is_file():
        raise BackupError(f"There is no database {source}")
    if not target.parent.is_dir():
        raise BackupError(f"There is no directory {target.parent} for the copy")
    if target.exists() and (not overwrite or not target.is_file() or target.samefile(source)):
        raise BackupError(f"{target} is there already; it was not touched")
    try:
        with partial(target) as made:
            _copy(source, made, progress)
            _check(made, "quick_check")
            if target.exists() and not overwrite:
                raise BackupError(f"{target} appeared meanwhile; it was not touched")
            made.replace(target)
        sqlite_file.sync_directory(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"The copy {target} could not be written: {error}") from error


def restore(copy: Path, database: Path, progress: Progress = _silent, *, now: Callable[[], float] = time.time) -> Path | None:
    """Put a copy in the place of a database, under a new epoch. The caller holds the lock that a running server has.

    The old one is kept under the name that is returned; None when there was none. Raises BackupError, having changed nothing.
    """
    _check(copy, "integrity_check")
    _check_version(copy)
    try:
        with partial(database) as made:
            _copy(copy, made, progress)
            with closing(sqlite3.connect(made, isolation_level=None)) as db:
                db.execute("UPDATE meta SET value = ? WHERE name = 'epoch'", (new_epoch(),))
                db.execute("DELETE FROM meta WHERE name = 'key'")  # the next start makes another
            _sync(made)
            aside = _put_aside(database, now()) if database.exists() else None
            made.replace(database)
        sqlite_file.sync_directory(database.parent)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"{copy} could not be restored: {error}") from error
    return aside


def _copy(source: Path, made: Path, progress: Progress) -> None:
    """One read of `source` from beginning to end: a copy in steps would begin anew whenever a server writes in between."""
    with closing(sqlite_file.connect(source)) as origin, closing(sqlite3.connect(made, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous = OFF")
        origin.execute("BEGIN")
        origin.execute("SELECT count(*) FROM sqlite_master").fetchone()
        origin.backup(copy, pages=_PAGES, progress=lambda status, left, total: progress(total - left, total), sleep=0)
        # A single file: no other process has it open, and it is moved by its name.
        copy.execute("PRAGMA journal_mode = DELETE")
    _sync(made)


def _check(path: Path, how: Literal["quick_check", "integrity_check"]) -> None:
    """Raises BackupError unless it is a whole database of Hongyan."""
    if not path.is_file():
        raise BackupError(f"There is no copy {path}")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            found = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not found >= _TABLES:
                raise BackupError(f"{path} is a database, but not one of Hongyan")
            faults = [fault for (fault,) in db.execute(f"PRAGMA {how}(3)") if fault != "ok"]
            if not db.execute("SELECT 1 FROM meta WHERE name = 'epoch'").fetchone():
                raise BackupError(f"{path} has no epoch: it was never opened by a server")
    except sqlite3.Error as error:
        raise BackupError(f"{path} is not a database that can be read: {error}") from error
    if faults:
        raise BackupError(f"{path} is damaged: {'; '.join(faults)}")


def _check_version(copy: Path) -> None:
    """Raises BackupError unless `hongyan migrate` can bring it to this version, if it is not there already."""
    try:
        found = migrate.current(copy)
    except (SQLAlchemyError, sqlite3.Error, CommandError) as error:
        raise BackupError(f"{copy} does not tell the version of its tables: {error}") from error
    if found not in migrate.known():
        raise BackupError(f"The tables of {copy} are of version {found or 'none'}: no Hongyan wrote it, or a newer one")


def _put_aside(database: Path, now: float) -> Path:
    """Give the old database a second name, and leave nothing beside the first that SQLite would take for part of the new one."""
    with suppress(sqlite3.Error), closing(sqlite_file.connect(database)) as old:
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    aside = database.with_name(f"{database.name}.before-restore-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = database.with_name(f"{database.name}.before-restore-{stamp}-{number}")
    for suffix in ("-wal", "-shm"):  # something that reads has the database open
        part = database.with_name(database.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    os.link(database, aside)
    return aside


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
