"""The tables' versions: bring a database to the newest one, and say which one it has."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Lock
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from hongyan.core.errors import StoreUnavailable
from hongyan.store import postgres_connection, sqlite_file

T = TypeVar("T")

_LOCK = 0x686F6E67
"""Of the advisory lock under which PostgreSQL's tables are made and changed."""
_one_at_a_time = Lock()


class WrongSchema(Exception):
    """The database's tables are not those of this version of the program. The text says what to do."""


def newest() -> str:
    """The version that this program works with."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def known() -> frozenset[str]:
    """The versions that this program can bring to the newest one, and that one."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def current(database: Path | str) -> str | None:
    """The version of a database; None while it has no tables. A path is SQLite's, a string is a URL."""
    return _within(database, lambda connection: MigrationContext.configure(connection).get_current_revision(), writing=False)


def upgrade(database: Path | str) -> None:
    """Bring a database to the newest version, all of it in one transaction or nothing. A missing file is made, with its tables.

    Raises WrongSchema for an empty file: what was in it is lost, and a new server in its place would hide that.
    """
    if isinstance(database, Path):
        if not database.exists():
            with sqlite_file.making(database) as new:
                _upgrade(new)
            return
        _refuse_empty(database)
    _upgrade(database)


def _upgrade(database: Path | str) -> None:
    def run(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    with _one_at_a_time:  # Alembic's context is one for the whole process
        _within(database, run, writing=True)


def ready(url: str) -> None:
    """A database without tables gets them, whoever of several nodes comes first; otherwise as `check`."""
    if current(url) is None:
        upgrade(url)
    check(url)


def check(database: Path | str) -> None:
    """Raises WrongSchema unless the database is at the newest version."""
    if isinstance(database, Path):
        _refuse_empty(database)
    found, wanted = current(database), newest()
    if found == wanted:
        return
    if found is None or found in known():
        raise WrongSchema(
            f"The tables of {database} are of version {found or 'none'}, this program needs {wanted}. "
            "Make a backup, stop every server that uses it, and run: hongyan migrate"
        )
    raise WrongSchema(f"The tables of {database} are of version {found}, which a newer Hongyan wrote: install that one")


def _refuse_empty(database: Path) -> None:
    if database.is_file() and not database.stat().st_size:
        raise WrongSchema(
            f"{database} is empty. Put the last backup in its place with hongyan restore, or remove it to begin with nothing"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "hongyan.store:migrations")
    return config


def _within(database: Path | str, fn: Callable[[Connection], T], *, writing: bool) -> T:
    """Run `fn` inside a transaction. A writing one is alone: two processes that make or change a database do so in turn."""
    if isinstance(database, str):
        return asyncio.run(_within_postgres(database, fn, writing))
    with closing(sqlite_file.open_writer(database) if writing else sqlite_file.open_reader(database)) as access:
        access.raw.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
        found = fn(access.connection)
        access.raw.execute("COMMIT")
        return found


async def _within_postgres(url: str, fn: Callable[[Connection], T], writing: bool) -> T:
    made = postgres_connection.engine(url, 0)
    try:
        async with made.begin() as connection:
            if writing:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            return await connection.run_sync(fn)
    except Exception as error:
        if postgres_connection.is_away(error):
            raise StoreUnavailable(f"The database cannot be reached: {postgres_connection.told(error)}") from error
        raise
    finally:
        await made.dispose()
