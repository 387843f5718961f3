"""A store with rows in every table, and everything that is in a store."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Table

import hongyan.features.tables  # noqa: F401  what has rows
from hongyan.store.schema import metadata
from hongyan.store.sqlite import SqliteStore
from tests.store.build import Opened, draft

NAMES = ["ada", "Ada", "z", "é", "李华", "😀", "a_b", "a-b", "ab"]
"""Every language's order of these is another; the bytes have one."""


async def fill(database: Path, count: int = 40) -> None:
    """Make a store at `database` with `count` events and something in each table."""
    opened = Opened(SqliteStore(database, queue=100_000, readers=1, checkpoint_pages=1_000))
    await opened.store.start(opened.heard.append)
    for at in range(0, count, 500):
        await opened.add_all(
            draft(
                f"room{number % 5}", f"c{number}" if number % 3 else None, bumps=number % 100 == 0, content=b'{"n":%d}' % number
            )
            for number in range(at, min(count, at + 500))
        )
    await opened.store.close()
    rows: dict[str, list[tuple[Any, ...]]] = {
        "users": [(name, f"N {name}", name, number % 2, 0, number, None) for number, name in enumerate(NAMES)],
        "conversations": [
            (name, "group", None if number % 2 else "\n\t", "all", None, 1, 7, "t" if number % 3 else None, "all")
            for number, name in enumerate(NAMES)
        ],
        "members": [(one, other, "member", 1, 1, 0) for one in NAMES for other in NAMES],
        "former_members": [(one, other, seq, seq + 1) for one in NAMES for other in NAMES for seq in (1, 9, 10)],
        "verifiers": [(name, b"\0\xff", 4096, b"", name.encode(), 1) for name in NAMES],
        "cim_accounts": [
            (1 << 40 | number, name, number % 2, None if number % 2 else 1 << 50, "n", f"s{name}", None, None)
            for number, name in enumerate(NAMES)
        ],
        "cim_missed": [(name, upto, upto - 1) for name in NAMES for upto in (9, 10, 1 << 50)],
        "tokens": [(f"t{name}", name, name.encode(), "d", "session", 1, 1 << 50, None, None) for name in NAMES],
        "push_subscriptions": [(f"t{name}", name, f"https://{name}", b"\0\xff", b"", 1) for name in NAMES],
    }
    for table in metadata.tables.values():
        if table.name not in ("events", "lanes", "meta"):
            rows.setdefault(table.name, [_row(table, number) for number in range(len(NAMES))])
    with closing(sqlite3.connect(database)) as db, db:
        for name, some in rows.items():
            db.executemany(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(some[0]))})', some)


def _row(table: Table, number: int) -> tuple[Any, ...]:
    """Something of every type; nothing where that is allowed and the number is odd."""
    return tuple(None if column.nullable and number % 2 else _value(column.type.python_type, number) for column in table.columns)


def _value(kind: type, number: int) -> Any:
    if kind is str:
        return NAMES[number]
    if kind is bytes:
        return NAMES[number].encode() + b"\0\xff"
    return number % 2 if kind is bool else (1 << 30) + number


def dump_sqlite(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables; unordered ones are sorted here. Each store's key is its own, and left out."""
    with closing(sqlite3.connect(database)) as db:
        return {name: _sorted(db.execute(f'SELECT {_columns(name)} FROM "{name}"')) for name in metadata.tables}


async def dump_postgres(url: str) -> dict[str, list[tuple[Any, ...]]]:
    connection = await asyncpg.connect(url)
    try:
        found = {}
        for name in metadata.tables:
            rows = await connection.fetch(f'SELECT {_columns(name)} FROM "{name}"')
            plain = [tuple(int(value) if isinstance(value, bool) else value for value in row) for row in rows]
            found[name] = _sorted(plain)
        return found
    finally:
        await connection.close()


async def execute(url: str, statement: str) -> Any:
    """The first value of the first row, beside every lock."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def _columns(name: str) -> str:
    return ", ".join(f'"{column.name}"' for column in metadata.tables[name].columns)


def _sorted(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted((row for row in rows if row[0] != "key"), key=repr)
