"""The two ends of a copy: the rows of every table in the order of their keys, out of a store and into one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import asyncpg
from sqlalchemy import Boolean, Table

from hongyan.store.schema import meta
from hongyan.store.sqlite_file import Access

Row = tuple[Any, ...]
Key = tuple[Any, ...]


class CopyError(Exception):
    """A copy that cannot be made. The text says why and what to do."""


class Side(Protocol):
    """A store that nobody else uses meanwhile. What was added is durable when the next note is."""

    name: str
    """For people."""

    async def tables(self) -> set[str]: ...

    async def notes(self) -> dict[str, str]:
        """What is in `meta`."""
        ...

    async def note(self, changes: Mapping[str, str | None]) -> None:
        """Set, and with None remove, in `meta`: all or nothing."""
        ...

    async def count(self, table: Table) -> int: ...

    async def last(self, table: Table) -> Key | None:
        """The greatest key."""
        ...

    async def page(self, table: Table, after: Key | None, limit: int) -> list[Row]:
        """The next rows in the order of their keys."""
        ...

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        """All or nothing."""
        ...

    async def settle(self) -> None:
        """What follows from the rows, after the last of them."""
        ...


class SqliteSide:
    def __init__(self, name: str, access: Access) -> None:
        """The access is a writer's. One that is in a transaction is only read."""
        self.name = name
        self._raw = access.raw

    async def tables(self) -> set[str]:
        return {
            name
            for (name,) in self._raw.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
            )
        }

    async def notes(self) -> dict[str, str]:
        return dict(self._raw.execute("SELECT name, value FROM meta"))

    async def note(self, changes: Mapping[str, str | None]) -> None:
        self._raw.execute("PRAGMA synchronous = FULL")
        self._raw.execute("BEGIN IMMEDIATE")
        for name, value in changes.items():
            self._raw.execute("DELETE FROM meta WHERE name = ?", (name,))
            if value is not None:
                self._raw.execute("INSERT INTO meta (name, value) VALUES (?, ?)", (name, value))
        self._raw.execute("COMMIT")

    async def count(self, table: Table) -> int:
        return int(self._raw.execute(_count(table)).fetchone()[0])

    async def last(self, table: Table) -> Key | None:
        found: Key | None = self._raw.execute(_last(table)).fetchone()
        return found

    async def page(self, table: Table, after: Key | None, limit: int) -> list[Row]:
        rows = self._raw.execute(_page(table, after is not None, lambda number: f"?{number}"), (*(after or ()), limit)).fetchall()
        truths = [at for at, column in enumerate(table.columns) if isinstance(column.type, Boolean)]
        return [_with_truths(row, truths) for row in rows] if truths else rows

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        values = ", ".join("?" * len(table.columns))
        self._raw.execute("PRAGMA synchronous = NORMAL")  # a power cut takes away the newest rows, and leaves what is before them
        self._raw.execute("BEGIN IMMEDIATE")
        try:
            self._raw.executemany(f'INSERT INTO "{table.name}" ({_columns(table)}) VALUES ({values})', rows)  # noqa: S608
            self._raw.execute("COMMIT")
        except BaseException:
            if self._raw.in_transaction:
                self._raw.execute("ROLLBACK")
            raise

    async def settle(self) -> None:
        pass


class PostgresSide:
    def __init__(self, name: str, connection: "asyncpg.Connection[Any]") -> None:
        """The connection is one that keeps everybody else out."""
        self.name = name
        self._connection = connection

    async def tables(self) -> set[str]:
        rows = await self._connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {row[0] for row in rows}

    async def notes(self) -> dict[str, str]:
        return {name: value for name, value in await self._connection.fetch("SELECT name, value FROM meta")}

    async def note(self, changes: Mapping[str, str | None]) -> None:
        async with self._connection.transaction():
            await self._connection.execute("DELETE FROM meta WHERE name = ANY($1::text[])", list(changes))
            rows = [(name, value) for name, value in changes.items() if value is not None]
            await self._connection.copy_records_to_table(meta.name, records=rows, columns=["name", "value"])

    async def count(self, table: Table) -> int:
        return int(await self._connection.fetchval(_count(table)))

    async def last(self, table: Table) -> Key | None:
        found = await self._connection.fetchrow(_last(table))
        return None if found is None else tuple(found)

    async def page(self, table: Table, after: Key | None, limit: int) -> list[Row]:
        statement = _page(table, after is not None, lambda number: f"${number}")
        return [tuple(row) for row in await self._connection.fetch(statement, *(after or ()), limit)]

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        try:
            await self._connection.copy_records_to_table(
                table.name, records=rows, columns=[column.name for column in table.columns], schema_name="public"
            )
        except (asyncpg.DataError, ValueError) as error:  # U+0000 in a text, for one
            raise CopyError(f"PostgreSQL does not take a row of the table {table.name}: {error}") from error

    async def settle(self) -> None:
        await self._connection.execute("ANALYZE")


def key(table: Table, row: Row) -> Key:
    """The key of a row."""
    return tuple(value for value, column in zip(row, table.columns, strict=True) if column.primary_key)


def _columns(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def _keys(table: Table, direction: str = "") -> str:
    return ", ".join(f'"{column.name}"{direction}' for column in table.columns if column.primary_key)


def _count(table: Table) -> str:
    return f'SELECT count(*) FROM "{table.name}"'  # noqa: S608


def _last(table: Table) -> str:
    return f'SELECT {_keys(table)} FROM "{table.name}" ORDER BY {_keys(table, " DESC")} LIMIT 1'  # noqa: S608


def _page(table: Table, continued: bool, parameter: Callable[[int], str]) -> str:
    """The keys of the last row before, when `continued`, and the limit are the parameters."""
    given = len(table.primary_key.columns) if continued else 0
    places = ", ".join(parameter(number) for number in range(1, given + 1))
    where = f" WHERE ({_keys(table)}) > ({places})" if continued else ""
    return f'SELECT {_columns(table)} FROM "{table.name}"{where} ORDER BY {_keys(table)} LIMIT {parameter(given + 1)}'  # noqa: S608


def _with_truths(row: Row, truths: Sequence[int]) -> Row:
    """SQLite keeps truth as 0 and 1."""
    return tuple(bool(value) if at in truths else value for at, value in enumerate(row))
