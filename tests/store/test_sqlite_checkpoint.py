import sqlite3
from pathlib import Path

import pytest

from hongyan.store.sqlite_checkpoint import Checkpoints


@pytest.fixture
def writer(tmp_path: Path) -> sqlite3.Connection:
    """Which never copies its log by itself."""
    raw = sqlite3.connect(tmp_path / "some.db", isolation_level=None)
    raw.executescript("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE rows (content BLOB)")
    return raw


def _write(writer: sqlite3.Connection, commits: int) -> None:
    for _ in range(commits):
        writer.execute("INSERT INTO rows VALUES (randomblob(3000))")


def _wal(tmp_path: Path) -> int:
    return (tmp_path / "some.db-wal").stat().st_size


def test_log_begins_anew_while_the_writer_never_rests(tmp_path: Path, writer: sqlite3.Connection) -> None:
    checkpoints = Checkpoints(tmp_path / "some.db", pages=400)
    for _ in range(3_000):
        _write(writer, 1)
        checkpoints.wrote(writer)
    checkpoints.stop()
    assert _wal(tmp_path) < 6_000_000 < (tmp_path / "some.db").stat().st_size
    assert writer.execute("SELECT count(*) FROM rows").fetchone() == (3_000,)


def test_nothing_is_copied_before_it_is_due(tmp_path: Path, writer: sqlite3.Connection) -> None:
    checkpoints = Checkpoints(tmp_path / "some.db", pages=400)
    before = (tmp_path / "some.db").stat().st_size
    _write(writer, 99)
    checkpoints.wrote(writer)
    checkpoints.stop()
    assert (tmp_path / "some.db").stat().st_size == before


def test_reader_of_what_was_before_keeps_its_view_and_the_log(tmp_path: Path, writer: sqlite3.Connection) -> None:
    _write(writer, 10)
    reader = sqlite3.connect(tmp_path / "some.db", isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM rows").fetchone() == (10,)
    checkpoints = Checkpoints(tmp_path / "some.db", pages=40)
    for _ in range(500):
        _write(writer, 1)
        checkpoints.wrote(writer)
    assert reader.execute("SELECT count(*) FROM rows").fetchone() == (10,)
    reader.execute("COMMIT")
    grown = _wal(tmp_path)
    for _ in range(500):
        _write(writer, 1)
        checkpoints.wrote(writer)
    checkpoints.stop()
    assert _wal(tmp_path) < 2 * grown
    assert reader.execute("SELECT count(*) FROM rows").fetchone() == (1_010,)


def test_stop_ends_the_thread(tmp_path: Path, writer: sqlite3.Connection) -> None:
    checkpoints = Checkpoints(tmp_path / "some.db", pages=40)
    checkpoints.stop()
    assert not checkpoints._thread.is_alive()
    checkpoints.wrote(writer)  # commits that were under way: nothing happens
