"""The tables' versions: bring a database to the newest one, and say which one it has."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

from hongyan.store import sqlite_file

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
    with _connection(database, sqlite_file.open_reader) as connection:
        return MigrationContext.configure(connection).get_current_revision()


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
    # Alembic's context is one for the whole process.
    with _one_at_a_time, _connection(database, sqlite_file.open_writer) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


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


@contextmanager
def _connection(database: Path | str, open_file: Callable[[Path], sqlite_file.Access]) -> Iterator[Connection]:
    """A connection inside a transaction that is committed at the end.

    A writing one on SQLite has the write lock, so that two processes which make or change a database do so one after the other.
    """
    if isinstance(database, str):
        with create_engine(database).begin() as connection:
            yield connection
        return
    with closing(open_file(database)) as access:
        access.raw.execute("BEGIN" if open_file is sqlite_file.open_reader else "BEGIN IMMEDIATE")
        yield access.connection
        access.raw.execute("COMMIT")
