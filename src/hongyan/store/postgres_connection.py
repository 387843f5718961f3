"""Connections to PostgreSQL: how each is set up, and which errors mean that the database, not the statement, is at fault.

Every connection of a node holds one advisory lock shared, so that a command that changes the whole database knows that it is
used, and keeps nodes out while it works: `postgres_alone.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
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
_FOR_UPKEEP = _SETTINGS | {
    "application_name": "hongyan upkeep",
    "idle_in_transaction_session_timeout": "0",
    "statement_timeout": "0",
    # It reads tables in the order of their keys, as long as they may be and before they have statistics.
    "enable_seqscan": "off",
    "enable_sort": "off",
}
_DIALECT = "postgresql+asyncpg://"

NAMESPACE = 0x686F6E67
"""Of our advisory locks. Number 0 is that of transactions, 1 that of who uses the database."""

_SET_UP = """
SELECT current_setting('synchronous_commit'), pg_is_in_recovery(),
    CASE WHEN pg_is_in_recovery() THEN true ELSE pg_try_advisory_lock_shared($1, 1) END"""

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
    asyncpg.exceptions.ObjectNotInPrerequisiteStateError,  # closed by its operator
)


class Held(ConnectionError):
    """A command has the whole database for itself."""


async def connect(url: str) -> "asyncpg.Connection[Any]":
    """A connection of a node, whose commits are durable when they are answered. Raises what `is_away` knows."""
    connection = await dial(url, _SETTINGS)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            commit, standby, free = await connection.fetchrow(_SET_UP, NAMESPACE)
            if standby:
                raise ConnectionRefusedError("this database is a standby, which takes no writes")
            if not free:
                raise Held(
                    "The database is being changed as a whole, by hongyan migrate or restore: it can be used when that is done"
                )
            if commit == "off":
                await connection.execute("SET synchronous_commit = on")
    except BaseException:
        connection.terminate()
        raise
    return connection


async def connect_for_upkeep(url: str) -> "asyncpg.Connection[Any]":
    """A connection of a command, which may work for long. It keeps nobody out, and nobody keeps it out."""
    return await dial(url, _FOR_UPKEEP)


async def dial(url: str, settings: Mapping[str, str]) -> "asyncpg.Connection[Any]":
    async with asyncio.timeout(CONNECT_SECONDS):
        try:
            return await _reach(url, settings)
        except (ValueError, OverflowError) as error:  # its text may have parts of the password in it
            if isinstance(error, UnicodeError):
                raise
            raise ConnectionError(
                "its address cannot be understood; expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
                "where a character of the password that is no letter and no digit is written as % and two hexadecimal digits"
            ) from None


def shown(url: str) -> str:
    """The URL without password and options, for people."""
    scheme, _, rest = url.partition("://")
    place = rest.partition("?")[0]
    who, _, where = place.rpartition("@")
    if "@" in rest and not who:
        return f"{scheme}://..."
    user = who.partition(":")[0]
    return f"{scheme}://{user}@{where}" if user else f"{scheme}://{where}"


async def _reach(url: str, settings: Mapping[str, str]) -> "asyncpg.Connection[Any]":
    """Several hosts are asyncpg's matter; those of a `postgresql+srv://` URL are looked up now and tried in their order."""
    if not url.startswith("postgresql+srv://"):
        return await asyncpg.connect(url, server_settings=dict(settings))
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    name_server = query.pop("name_server", [None])[0]
    url = parts._replace(query=urlencode(query, doseq=True)).geturl()
    error: Exception = ConnectionError("no host is known")
    for target in await find(url, name_server=name_server):
        try:
            return await asyncpg.connect(aimed(url, target), server_settings=dict(settings))
        except Exception as refused:
            if not is_away(refused):
                raise
            error = refused
    raise error


def engine(url: str, connections: int) -> AsyncEngine:
    """SQLAlchemy on a node's connections, for the loop that runs when it is first used."""
    return create_async_engine(
        _DIALECT,
        async_creator=partial(connect, url),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=10,
        hide_parameters=True,  # what people typed does not belong into a log
    )


def engine_for_upkeep(url: str) -> AsyncEngine:
    """SQLAlchemy on a command's connections, of which none is kept."""
    return create_async_engine(_DIALECT, async_creator=partial(connect_for_upkeep, url), poolclass=NullPool)


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


def away(error: BaseException) -> str:
    """A sentence for what `is_away` knows."""
    return str(error) if isinstance(error, Held) else f"The database cannot be reached: {told(error)}"


def is_standby(error: BaseException) -> bool:
    """It takes no writes: a standby, or a disk that its operator has closed."""
    return isinstance(cause(error), asyncpg.exceptions.ReadOnlySQLTransactionError)


def is_bad_text(error: BaseException) -> bool:
    """A text has a character that the database cannot keep: U+0000, or half of a surrogate pair."""
    found = cause(error)
    return isinstance(found, (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)) or (
        isinstance(found, asyncpg.DataError) and isinstance(found.__cause__, UnicodeError)
    )


def is_conflict(error: BaseException) -> bool:
    """Two transactions were in each other's way and this one was taken back: it may be run again at once."""
    return isinstance(cause(error), (asyncpg.DeadlockDetectedError, asyncpg.SerializationError))
