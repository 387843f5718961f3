"""A whole store copied into another: all of it, either way, and refused where it would do harm."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hongyan.config import Settings
from hongyan.core.errors import StoreUnavailable
from hongyan.operation.sides import source_of, target_of
from hongyan.store import copying, migrate
from hongyan.store.copy_sides import CopyError
from hongyan.store.copying import Compared
from hongyan.store.postgres import PostgresStore
from hongyan.store.schema import DERIVED, UNFINISHED_COPY
from hongyan.store.sqlite import SqliteStore
from tests.store.build import Opened, draft
from tests.store.whole import dump_postgres, dump_sqlite, execute, fill


@pytest.fixture
async def source(database: Path) -> Path:
    await fill(database)
    return database


def url_of(database: Path) -> str:
    return f"sqlite:///{database}"


async def copy(source: str, target: str, progress: copying.Progress = lambda *_: None) -> list[Compared]:
    async with source_of(source, Settings()) as one, target_of(target, Settings()) as other:
        return await copying.copy(one, other, progress)


class Stopped(Exception):
    """In the middle of a copy."""


def stop_at(wanted: str, rows: int = 0) -> copying.Progress:
    def progress(what: str, table: str, done: int, total: int) -> None:
        if f"{what} {table}" == wanted and done >= rows:
            raise Stopped

    return progress


async def test_there_and_back_is_the_same_in_every_table(source: Path, empty_postgresql_url: str, tmp_path: Path) -> None:
    before = dump_sqlite(source)
    there = await copy(url_of(source), empty_postgresql_url)
    assert all(one.same for one in there)
    assert await dump_postgres(empty_postgresql_url) == before
    back = await copy(empty_postgresql_url, url_of(tmp_path / "back" / "hongyan.db"))
    assert [(one.table, one.rows, one.digest) for one in back] == [(one.table, one.rows, one.digest) for one in there]
    assert dump_sqlite(tmp_path / "back" / "hongyan.db") == before == dump_sqlite(source)


async def test_no_table_of_the_migrations_is_forgotten(source: Path, empty_postgresql_url: str, tmp_path: Path) -> None:
    there = await copy(url_of(source), empty_postgresql_url)
    with closing(sqlite3.connect(source)) as db:
        made = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    also = await execute(empty_postgresql_url, "SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public'")

    def ours(names: set[str]) -> set[str]:
        return {name for name in names if name != "alembic_version" and not name.startswith(DERIVED)}

    assert {one.table for one in there} == ours(made) == ours(set(also.split()))
    assert all(one.rows for one in there), "a table was copied empty: this test knows nothing about it"


async def test_a_table_that_the_program_does_not_know_is_not_left_behind(source: Path, empty_postgresql_url: str) -> None:
    with closing(sqlite3.connect(source)) as db:
        db.execute("CREATE TABLE cats (name TEXT)")
    with pytest.raises(CopyError, match="cats"):
        await copy(url_of(source), empty_postgresql_url)


async def test_the_log_goes_on_in_the_copy(source: Path, empty_postgresql_url: str, tmp_path: Path) -> None:
    await copy(url_of(source), empty_postgresql_url)
    await copy(empty_postgresql_url, url_of(tmp_path / "back" / "hongyan.db"))
    first = Opened(SqliteStore(source, queue=10, readers=1, checkpoint_pages=100))
    await first.store.start(first.heard.append)
    log = await first.log()
    for store in (
        PostgresStore(empty_postgresql_url, queue=10, readers=1),
        SqliteStore(tmp_path / "back" / "hongyan.db", queue=10, readers=1, checkpoint_pages=100),
    ):
        opened = Opened(store)
        await store.start(opened.heard.append)
        assert store.epoch == first.store.epoch
        assert store.key != first.store.key, "nodes that were left on the old store are not to be heard by those of the new one"
        assert await opened.log() == log
        again = await opened.add(draft("room2", "c2"))
        assert (again.position, again.repeated) == (3, True)
        assert (await opened.add(draft("room2", "new"))).position == 41
        await store.close()
    await first.store.close()


@pytest.mark.parametrize(
    "where",
    [("copying conversations", 0), ("copying events", 20), ("copying users", 0), ("copying tokens", 0), ("comparing meta", 0)],
    ids=str,
)
@pytest.mark.parametrize("way", ["there", "back"])
async def test_a_copy_that_was_interrupted_goes_on_and_no_server_uses_it_before(
    source: Path, empty_postgresql_url: str, tmp_path: Path, way: str, where: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_FIRST_ROWS", 7)
    monkeypatch.setattr(copying, "_MOST_ROWS", 7)
    monkeypatch.setattr(copying, "_FEWEST_ROWS", 7)
    one, other = url_of(source), empty_postgresql_url
    place: Path | str = empty_postgresql_url
    if way == "back":
        await copy(one, other)
        place = tmp_path / "back" / "hongyan.db"
        one, other = other, url_of(place)
    with pytest.raises(Stopped):
        await copy(one, other, stop_at(*where))
    with pytest.raises(migrate.UnfinishedCopy, match="again: it goes on"):
        migrate.check(place) if isinstance(place, Path) else await _start(place)
    seen: list[tuple[str, int]] = []
    compared = await copy(one, other, lambda what, table, done, total: seen.append((what, done)))
    assert all(one.same for one in compared)
    if where == ("copying events", 20):
        assert seen[1][1] > 20, "it began from the beginning"
    await _start(place) if isinstance(place, str) else migrate.check(place)
    again = await copy(one, other)
    assert again == compared


async def _start(url: str) -> None:
    store = PostgresStore(url, queue=10, readers=1)
    await store.start(lambda batch: None)
    await store.close()


async def test_a_difference_is_told_and_the_copy_is_not_used(source: Path, empty_postgresql_url: str) -> None:
    with pytest.raises(Stopped):
        await copy(url_of(source), empty_postgresql_url, stop_at("comparing conversations"))
    await execute(empty_postgresql_url, "UPDATE events SET content = 'other' WHERE position = 17")
    await execute(empty_postgresql_url, "DELETE FROM tokens WHERE id = 'tz'")
    await execute(empty_postgresql_url, "INSERT INTO tokens VALUES ('tz', 'z', 'x', 'd', 'session', 1, 2)")
    compared = await copy(url_of(source), empty_postgresql_url)
    assert {one.table for one in compared if not one.same} == {
        "events",
        "tokens",
        "push_subscriptions",
    }  # which goes with its token
    with pytest.raises(migrate.UnfinishedCopy):
        await _start(empty_postgresql_url)


async def test_a_target_with_other_data_is_refused_untouched(source: Path, empty_postgresql_url: str, tmp_path: Path) -> None:
    await fill(tmp_path / "other" / "hongyan.db", 3)
    await copy(url_of(tmp_path / "other" / "hongyan.db"), empty_postgresql_url)
    before = await dump_postgres(empty_postgresql_url)
    with pytest.raises(CopyError, match="other data already"):
        await copy(url_of(source), empty_postgresql_url)
    with pytest.raises(CopyError, match="other data already"):
        await copy(empty_postgresql_url, url_of(source))
    assert await dump_postgres(empty_postgresql_url) == before
    assert UNFINISHED_COPY not in dict(before["meta"])


async def test_a_database_of_something_else_is_refused_untouched(source: Path, empty_postgresql_url: str) -> None:
    await execute(empty_postgresql_url, "CREATE TABLE cats (name text)")
    with pytest.raises(CopyError, match="something else: cats"):
        await copy(url_of(source), empty_postgresql_url)
    assert (
        await execute(empty_postgresql_url, "SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public'")
        == "cats"
    )


async def test_a_source_that_has_changed_since_is_recognised(source: Path, empty_postgresql_url: str, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        await copy(url_of(source), empty_postgresql_url, stop_at("copying users"))
    await fill(tmp_path / "other" / "hongyan.db", 3)
    with pytest.raises(CopyError, match="copy of another store"):
        await copy(url_of(tmp_path / "other" / "hongyan.db"), empty_postgresql_url)
    with pytest.raises(CopyError, match="itself the target"):
        await copy(empty_postgresql_url, url_of(tmp_path / "third" / "hongyan.db"))
    opened = Opened(SqliteStore(source, queue=10, readers=1, checkpoint_pages=100))
    await opened.store.start(opened.heard.append)
    await opened.add(draft())
    await opened.store.close()
    with pytest.raises(CopyError, match=r"has changed since.*40, now 41.*drop and create"):
        await copy(url_of(source), empty_postgresql_url)


async def test_a_copy_that_has_gone_on_is_not_copied_over(source: Path, empty_postgresql_url: str) -> None:
    await copy(url_of(source), empty_postgresql_url)
    opened = Opened(PostgresStore(empty_postgresql_url, queue=10, readers=1))
    await opened.store.start(opened.heard.append)
    await opened.add(draft())
    await opened.store.close()
    with pytest.raises(CopyError, match="one of them has gone on"):
        await copy(url_of(source), empty_postgresql_url)


async def test_a_text_that_postgresql_cannot_hold_is_told(source: Path, empty_postgresql_url: str) -> None:
    with closing(sqlite3.connect(source)) as db, db:
        db.execute("UPDATE users SET name = 'a' || char(0) WHERE id = 'z'")
    with pytest.raises(CopyError, match="users"):
        await copy(url_of(source), empty_postgresql_url)


async def test_a_source_or_a_database_that_is_not_there_is_told(empty_postgresql_url: str, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="no Hongyan data"):
        await copy(url_of(tmp_path / "nowhere" / "hongyan.db"), empty_postgresql_url)
    with pytest.raises(StoreUnavailable, match="does not exist"):
        await copy(f"{empty_postgresql_url}x", url_of(tmp_path / "new" / "hongyan.db"))
    with pytest.raises(CopyError, match="expected sqlite:"):
        await copy("mysql://u:secret@h/db", empty_postgresql_url)


async def test_nobody_writes_to_the_source_meanwhile(source: Path, empty_postgresql_url: str) -> None:
    def writes(what: str, table: str, done: int, total: int) -> None:
        with closing(sqlite3.connect(source, timeout=0)) as db, pytest.raises(sqlite3.OperationalError, match="locked"):
            db.execute("DELETE FROM tokens")

    assert all(one.same for one in await copy(url_of(source), empty_postgresql_url, writes))
