"""Copies of the database: taken under load, put back, refused."""

import asyncio
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from hongyan.store import backup
from hongyan.store.sqlite import SqliteStore
from tests.store.build import Opened, assert_whole, draft


async def opened_at(database: Path) -> Opened:
    opened = Opened(SqliteStore(database, queue=10_000, readers=2, checkpoint_pages=100))
    await opened.store.start(opened.heard.append)
    return opened


@pytest.fixture
async def copy(database: Path, tmp_path: Path) -> Path:
    """A copy of a log of 50 events."""
    opened = await opened_at(database)
    await opened.add_all(draft(f"room{number % 3}", f"c{number}") for number in range(50))
    await opened.store.close()
    backup.write(database, tmp_path / "copy")
    return tmp_path / "copy"


async def test_copy_under_load_is_a_prefix_of_the_log(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup, "_PAGES", 20)
    opened = await opened_at(database)
    await opened.add_all(draft(f"room{number % 5}", content=b"x" * 1_000) for number in range(2_000))
    stop = False

    async def load() -> None:
        while not stop:
            await opened.add_all(draft(f"room{number % 5}", content=b"y" * 1_000) for number in range(50))

    loading = asyncio.ensure_future(load())
    copies = [tmp_path / f"copy{number}" for number in range(5)]
    begun, written = [], []
    for target in copies:
        begun.append(opened.batches[-1].last)
        steps: list[tuple[int, int]] = []

        def note(done: int, total: int, steps: list[tuple[int, int]] = steps) -> None:
            steps.append((done, total))

        await asyncio.to_thread(backup.write, database, target, note)
        assert [done for done, _ in steps] == sorted({done for done, _ in steps}), "it began anew"
        assert steps[-1][0] == steps[-1][1] > 100
        written.append(opened.batches[-1].last)
    stop = True
    await loading
    log = await opened.log()
    await opened.store.close()
    assert written[-1] > begun[0], "there was no load"
    for target, least, most in zip(copies, begun, written, strict=True):
        directory = tmp_path / f"of {target.name}"
        directory.mkdir()
        assert backup.restore(target, directory / "hongyan.db") is None
        restored = await opened_at(directory / "hongyan.db")
        found = await restored.log()
        await restored.store.close()
        assert found == log[: len(found)]
        assert least <= len(found) <= most + 50


async def test_copy_is_for_its_owner_only_and_a_single_whole_file(copy: Path, database: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "data"]
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("SELECT count(*) FROM events").fetchone() == (50,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)


async def test_copy_does_not_replace_a_file_unless_told(copy: Path, database: Path) -> None:
    before = copy.read_bytes()
    copy.write_bytes(b"something else")
    with pytest.raises(backup.BackupError, match="already"):
        backup.write(database, copy)
    assert copy.read_bytes() == b"something else"
    backup.write(database, copy, overwrite=True)
    assert len(copy.read_bytes()) == len(before)


async def test_database_is_never_replaced_by_its_own_copy(copy: Path, database: Path) -> None:
    before = database.read_bytes()
    with pytest.raises(backup.BackupError):
        backup.write(database, database, overwrite=True)
    assert database.read_bytes() == before


async def test_copy_that_fails_leaves_nothing(database: Path, copy: Path, tmp_path: Path) -> None:
    def full(done: int, total: int) -> None:
        raise OSError(28, "No space left on device")

    target = tmp_path / "second"
    with pytest.raises(backup.BackupError, match="No space left"):
        backup.write(database, target, full)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "data"]


async def test_missing_source_or_directory_is_said(tmp_path: Path, copy: Path) -> None:
    with pytest.raises(backup.BackupError, match="no database"):
        backup.write(tmp_path / "nowhere", tmp_path / "target")
    with pytest.raises(backup.BackupError, match="no directory"):
        backup.write(copy, tmp_path / "nowhere" / "target")
    assert not (tmp_path / "nowhere").exists()


async def test_restore_brings_the_log_back_under_a_new_epoch_and_keeps_the_old_one(copy: Path, database: Path) -> None:
    opened = await opened_at(database)
    epoch = opened.store.epoch
    await opened.add(draft(client_id="after the copy"))
    old = await opened.log()
    await opened.store.close()
    aside = backup.restore(copy, database, now=lambda: 1_700_000_000.0)
    assert aside == database.with_name("hongyan.db.before-restore-20231114T221320Z")
    opened = await opened_at(database)
    assert opened.store.epoch != epoch
    assert await opened.log() == old[:50]
    again = await opened.add(draft("room0", client_id="c0"))
    assert (again.position, again.repeated) == (1, True)
    assert (await opened.add(draft(client_id="new"))).position == 51
    assert_whole(await opened.log())
    await opened.store.close()
    kept = await opened_at(aside)
    assert (kept.store.epoch, await kept.log()) == (epoch, old)
    await kept.store.close()


