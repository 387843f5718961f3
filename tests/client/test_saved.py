"""What outlives the client: unsent messages, cursor and token, also through kill -9 in the middle of a write."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.client.errors import StateInUse, StateUnusable
from hongyan.client.model import Session
from hongyan.client.outbox import Entry
from hongyan.client.saved import Saved

SERVER = "http://127.0.0.1:8440"
SESSION = Session(token="secret", user_id="lihua", name="李华")


def entry(at: int, *, sender: str = "lihua", text: str = "你好") -> Entry:
    return Entry(sender, f"c{at}", "lobby", {"type": "text", "text": text})


def test_unsent_messages_and_cursor_are_there_again(tmp_path: Path) -> None:
    saved = Saved(tmp_path / "state", SERVER)
    for at in range(5):
        saved.outbox.add(entry(at))
    saved.outbox.remove(entry(1))
    saved.save_cursor("lihua", "e.7")
    saved.save_session(SESSION)
    saved.close()
    again = Saved(tmp_path / "state", SERVER)
    assert [one.client_id for one in again.outbox.waiting("lihua")] == ["c0", "c2", "c3", "c4"]
    assert again.outbox.waiting("lihua")[0] == entry(0)
    assert again.outbox.count("lihua") == 4
    assert again.cursor("lihua") == "e.7"
    assert again.session() == SESSION
    again.forget_session()
    assert again.session() is None
    again.close()


def test_without_a_directory_everything_is_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    saved = Saved(None, SERVER)
    saved.outbox.add(entry(1))
    saved.save_session(SESSION)
    saved.save_cursor("lihua", "e.1")
    assert saved.outbox.count("lihua") == 1
    assert saved.session() is None
    saved.close()
    assert list(tmp_path.iterdir()) == []


def test_one_users_cursor_and_messages_are_nobody_elses(tmp_path: Path) -> None:
    saved = Saved(tmp_path, SERVER)
    saved.outbox.add(entry(1))
    saved.save_cursor("lihua", "e.1")
    saved.save_cursor("wangfang", "e.9")
    assert saved.outbox.waiting("wangfang") == []
    assert (saved.cursor("lihua"), saved.cursor("wangfang"), saved.cursor("bob")) == ("e.1", "e.9", None)
    saved.close()


def test_token_is_not_shown_to_another_server(tmp_path: Path) -> None:
    saved = Saved(tmp_path, SERVER)
    saved.save_session(SESSION)
    saved.close()
    other = Saved(tmp_path, "http://elsewhere:8440")
    assert other.session() is None
    other.close()


def test_equal_client_id_is_refused_and_the_first_stays(tmp_path: Path) -> None:
    saved = Saved(tmp_path, SERVER)
    saved.outbox.add(entry(1, text="first"))
    with pytest.raises(ValueError, match="c1"):
        saved.outbox.add(entry(1, text="second"))
    saved.outbox.add(entry(1, sender="wangfang"))
    assert [one.content["text"] for one in saved.outbox.waiting("lihua")] == ["first"]
    saved.close()


def test_only_one_client_uses_a_directory(tmp_path: Path) -> None:
    saved = Saved(tmp_path, SERVER)
    with pytest.raises(StateInUse):
        Saved(tmp_path, SERVER)
    saved.close()
    Saved(tmp_path, SERVER).close()


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    saved = Saved(tmp_path / "state", SERVER)
    saved.save_session(SESSION)
    saved.outbox.add(entry(1))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert {"kept.db", "session.json", "lock"} <= modes.keys()
    assert set(modes.values()) == {0o600}, modes
    saved.close()


def test_torn_token_is_no_token(tmp_path: Path) -> None:
    saved = Saved(tmp_path, SERVER)
    saved.save_session(SESSION)
    whole = (tmp_path / "session.json").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "session.json").write_bytes(whole[:length])
        assert saved.session() is None
    saved.close()


def test_damaged_outbox_is_said_and_not_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "kept.db").write_bytes(b"this is no database, " * 100)
    with pytest.raises(StateUnusable, match=r"kept\.db"):
        Saved(tmp_path, SERVER)
    assert (tmp_path / "kept.db").read_bytes().startswith(b"this is no database")
    with pytest.raises(StateUnusable):  # and the lock was given back
        Saved(tmp_path, SERVER)


def test_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateUnusable, match="file"):
        Saved(tmp_path / "file" / "state", SERVER)


def test_message_that_cannot_be_written_down_is_refused_at_once(tmp_path: Path) -> None:
    saved = Saved(tmp_path, SERVER)
    saved.outbox.add(entry(0))
    database: sqlite3.Connection = saved._db
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count={pages}")  # what a full disk looks like to SQLite
    with pytest.raises(StateUnusable):
        saved.outbox.add(entry(1, text="x" * 100_000))
    saved.outbox.remove(entry(0))
    database.execute("PRAGMA max_page_count=100000")
    saved.outbox.add(entry(1000))
    assert saved.outbox.waiting("lihua")[-1] == entry(1000)
    saved.close()


WRITER = """
import sys
import tempfile
from pathlib import Path
from hongyan.client.outbox import Entry
from hongyan.client.saved import Saved
saved = Saved(Path(sys.argv[1]), "http://x")
for at in range(100000):
    saved.outbox.add(Entry("lihua", f"c{at}", "lobby", {"text": "x" * 500}))
    saved.save_cursor("lihua", f"e.{at}")
    if at % 3 == 0:
        saved.outbox.remove(Entry("lihua", f"c{at}", "lobby", {}))
    print(at, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 40])
def test_kill_in_the_middle_of_a_write_loses_nothing_that_was_kept(tmp_path: Path, lines: int) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(lines):
            writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
        last = max(int(line) for line in [str(lines - 1), *writer.stdout.read().split("\n")[:-1]])
    saved = Saved(tmp_path, "http://x")
    waiting = {int(one.client_id[1:]) for one in saved.outbox.waiting("lihua")}
    kept = saved.cursor("lihua")
    assert kept is not None
    assert int(kept[2:]) in (last, last + 1)
    assert {at for at in range(last + 1) if at % 3} <= waiting
    assert not {at for at in range(last + 1) if not at % 3} & waiting
    assert len(waiting - set(range(last + 1))) <= 1, "at most the one that was being written"
    saved.close()


@given(st.lists(st.tuples(st.sampled_from(["add", "remove", "close"]), st.integers(0, 8)), max_size=30))
def test_outbox_is_an_ordered_set_over_restarts(steps: list[tuple[str, int]]) -> None:
    model: list[int] = []
    with tempfile.TemporaryDirectory() as directory:
        saved = Saved(Path(directory), SERVER)
        for step, at in steps:
            if step == "close":
                saved.close()
                saved = Saved(Path(directory), SERVER)
            elif step == "remove":
                saved.outbox.remove(entry(at))
                model = [one for one in model if one != at]
            elif at in model:
                with pytest.raises(ValueError, match="waiting"):
                    saved.outbox.add(entry(at))
            else:
                saved.outbox.add(entry(at))
                model.append(at)
            assert [int(one.client_id[1:]) for one in saved.outbox.waiting("lihua")] == model
        saved.close()
