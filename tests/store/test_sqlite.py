"""What is SQLite's own: the file and who may read it, the schema's version at opening, the figures."""

import asyncio
import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from hongyan.core.errors import HongyanError
from hongyan.store import migrate
from hongyan.store.sqlite import SqliteStore
from hongyan.store.sqlite_log import MOST, LogEnd
from hongyan.store.stats import Histogram
from tests.store.build import Opened, assert_whole, draft


def new(database: Path) -> SqliteStore:
    return SqliteStore(database, queue=100_000, readers=2, checkpoint_pages=1_000)


def raising(error: Exception) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail


async def opened_at(database: Path) -> tuple[SqliteStore, Opened]:
    store = new(database)
    opened = Opened(store)
    await store.start(opened.heard.append)
    return store, opened


async def test_directory_and_files_are_for_their_owner_only(database: Path) -> None:
    before = os.umask(0)
    try:
        store, opened = await opened_at(database)
        await opened.add(draft())
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in database.parent.iterdir()}
        await store.close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(database.parent.stat().st_mode) == 0o700
    assert modes == {"hongyan.db": 0o600, "hongyan.db-wal": 0o600, "hongyan.db-shm": 0o600}


async def test_every_connection_is_set_up(database: Path) -> None:
    store, _ = await opened_at(database)
    wanted = {"synchronous": 2, "foreign_keys": 1, "wal_autocheckpoint": 1_000, "busy_timeout": 5_000, "query_only": 0}
    found = await store.transaction(
        lambda tx: (
            {name: tx.connection.scalar(text(f"PRAGMA {name}")) for name in wanted}
            | {"journal_mode": tx.connection.scalar(text("PRAGMA journal_mode"))}
        )
    )
    assert found == wanted | {"journal_mode": "wal"}
    assert await store.read(lambda connection: connection.scalar(text("PRAGMA query_only"))) == 1
    await store.close()


async def test_file_that_exists_but_is_empty_is_refused_and_stays(database: Path) -> None:
    """What was in it is lost; a new server in its place would hide that."""
    database.parent.mkdir()
    database.touch()
    with pytest.raises(migrate.WrongSchema, match=r"is empty.*hongyan restore"):
        await new(database).start(lambda batch: None)
    with pytest.raises(migrate.WrongSchema, match="is empty"):
        migrate.upgrade(database)
    assert [(path.name, path.stat().st_size) for path in database.parent.iterdir()] == [("hongyan.db", 0)]


