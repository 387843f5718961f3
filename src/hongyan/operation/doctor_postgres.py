"""What `hongyan doctor` finds about a PostgreSQL store."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from hongyan.config import Endpoint, Settings
from hongyan.operation.finding import Finding, ahead
from hongyan.operation.redact import redact_text
from hongyan.store import migrate
from hongyan.store.postgres import connections_of
from hongyan.store.postgres_alone import beside
from hongyan.store.postgres_connection import shown

_OLDEST = 13
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")

_ROLE = """
SELECT current_user, has_schema_privilege('public', 'CREATE'),
    has_function_privilege('pg_try_advisory_lock_shared(integer, integer)', 'EXECUTE')
    AND has_function_privilege('pg_advisory_xact_lock(integer, integer)', 'EXECUTE')"""
_TABLES = """
SELECT string_agg(tablename, ', ' ORDER BY tablename) FROM pg_tables, format('%I.%I', schemaname, tablename) AS name
WHERE schemaname = 'public' AND NOT (has_table_privilege(name, 'SELECT') AND has_table_privilege(name, 'INSERT')
    AND has_table_privilege(name, 'UPDATE') AND has_table_privilege(name, 'DELETE'))"""
_ROOM = """
SELECT least(
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
    (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
    (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())
)"""
_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND application_name NOT LIKE 'hongyan%' AND pid <> pg_backend_pid()"""
_NEWEST = "SELECT time FROM events ORDER BY position DESC LIMIT 1"


def examine(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    """Everything that is wrong with the database of the settings."""
    name = shown(settings.store)

    async def look() -> list[Finding]:
        return [finding async for finding in _look(settings, name)]

    try:
        yield from asyncio.run(look())
        migrate.check(settings.store)
        yield from asyncio.run(_log(settings.store, now))
    except migrate.WrongSchema as error:
        wrong, _, do = str(error).partition(". ")
        yield Finding(wrong, do)
    except Exception as error:  # what a driver raises is of many kinds
        yield Finding(f"{name}: {redact_text(str(error))}", "Look whether it runs, and whether store in the settings is right")


async def _look(settings: Settings, name: str) -> AsyncIterator[Finding]:
    async with beside(settings.store) as connection:
        version = connection.get_server_version()
        if version.major < _OLDEST:
            yield Finding(f"{name} is PostgreSQL {version.major}", f"Hongyan needs {_OLDEST} or newer")
            return
        if await connection.fetchval("SELECT pg_is_in_recovery()"):
            yield Finding(f"{name} is a standby, which takes no writes", "Name the primary, or promote this one")
        for setting in _DURABLE:
            if await connection.fetchval("SELECT current_setting($1)", setting) == "off":
                yield Finding(
                    f"{setting} is off in {name}: what was acknowledged may be lost in a crash",
                    f"Set {setting} = on in postgresql.conf, and for the role and the database",
                )
        encoding = await connection.fetchval("SELECT current_setting('server_encoding')")
        if encoding != "UTF8":
            yield Finding(f"The encoding of {name} is {encoding}", "Make the database again with ENCODING 'UTF8'")
        async for finding in _role(connection, name):
            yield finding
        async for finding in _room(connection, settings, name):
            yield finding
        encrypted = await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        if not encrypted and not is_local(settings.store):
            yield Finding(
                f"The connection to {name} is not encrypted: passwords and messages can be read on the way",
                "Turn on ssl in PostgreSQL, and add ?sslmode=verify-full to the URL",
            )


async def _role(connection: Any, name: str) -> AsyncIterator[Finding]:
    role, creates, locks = await connection.fetchrow(_ROLE)
    if not creates:
        yield Finding(
            f"The role {role} may not make tables and functions in {name}",
            f"Run: GRANT CREATE ON SCHEMA public TO {role}; or: ALTER SCHEMA public OWNER TO {role}",
        )
    if not locks:
        yield Finding(
            f"The role {role} may not take advisory locks in {name}",
            "Grant it the functions pg_try_advisory_lock_shared and pg_advisory_xact_lock",
        )
    tables = await connection.fetchval(_TABLES)
    if tables:
        yield Finding(f"The role {role} may not read and write these tables of {name}: {tables}", f"Make {role} their owner")


async def _room(connection: Any, settings: Settings, name: str) -> AsyncIterator[Finding]:
    needed = settings.node.workers * connections_of(settings.log.readers)
    most = await connection.fetchval(_ROOM)
    others = await connection.fetchval(_OTHERS)
    if most - others < needed:
        yield Finding(
            f"{name} allows {most} connections, of which others use {others}, and a node with these settings needs {needed}",
            f"Raise max_connections to {needed} for each node and some more, or lower log.readers or node.workers",
        )


async def _log(url: str, now: Callable[[], float]) -> list[Finding]:
    async with beside(url) as connection:
        newest = await connection.fetchval(_NEWEST)
    return list(ahead(newest, now()))


def is_local(url: str) -> bool:
    """Whether a URL leads to this machine, over loopback or a socket in the file system."""
    places = urlsplit(url).netloc.rpartition("@")[2]
    hosts = [place.rpartition(":")[0] if ":" in place.rpartition("]")[2] else place for place in places.split(",")]
    return all(not host or host.startswith(("/", "%2F", "%2f")) or Endpoint(host.strip("[]"), 0).local for host in hosts)
