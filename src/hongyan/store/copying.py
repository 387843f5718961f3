"""A whole store copied into another: every table, with epoch and key, so that every cursor stays valid.

Rows go in the order of their keys, so what is in the target is a beginning of each table, and a copy that was interrupted goes on
behind it. From before the first row until everything was compared, the target's `meta` says that the copy is not complete, and
of which state of the source it is.
"""

from collections.abc import AsyncIterator, Callable
from hashlib import sha256

import msgspec
from sqlalchemy import Table

from hongyan.store.copy_sides import CopyError, Key, Row, Side, key
from hongyan.store.schema import DERIVED, UNFINISHED_COPY, events, meta, metadata

_FIRST_ROWS = 200
_MOST_ROWS = 20_000
_FEWEST_ROWS = 20
_PAGE_BYTES = 4_194_304
"""So much a page shall have, judged by the page before."""

_ELSEWHERE = {"alembic_version"}
"""Tables that have no rows of ours."""

_encode = msgspec.msgpack.Encoder().encode
"""The same bytes for the same row, whichever store it comes from."""

Progress = Callable[[str, str, int, int], None]
"""Called for each page: `copying` or `comparing`, the table, rows that are done, rows of all tables."""


class Origin(msgspec.Struct, frozen=True):
    """Which state of which store is copied."""

    epoch: str
    head: int


NOT_BEGUN = {UNFINISHED_COPY: msgspec.json.encode(Origin("", 0)).decode()}
"""What a target has from its tables on, so that no server takes it for a new store."""
_OWN = (UNFINISHED_COPY, "key")
"""In `meta`, each store's own. With another key its nodes do not hear those that were left on the old store."""


class Compared(msgspec.Struct, frozen=True):
    """What was found in a table on both sides: rows, and the SHA-256 over all of them in the order of their keys."""

    table: str
    rows: int
    digest: str
    rows_there: int
    digest_there: str

    @property
    def same(self) -> bool:
        return (self.rows, self.digest) == (self.rows_there, self.digest_there)


def _silent(what: str, table: str, done: int, total: int) -> None:
    pass


async def copy(source: Side, target: Side, progress: Progress = _silent) -> list[Compared]:
    """Copy, or go on with a copy that was interrupted, and compare. The features' tables have to be imported.

    A copy whose comparison finds a difference stays unfinished. Raises CopyError, having changed nothing when the target holds
    something else.
    """
    tables = [table for table in metadata.sorted_tables if table is not meta]
    for side in (source, target):
        ours = {table.name for table in metadata.sorted_tables} | _ELSEWHERE
        if unknown := {name for name in await side.tables() - ours if not name.startswith(DERIVED)}:
            raise CopyError(
                f"{side.name} has tables that are not Hongyan's: {', '.join(sorted(unknown))}. Move them; nothing was copied"
            )
    origin = await _origin(source)
    if await _begin(tables, origin, source, target):
        total = sum([await source.count(table) for table in tables])
        done = 0
        for table in tables:
            done += await target.count(table)
            progress("copying", table.name, done, total)
            async for rows in _pages(source, table, await target.last(table)):
                await target.add(table, rows)
                done += len(rows)
                progress("copying", table.name, done, total)
        await target.note(await source.notes())
        await target.settle()
    compared = await _compare([*tables, meta], source, target, progress)
    if all(one.same for one in compared):
        await target.note({UNFINISHED_COPY: None, "key": None})
    return compared


async def _origin(source: Side) -> Origin:
    notes = await source.notes()
    if UNFINISHED_COPY in notes:
        raise CopyError(f"{source.name} is itself the target of a copy that is not complete: complete that one first")
    if "epoch" not in notes:
        raise CopyError(f"{source.name} has nothing in it to copy: no server has used it yet")
    return Origin(notes["epoch"], await _head(source))


async def _head(side: Side) -> int:
    last = await side.last(events)
    return last[0] if last else 0


async def _begin(tables: list[Table], origin: Origin, source: Side, target: Side) -> bool:
    """Mark the target. False when it has everything already, and is only to be compared."""
    notes = await target.notes()
    if UNFINISHED_COPY in notes:
        begun = msgspec.json.decode(notes[UNFINISHED_COPY], type=Origin)
        if begun == origin:
            return True
        if not begun.epoch:  # it got its tables, and no more
            await target.note({UNFINISHED_COPY: msgspec.json.encode(origin).decode()})
            return True
        if begun.epoch == origin.epoch:
            raise CopyError(
                f"{source.name} has changed since the copy was interrupted (the log ended at {begun.head}, now {origin.head}). "
                f"Begin again with an empty target: {_emptied(target)}"
            )
        raise CopyError(
            f"{target.name} has the beginning of a copy of another store (epoch {begun.epoch}, not {origin.epoch}). "
            f"Name that one to go on, or begin again with an empty target: {_emptied(target)}"
        )
    if notes.get("epoch") == origin.epoch:
        if await _head(target) == origin.head:
            return False
        raise CopyError(
            f"{target.name} is a copy of this store that was completed before, and one of them has gone on since. "
            "Nothing was copied"
        )
    if filled := [table.name for table in tables if await target.last(table) is not None]:
        raise CopyError(f"{target.name} holds other data already, in {', '.join(filled)}. It was not touched: name an empty one")
    await target.note({UNFINISHED_COPY: msgspec.json.encode(origin).decode()})
    return True


def _emptied(target: Side) -> str:
    return f"drop and create the database {target.name}" if "://" in target.name else f"remove {target.name}"


async def _pages(side: Side, table: Table, after: Key | None) -> AsyncIterator[list[Row]]:
    """All rows behind a key, in pages that fit into the memory."""
    limit = _FIRST_ROWS
    while rows := await side.page(table, after, limit):
        yield rows
        after = key(table, rows[-1])
        size = sum(len(value) for row in rows for value in row if isinstance(value, (bytes, str)))
        limit = max(_FEWEST_ROWS, min(_MOST_ROWS, _PAGE_BYTES * len(rows) // max(size, 1)))


async def _compare(tables: list[Table], source: Side, target: Side, progress: Progress) -> list[Compared]:
    found = []
    total = done = 0
    for table in tables:
        total += await source.count(table) + await target.count(table)
    for table in tables:
        sums: list[tuple[int, str]] = []
        for side in (source, target):
            digest, count = sha256(), 0
            async for rows in _pages(side, table, None):
                for row in rows:
                    if table is not meta or row[0] not in _OWN:
                        digest.update(_encode(row))
                        count += 1
                done += len(rows)
                progress("comparing", table.name, done, total)
            sums.append((count, digest.hexdigest()))
        found.append(Compared(table.name, *sums[0], *sums[1]))
    return found