async def test_store_whose_making_fails_leaves_nothing_in_the_way(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("alembic.command.upgrade", raising(OSError(28, "No space left on device")))
        with pytest.raises(OSError, match="No space"):
            await new(database).start(lambda batch: None)
    assert list(database.parent.iterdir()) == []
    store, opened = await opened_at(database)
    await opened.add(draft())
    await store.close()


async def test_older_tables_are_refused_and_the_command_is_named(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate.upgrade(database)
    monkeypatch.setattr(migrate, "newest", lambda: "9999")
    store = new(database)
    with pytest.raises(migrate.WrongSchema, match="hongyan migrate"):
        await store.start(lambda batch: None)
    await store.close()


async def test_newer_tables_are_refused(database: Path) -> None:
    migrate.upgrade(database)
    with closing(sqlite3.connect(database)) as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
        db.commit()
    with pytest.raises(migrate.WrongSchema, match="newer Hongyan"):
        await new(database).start(lambda batch: None)


async def test_wal_is_merged_into_the_file_at_close(database: Path) -> None:
    store, opened = await opened_at(database)
    await opened.add_all(draft() for _ in range(100))
    await store.close()
    assert [path.name for path in database.parent.iterdir()] == ["hongyan.db"]


async def test_wal_stays_about_as_large_as_a_checkpoint(database: Path) -> None:
    store = SqliteStore(database, queue=100_000, readers=1, checkpoint_pages=100)
    opened = Opened(store)
    await store.start(opened.heard.append)
    for _ in range(30):
        await opened.add_all(draft(f"room{number}", content=b"x" * 2_000) for number in range(100))
    assert (database.parent / "hongyan.db-wal").stat().st_size < 6_000_000 < database.stat().st_size
    await store.close()


async def test_batches_of_every_size_are_stored_whole(database: Path) -> None:
    """There are statements for a few numbers of rows only; the rest is filled up."""
    store, opened = await opened_at(database)
    sizes = [*range(1, 20), 31, 32, 33, 127, 128, 129, 500, MOST - 1, MOST, MOST + 1, 3 * MOST + 7]
    for size in sizes:
        async with opened.one_commit():
            answers = [opened.append(draft(f"room{number % 3}", f"{size}-{number}")) for number in range(size)]
        assert len({(await answer).position for answer in answers}) == size  # type: ignore[union-attr]
    log = await opened.log()
    assert_whole(log)
    assert len(log) == sum(sizes)
    assert max(len(batch.events) for batch in opened.batches) <= MOST
    await store.close()


async def test_lanes_that_are_known_stay_bounded_and_come_back(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hongyan.store.sqlite_log._KEPT_LANES", 10)
    kept: list[int] = []
    trim = LogEnd.trim

    def watched(end: LogEnd) -> None:
        trim(end)
        kept.append(len(end._lanes))

    monkeypatch.setattr(LogEnd, "trim", watched)
    store, opened = await opened_at(database)
    for turn in range(20):
        await opened.add_all(draft(f"room{number}", bumps=turn == number) for number in range(turn, turn + 5))
    for number in range(24):
        await opened.add(draft(f"room{number}"))
    assert_whole(await opened.log())
    assert kept
    assert max(kept) <= 10
    await store.close()


@pytest.mark.parametrize("inside", [False, True])
async def test_bump_that_cannot_be_stored_leaves_no_event_either(
    database: Path, caplog: pytest.LogCaptureFixture, inside: bool
) -> None:
    store, opened = await opened_at(database)
    trigger = "CREATE TRIGGER fault BEFORE INSERT ON lanes BEGIN SELECT RAISE(ABORT, 'no version today'); END"
    await store.transaction(lambda tx: tx.connection.exec_driver_sql(trigger))
    async with opened.one_commit():
        before = opened.append(draft())
        if inside:
            call = asyncio.ensure_future(store.transaction(lambda tx: tx.append(draft(bumps=True))))
            await asyncio.sleep(0)
        else:
            call = opened.append(draft(bumps=True))
        behind = opened.append(draft())
    (refused,) = await asyncio.gather(call, return_exceptions=True)
    assert type(refused) is HongyanError
    assert [(await one).position for one in (before, behind)] == [1, 2]  # type: ignore[union-attr]
    assert_whole(await opened.log())
    await store.close()


async def test_figures_count_commits_events_and_answers(database: Path) -> None:
    store, opened = await opened_at(database)
    async with opened.one_commit():
        answers = [opened.append(draft(client_id=f"c{number}")) for number in range(30)]
        refused = opened.append(draft(version=5))
        assert store.stats.queued == 32
    await refused
    assert all(answer.done() for answer in answers)
    stats = store.stats
    assert (stats.commits, stats.events, stats.refused, stats.queued) == (1, 30, 1, 0)
    assert stats.batch_size.count == 1
    assert stats.batch_size.total == 30
    assert stats.latency.count == 2  # the commit that held the others back, and theirs
    assert 0 < stats.latency.total < 60
    await store.close()


def test_histogram_counts_each_observation_once() -> None:
    histogram = Histogram((1, 10))
    for value in (0, 1, 1.5, 10, 11, 1_000):
        histogram.observe(value)
    assert histogram.counts == [2, 2, 2]
    assert histogram.count == 6
    assert histogram.total == 1_023.5
