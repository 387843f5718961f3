"""The tables' versions: bring a database to the newest one, and say which one it has."""

import asyncio
import functools
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, select

from hongyan.core.errors import StoreUnavailable
from hongyan.store import postgres_alone, postgres_connection, sqlite_file
from hongyan.store.schema import UNFINISHED_COPY, meta

T = TypeVar("T")

_MAKING_SECONDS = 30.0
"""How long a node waits for another that makes the tables."""
_PAUSE_SECONDS = 0.05
_PATIENCE_SECONDS = 2.0
"""How long a command waits for servers that end just now."""
_one_at_a_time = Lock()


class WrongSchema(Exception):
    """The database's tables are not those of this version of the program. The text says what to do."""


class UnfinishedCopy(WrongSchema):
    """The database is the target of a copy that is not complete."""


@functools.cache  # to read all the scripts takes 30 ms
def newest() -> str:
    """The version that this program works with."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def known() -> frozenset[str]:
    """The versions that this program can bring to the newest one, and that one."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def current(database: Path | str) -> str | None:
    """The version of a database; None while it has no tables. A path is SQLite's, a string is a URL."""
    return _within(database, lambda connection: MigrationContext.configure(connection).get_current_revision())


def upgrade(database: Path | str, noting: Mapping[str, str] | None = None) -> None:
    """Bring a database to the newest version, all of it in one transaction or nothing. A missing file is made, with its tables.

    `noting` is put into `meta` with the tables. Raises WrongSchema for an empty file: what was in it is lost, and a new server in
    its place would hide that. Raises InUse for a database that nodes use.
    """
    if isinstance(database, Path):
        if not database.exists():
            with sqlite_file.making(database) as new:
                _upgrade(new, noting=noting)
            return
        _refuse_empty(database)
    _upgrade(database, noting=noting)


def _upgrade(database: Path | str, patience: float = _PATIENCE_SECONDS, noting: Mapping[str, str] | None = None) -> None:
    def run(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        for name, value in (noting or {}).items():
            connection.execute(insert(meta).values(name=name, value=value))

    with _one_at_a_time:  # Alembic's context is one for the whole process
        _within(database, run, patience)


def ready(url: str) -> None:
    """A database without tables gets them, whoever of several nodes comes first; otherwise as `check`."""
    until = monotonic() + _MAKING_SECONDS
    while current(url) is None:
        try:
            _upgrade(url, 0.0)
        except postgres_alone.InUse:
            if monotonic() > until:
                raise
            sleep(_PAUSE_SECONDS)
    check(url)


def check(database: Path | str) -> None:
    """Raises WrongSchema unless the database is at the newest version, and UnfinishedCopy."""
    check_version(database)
    if _within(database, lambda connection: connection.scalar(select(meta.c.value).where(meta.c.name == UNFINISHED_COPY))):
        raise UnfinishedCopy(
            f"A copy into {_shown(database)} was interrupted. Run the same hongyan migrate --from ... --to ... again: it goes on"
        )


def check_version(database: Path | str) -> None:
    """Raises WrongSchema unless the database is at the newest version."""
    if isinstance(database, Path):
        _refuse_empty(database)
    found, wanted = current(database), newest()
    if found == wanted:
        return
    if found is None or found in known():
        raise WrongSchema(
            f"The tables of {_shown(database)} are of version {found or 'none'}, this program needs {wanted}. "
            "Make a backup, stop every server that uses it, and run: hongyan migrate"
        )
    raise WrongSchema(f"The tables of {_shown(database)} are of version {found}, which a newer Hongyan wrote: install that one")


def _refuse_empty(database: Path) -> None:
    if database.is_file() and not database.stat().st_size:
        raise WrongSchema(
            f"{database} is empty. Put the last backup in its place with hongyan restore, or remove it to begin with nothing"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "hongyan.store:migrations")
    return config


def _shown(database: Path | str) -> str:
    return postgres_connection.shown(database) if isinstance(database, str) else str(database)


def _within(database: Path | str, fn: Callable[[Connection], T], patience: float | None = None) -> T:
    """Run `fn` inside a transaction. With a `patience` it may write, and is alone: nodes, and other commands, are kept out."""
    if isinstance(database, str):
        return asyncio.run(_within_postgres(database, fn, patience))
    writing = patience is not None
    with closing(sqlite_file.open_writer(database) if writing else sqlite_file.open_reader(database)) as access:
        access.raw.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
        found = fn(access.connection)
        access.raw.execute("COMMIT")
        return found


async def _within_postgres(url: str, fn: Callable[[Connection], T], patience: float | None) -> T:
    made = postgres_connection.engine_for_upkeep(url)
    try:
        async with made.begin() as connection:
            if patience is not None:
                raw = await connection.get_raw_connection()
                await postgres_alone.take(raw.driver_connection, url, patience)
            return await connection.run_sync(fn)
    except Exception as error:
        if postgres_connection.is_away(error):
            raise StoreUnavailable(postgres_connection.away(error)) from error
        raise
    finally:
        await made.dispose()
