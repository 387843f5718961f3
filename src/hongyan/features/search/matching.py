"""The index, in the words of each database: writing documents, and which documents have these tokens.

A document's number is the position of its message. On SQLite it is a table of FTS5 (`detail=none`: whether words follow one
another is decided on the message), read from the newest down. A GIN index of PostgreSQL knows no order: documents also have the
number of their block, so that the newest blocks can be asked alone, and a common word does not bring a third of the log.
"""

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, text

Wanted = Sequence[Sequence[str]]
"""Of each of these at least one token."""


class Dialect(msgspec.Struct, frozen=True):
    """`put` takes numbers and their tokens in one string, and replaces what is there of `old` ones. `newest` gives at most so
    many numbers below one, descending. `clear` are the statements that empty the index.
    """

    clear: tuple[str, ...]
    put: Callable[[Connection, Sequence[tuple[int, str]], Sequence[int]], None]
    newest: Callable[[Connection, Wanted, int, int], list[int]]
    calm: Callable[[Connection, float], None]
    """Inside a read: statements that take longer than so many seconds end with an error."""


def of(connection: Connection) -> Dialect:
    return DIALECTS[connection.dialect.name]


# SQLite

_SQLITE_DELETE = text("DELETE FROM search_index WHERE rowid = :number")
_SQLITE_PUT = text("INSERT INTO search_index (rowid, tokens) VALUES (:number, :tokens)")
_SQLITE_MATCH = text(
    "SELECT rowid FROM search_index WHERE search_index MATCH :wanted AND rowid < :below ORDER BY rowid DESC LIMIT :most"
)
_SQLITE_ALL = text("SELECT rowid FROM search_index WHERE rowid < :below ORDER BY rowid DESC LIMIT :most")


def _sqlite_put(connection: Connection, documents: Sequence[tuple[int, str]], old: Sequence[int]) -> None:
    if old:
        connection.execute(_SQLITE_DELETE, [{"number": number} for number in old])
    if documents:
        connection.execute(_SQLITE_PUT, [{"number": number, "tokens": tokens} for number, tokens in documents])


def _sqlite_newest(connection: Connection, wanted: Wanted, below: int, most: int) -> list[int]:
    if not wanted:
        return list(connection.execute(_SQLITE_ALL, {"below": below, "most": most}).scalars().all())
    question = " AND ".join("(" + " OR ".join(f'"{token}"' for token in some) + ")" for some in wanted)
    return list(connection.execute(_SQLITE_MATCH, {"wanted": question, "below": below, "most": most}).scalars().all())


def _sqlite_calm(connection: Connection, seconds: float) -> None:
    """FTS5 cannot be interrupted: the time is looked at between statements."""


# PostgreSQL

_BLOCK = 4_096
_MOST_BLOCKS = 16
_COARSE = 65_536
_MOST_COARSE = 4
_POSTGRES_DELETE = text("DELETE FROM search_index WHERE position = ANY(CAST(:numbers AS bigint[]))")
_POSTGRES_PUT = text(
    "INSERT INTO search_index (position, tokens) "
    "SELECT number, array_to_tsvector(string_to_array(tokens, ' ')) "
    "FROM unnest(CAST(:numbers AS bigint[]), CAST(:tokens AS text[])) AS d (number, tokens)"
)
_POSTGRES_MATCH = text(
    "SELECT position FROM search_index WHERE tokens @@ CAST(:wanted AS tsquery) AND position + 0 < :below "
    "ORDER BY position + 0 DESC LIMIT :most"
)
_POSTGRES_CALM = text(
    "SELECT set_config('statement_timeout', :most, true), set_config('enable_seqscan', 'off', true), "
    "set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)"
)
_POSTGRES_ALL = text("SELECT position FROM search_index WHERE position < :below ORDER BY position DESC LIMIT :most")


def _postgres_put(connection: Connection, documents: Sequence[tuple[int, str]], old: Sequence[int]) -> None:
    if old:
        connection.execute(_POSTGRES_DELETE, {"numbers": list(old)})
    if documents:
        tokens = [f"{tokens} {_block(number, _BLOCK)} {_block(number, _COARSE)}" for number, tokens in documents]
        connection.execute(_POSTGRES_PUT, {"numbers": [number for number, _ in documents], "tokens": tokens})


def _postgres_newest(connection: Connection, wanted: Wanted, below: int, most: int) -> list[int]:
    if not wanted:
        return list(connection.execute(_POSTGRES_ALL, {"below": below, "most": most}).scalars().all())
    found: list[int] = []
    numbers = _BLOCK // 2  # at least so many are looked at first
    while True:
        bottom, labels = _window(below, numbers)
        question = " & ".join("(" + " | ".join(f"'{token}'" for token in some) + ")" for some in [*wanted, *labels])
        rows = (
            connection.execute(_POSTGRES_MATCH, {"wanted": question, "below": below, "most": most - len(found)}).scalars().all()
        )
        found += rows
        if len(found) >= most or bottom == 0:
            return found
        # As many as will be enough, if they are everywhere as frequent as here.
        numbers = max((below - bottom) * (most - len(found)) * 3 // (2 * (len(rows) + 1)), 4 * numbers)
        below = bottom


def _window(below: int, numbers: int) -> tuple[int, list[list[str]]]:
    """At least so many numbers below one: the lowest of them, and the labels of their blocks; none when that is a large part."""
    for size, most in ((_BLOCK, _MOST_BLOCKS), (_COARSE, _MOST_COARSE)):
        first, last = max(below - numbers, 0) // size, (below - 1) // size
        if last - first < most:
            return first * size, [[_block(at * size, size) for at in range(first, last + 1)]]
    return 0, []


def _block(number: int, size: int) -> str:
    return f"§{'b' if size == _BLOCK else 'B'}{number // size}"


def _postgres_calm(connection: Connection, seconds: float) -> None:
    """And no plans that pay off only for statements of seconds."""
    connection.execute(_POSTGRES_CALM, {"most": str(int(seconds * 1000))})


_SQLITE_CLEAR = (
    "DROP TABLE search_index",
    "CREATE VIRTUAL TABLE search_index USING fts5(tokens, detail = none, columnsize = 0, tokenize = 'ascii')",
)
DIALECTS = {
    "sqlite": Dialect(_SQLITE_CLEAR, _sqlite_put, _sqlite_newest, _sqlite_calm),
    "postgresql": Dialect(("TRUNCATE search_index",), _postgres_put, _postgres_newest, _postgres_calm),
}
