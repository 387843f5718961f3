"""A PostgreSQL database for one command alone: to change its tables, to copy it, to give it a new epoch."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import asyncpg

from hongyan.core.errors import StoreUnavailable
from hongyan.store.postgres_connection import NAMESPACE, away, connect_for_upkeep, is_away, shown

_PATIENCE_SECONDS = 2.0
"""A server that was just stopped is seen by the database a moment later."""
_PAUSE_SECONDS = 0.1

_USERS = """
SELECT count(*), string_agg(DISTINCT host(client_addr), ', ') FROM pg_stat_activity
WHERE datname = current_database() AND application_name = $1 AND pid <> pg_backend_pid()"""


class InUse(Exception):
    """The database is used by somebody else. The text says by whom, and what to do."""


@asynccontextmanager
async def beside(url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A connection that keeps nobody out, and that nobody keeps out: to look. Raises StoreUnavailable."""
    try:
        connection = await connect_for_upkeep(url)
    except Exception as error:
        if is_away(error):
            raise StoreUnavailable(away(error)) from error
        raise
    try:
        yield connection
    except Exception as error:
        # An error of the system is of something else, a file, while the connection is there.
        if is_away(error) and (connection.is_closed() or not isinstance(error, OSError)):
            raise StoreUnavailable(away(error)) from error
        raise
    finally:
        connection.terminate()


@asynccontextmanager
async def alone(url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A connection that keeps nodes and other commands out while it is open. Raises InUse, StoreUnavailable."""
    async with beside(url) as connection:
        await take(connection, url)
        yield connection


async def take(connection: "asyncpg.Connection[Any]", url: str, patience: float = _PATIENCE_SECONDS) -> None:
    """Keep everybody out until this connection is closed. Raises InUse."""
    until = monotonic() + patience
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1, 1)", NAMESPACE):
        if monotonic() > until:
            raise InUse(await _told(connection, url))
        await asyncio.sleep(_PAUSE_SECONDS)


async def _told(connection: "asyncpg.Connection[Any]", url: str) -> str:
    nodes, places = await connection.fetchrow(_USERS, "hongyan")
    if not nodes:
        return f"Another hongyan migrate or restore works on {shown(url)}: wait until it is done"
    connections = "one connection named hongyan uses" if nodes == 1 else f"{nodes} connections named hongyan use"
    where = f" (from {places})" if places else ""
    return f"{shown(url)} is in use: {connections} it{where}. Stop those servers first"
