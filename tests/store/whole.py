"""A store with rows in every table, and everything that is in a store."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg

import hongyan.features.identity.tables
import hongyan.features.timers.tables
import hongyan.messaging.tables  # noqa: F401  both declare their tables
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
        "users": [(name, f"N {name}", name, number % 2, 0, number) for number, name in enumerate(NAMES)],
        "conversations": [
            (name, "group", None if number % 2 else "\n\t", "all", None, 1, 7) for number, name in enumerate(NAMES)
        ],
        "members": [(one, other, "member", 1, 1, 0) for one in NAMES for other in NAMES],
        "former_members": [(one, other, seq, seq + 1) for one in NAMES for other in NAMES for seq in (1, 9, 10)],
        "verifiers": [(name, b"\0\xff", 4096, b"", name.encode(), 1) for name in NAMES],
        "amended": [(name, 3, 9, "t\n", None, 1, 5, None, None, name, 7, 1, 2, 8) for name in NAMES],
        "edits": [(name, seq, seq + 1) for name in NAMES for seq in (1, 9, 10)],
        "responses": [(name, 3, "react", emoji, other, 4) for name in NAMES for emoji in "👍😀" for other in NAMES],
        "replies": [(name, seq, seq + 1) for name in NAMES for seq in (1, 9, 10)],
        "followers": [(name, other, 3, -1) for name in NAMES for other in NAMES],
        "mentions": [(name, "@all", seq) for name in NAMES for seq in (1, 9, 10)],
        "recalls": [(name, 3, name, b"\0\xff", 1) for name in NAMES],
        "drafts": [(name, other, thread, "\n", None, 1) for name in NAMES for other in NAMES for thread in (0, 9, 10)],
        "bookmarks": [(name, other, 3, "", number, 1) for name in NAMES for number, other in enumerate(NAMES)],
        "hidden": [(name, other, seq) for name in NAMES for other in NAMES for seq in (1, 9, 10)],
        "unread_marks": [(name, other, 3) for name in NAMES for other in NAMES],
        "arrangements": [(name, other, "all", None, 1, 0) for name in NAMES for other in NAMES],
        "preferences": [(name, b"{}") for name in NAMES],
        "statuses": [(name, "", "😀", None) for name in NAMES],
        "timers": [(f"t{name}", name, "send", name, 1 << 50, 1, b"\0\xff", None, "", None, None, 3) for name in NAMES],
        "tokens": [(f"t{name}", name, name.encode(), "d", "session", 1, 1 << 50) for name in NAMES],
    }
    with closing(sqlite3.connect(database)) as db, db:
        for table, some in rows.items():
            db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(some[0]))})", some)


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
