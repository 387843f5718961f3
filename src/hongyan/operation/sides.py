"""Stores for a command that has them alone: by the lock of the data directory, or by that of the PostgreSQL database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from hongyan.config import Settings
from hongyan.operation.directory import DataDirectory
from hongyan.store import migrate, sqlite_file
from hongyan.store.copy_sides import CopyError, PostgresSide, Side, SqliteSide
from hongyan.store.copying import NOT_BEGUN
from hongyan.store.postgres_alone import alone, beside
from hongyan.store.postgres_connection import shown

_CHECKPOINT_PAGES = 16_000
_SQLITE = ("sqlite", "sqlite:", "sqlite://")
_POSTGRESQL = ("postgresql://", "postgres://")


def directory_of(url: str, settings: Settings) -> DataDirectory | None:
    """The data directory that a store's URL means; None for a PostgreSQL database. Raises CopyError."""
    if url.startswith(_POSTGRESQL):
        return None
    if url in _SQLITE:
        return DataDirectory(settings.data)
    if url.startswith("sqlite:///"):
        directory = DataDirectory(Path("/", url.removeprefix("sqlite:///").lstrip("/")).parent)
        if url.rpartition("/")[2] == directory.database.name:
            return directory
    raise CopyError(
        f"{shown(url)} is not the URL of a store: expected sqlite: (in the data directory), sqlite:///DIRECTORY/hongyan.db "
        "or postgresql://USER@HOST:PORT/DATABASE"
    )


@asynccontextmanager
async def source_of(url: str, settings: Settings) -> AsyncIterator[Side]:
    """What can only be read, and does not change meanwhile.

    Raises CopyError, DirectoryError, WrongSchema, InUse, StoreUnavailable.
    """
    directory = directory_of(url, settings)
    if directory is None:
        await asyncio.to_thread(migrate.check_version, url)
        async with alone(url) as connection:
            yield PostgresSide(shown(url), connection)
        return
    directory.require()
    with directory.locked():
        migrate.check_version(directory.database)
        with closing(sqlite_file.open_writer(directory.database)) as access:
            access.raw.execute("BEGIN IMMEDIATE")  # `hongyan user add` needs no lock of the directory
            yield SqliteSide(str(directory.database), access)
            access.raw.execute("ROLLBACK")


@asynccontextmanager
async def target_of(url: str, settings: Settings) -> AsyncIterator[Side]:
    """What is made, or gets its tables, when there is nothing. Raises as `source_of` does."""
    directory = directory_of(url, settings)
    if directory is None:
        if await asyncio.to_thread(migrate.current, url) is None:
            await _refuse_foreign(url)
            await asyncio.to_thread(migrate.upgrade, url, NOT_BEGUN)
        await asyncio.to_thread(migrate.check_version, url)
        async with alone(url) as connection:
            yield PostgresSide(shown(url), connection)
        return
    directory.prepare()
    with directory.locked():
        if directory.is_new:
            migrate.upgrade(directory.database, NOT_BEGUN)
        migrate.check_version(directory.database)
        with closing(sqlite_file.open_writer(directory.database, _CHECKPOINT_PAGES)) as access:
            yield SqliteSide(str(directory.database), access)


async def _refuse_foreign(url: str) -> None:
    async with beside(url) as connection:
        found = await PostgresSide(shown(url), connection).tables()
    if found:
        raise CopyError(f"{shown(url)} holds tables of something else: {', '.join(sorted(found))}. Name an empty database")
