"""Connections to PostgreSQL: how each is set up, and which errors mean that the database, not the statement, is at fault."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from hongyan.finding import CannotFind, aimed, find

CONNECT_SECONDS = 4.0

_SETTINGS = {
    "application_name": "hongyan",
    "jit": "off",
    # A node that is stopped, or cut off, in the middle of a transaction may hold the log's head: it must not do so for long.
    "idle_in_transaction_session_timeout": "3s",
    "statement_timeout": "30s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "search_path": "public",
}

Connect = Callable[[], Awaitable["asyncpg.Connection[Any]"]]

GONE = (
    OSError,
    TimeoutError,
    CannotFind,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.exceptions.InternalClientError,
)
"""The connection is lost, or was never made."""

_AWAY = (
    asyncpg.OperatorInterventionError,  # an administrator, or the database's own stop
    asyncpg.InsufficientResourcesError,  # disk full, too many connections
    asyncpg.PostgresSystemError,
    asyncpg.exceptions.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalServerError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)


async def connect(url: str) -> "asyncpg.Connection[Any]":
    """A connection whose commits are durable when they are answered. Raises what `is_away` knows."""
    async with asyncio.timeout(CONNECT_SECONDS):
        connection = await _reach(url)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            commit, standby = await connection.fetchrow("SELECT current_setting('synchronous_commit'), pg_is_in_recovery()")
            if standby:
                raise ConnectionRefusedError("this database is a standby, which takes no writes")
            if commit == "off":
                await connection.execute("SET synchronous_commit = on")
    except BaseException:
        connection.terminate()
        raise
    return connection


async def _reach(url: str) -> "asyncpg.Connection[Any]":
    """Several hosts are asyncpg's matter; those of a `postgresql+srv://` URL are looked up now and tried in their order."""
    if not url.startswith("postgresql+srv://"):
        return await asyncpg.connect(url, server_settings=_SETTINGS)
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    name_server = query.pop("name_server", [None])[0]
    url = parts._replace(query=urlencode(query, doseq=True)).geturl()
    error: Exception = ConnectionError("no host is known")
    for target in await find(url, name_server=name_server):
        try:
            return await asyncpg.connect(aimed(url, target), server_settings=_SETTINGS)
        except Exception as refused:
            if not is_away(refused):
                raise
            error = refused
    raise error


def engine(url: str, connections: int) -> AsyncEngine:
    """SQLAlchemy on the same connections, for the loop that runs when it is first used. With 0 none is kept."""

    async def creator() -> Any:
        return await connect(url)

    dialect = "postgresql+asyncpg://"
    if connections:
        return create_async_engine(dialect, async_creator=creator, pool_size=connections, max_overflow=0, pool_timeout=10)
    return create_async_engine(dialect, async_creator=creator, poolclass=NullPool)


def cause(error: BaseException) -> BaseException:
    """What the driver raised, below what SQLAlchemy made of it."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error


def is_away(error: BaseException) -> bool:
    """The database cannot be reached or cannot work now: the same may succeed later."""
    found = cause(error)
    return isinstance(found, (*GONE, *_AWAY, PoolTimeout)) or (isinstance(error, DBAPIError) and error.connection_invalidated)


def told(error: BaseException) -> str:
    """The reason, for people."""
    found = cause(error)
    return str(found) or type(found).__name__


def is_conflict(error: BaseException) -> bool:
    """Two transactions were in each other's way and this one was taken back: it may be run again at once."""
    return isinstance(cause(error), (asyncpg.DeadlockDetectedError, asyncpg.SerializationError))