async def test_restore_keeps_what_a_killed_server_had_not_merged_yet(copy: Path, database: Path, tmp_path: Path) -> None:
    """The write-ahead log belongs to the old database: it must neither be lost nor be taken for the new one's."""
    opened = await opened_at(database)
    await opened.add(draft(client_id="only in the write-ahead log"))
    old = await opened.log()
    killed = tmp_path / "killed"
    killed.mkdir()
    for path in database.parent.iterdir():
        (killed / path.name).write_bytes(path.read_bytes())
    await opened.store.close()
    assert (killed / "hongyan.db-wal").stat().st_size > 0
    aside = backup.restore(copy, killed / "hongyan.db")
    assert aside is not None
    assert sorted(path.name for path in killed.iterdir()) == ["hongyan.db", aside.name]
    for path, log in ((killed / "hongyan.db", old[:50]), (aside, old)):
        store = await opened_at(path)
        assert await store.log() == log
        await store.store.close()


async def test_restore_in_the_place_of_a_database_that_is_open_leaves_nothing_of_it(copy: Path, database: Path) -> None:
    """Some command that reads is no server and holds no lock."""
    with closing(sqlite3.connect(database)) as other:
        assert other.execute("SELECT count(*) FROM events").fetchone() == (50,)
        aside = backup.restore(copy, database)
        assert aside is not None
        names = sorted(path.name for path in database.parent.iterdir())
        assert names == ["hongyan.db", aside.name, f"{aside.name}-shm", f"{aside.name}-wal"]
        opened = await opened_at(database)
        await opened.add(draft())
        assert len(await opened.log()) == 51
        await opened.store.close()


async def test_restore_in_the_place_of_a_file_that_is_no_database_works(copy: Path, database: Path) -> None:
    database.write_bytes(b"not a database any more" * 1_000)
    aside = backup.restore(copy, database)
    assert aside is not None
    assert aside.read_bytes().startswith(b"not a database")
    opened = await opened_at(database)
    assert len(await opened.log()) == 50
    await opened.store.close()


async def test_restores_within_one_second_keep_every_old_database(copy: Path, database: Path) -> None:
    kept = [backup.restore(copy, database, now=lambda: 0.0) for _ in range(3)]
    assert len(set(kept)) == 3
    assert all(path is not None and path.exists() for path in kept)


@pytest.mark.parametrize("wrong", ["missing", "text", "empty", "foreign", "alike", "unversioned", "newer", "damaged", "cut"])
async def test_what_is_no_whole_copy_is_refused_and_changes_nothing(copy: Path, database: Path, wrong: str) -> None:
    match wrong:
        case "missing":
            copy.unlink()
        case "text":
            copy.write_text("Dear diary, " * 1_000)
        case "empty":
            copy.write_bytes(b"")
        case "foreign":
            copy.unlink()
            with closing(sqlite3.connect(copy)) as db:
                db.execute("CREATE TABLE cats (name TEXT)")
        case "alike":
            copy.unlink()
            with closing(sqlite3.connect(copy, isolation_level=None)) as db:
                db.execute("CREATE TABLE events (what TEXT)")
                db.execute("CREATE TABLE meta AS SELECT 'epoch' AS name, 'x' AS value")
                db.execute("CREATE TABLE alembic_version AS SELECT 'of_another_program' AS version_num")
        case "unversioned":
            with closing(sqlite3.connect(copy, isolation_level=None)) as db:
                db.execute("DELETE FROM alembic_version")
        case "newer":
            with closing(sqlite3.connect(copy, isolation_level=None)) as db:
                db.execute("UPDATE alembic_version SET version_num = '9999'")
        case "damaged":
            with closing(sqlite3.connect(copy)) as db:
                ((page,),) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_events_lane_seq'")
            with copy.open("r+b") as file:
                file.seek((page - 1) * 4096 + 8)
                file.write(os.urandom(2_000))
        case "cut":
            os.truncate(copy, copy.stat().st_size // 2)
    before = {path.name: path.read_bytes() for path in database.parent.iterdir()}
    with pytest.raises(backup.BackupError, match=str(copy)):
        backup.restore(copy, database)
    assert {path.name: path.read_bytes() for path in database.parent.iterdir()} == before


async def test_restore_that_fails_on_the_way_changes_nothing(copy: Path, database: Path) -> None:
    def full(done: int, total: int) -> None:
        raise OSError(28, "No space left on device")

    before = {path.name: path.read_bytes() for path in database.parent.iterdir()}
    with pytest.raises(backup.BackupError, match="No space left"):
        backup.restore(copy, database, full)
    assert {path.name: path.read_bytes() for path in database.parent.iterdir()} == before
