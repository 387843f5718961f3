"""`hongyan migrate --from --to`, as typed: killed, gone on with, looked at; and what goes on in the copy."""

import asyncio
import os
import pty
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests import forks
from tests.counterparts.postgresql import PostgreSQL
from tests.serving import HONGYAN, Server, texts, wait_for
from tests.store.whole import dump_sqlite, fill

COUNT = 30_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Large enough to be killed in the middle of."""
    database = tmp_path_factory.mktemp("large") / "hongyan.db"
    asyncio.run(fill(database, COUNT))
    return database


@pytest.fixture
def source(large: Path, tmp_path: Path) -> Path:
    """The test's own copy of it."""
    database = tmp_path / "data" / "hongyan.db"
    database.parent.mkdir(0o700)
    shutil.copy(large, database)
    return database


@pytest.fixture
async def small(tmp_path: Path) -> Path:
    await fill(tmp_path / "data" / "hongyan.db")
    return tmp_path / "data" / "hongyan.db"


class Command:
    def __init__(self, *words: str) -> None:
        self.words = words

    def __call__(self) -> "subprocess.CompletedProcess[str]":
        return forks.run(self.words, os.environ, timeout=100)

    def killed_when(self, condition: Callable[[], bool]) -> bool:
        """kill -9 as soon as it is true. False when it had ended before."""
        process = forks.start(self.words, os.environ, Path(os.devnull))
        try:
            wait_for(lambda: condition() or process.poll() is not None, 60.0)
        finally:
            process.kill()
        return process.wait() == -signal.SIGKILL


def asked(server: PostgreSQL, url: str, statement: str) -> str:
    with suppress(AssertionError):  # there is no such table yet
        return server.execute(statement, url.rpartition("/")[2])
    return ""


def test_a_copy_killed_again_and_again_is_whole_in_the_end(
    source: Path, postgresql_server: PostgreSQL, empty_postgresql_url: str, tmp_path: Path
) -> None:
    before = dump_sqlite(source)
    there = Command("migrate", "--from", f"sqlite:///{source}", "--to", empty_postgresql_url)

    def in_target(what: str) -> Callable[[], bool]:
        return lambda: asked(postgresql_server, empty_postgresql_url, f"SELECT 1 FROM {what} LIMIT 1") == "1"

    moments = ("meta", "events", f"(SELECT max(position) AS p FROM events) AS e WHERE p > {COUNT // 2}", "tokens")
    assert any([there.killed_when(in_target(moment)) for moment in moments]), "it was always too late"
    done = there()
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("the same") == len(before)
    back = tmp_path / "back" / "hongyan.db"
    for size in (1, 1_000_000, 5_000_000):
        one = Command("migrate", "--from", empty_postgresql_url, "--to", f"sqlite:///{back}")
        one.killed_when(lambda size=size: _size(back) > size)
    done = Command("--data", str(back.parent), "migrate", "--from", empty_postgresql_url, "--to", "sqlite:")()
    assert done.returncode == 0, done.stderr
    assert dump_sqlite(back) == before
    assert sorted(path.name for path in back.parent.iterdir()) == ["hongyan.db", "lock"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in back.parent.iterdir())


def _size(database: Path) -> int:
    return sum(path.stat().st_size for path in database.parent.glob("hongyan.db*")) if database.parent.exists() else 0


def test_no_server_starts_on_an_unfinished_copy(
    source: Path, postgresql_server: PostgreSQL, empty_postgresql_url: str, tmp_path: Path
) -> None:
    Command("migrate", "--from", f"sqlite:///{source}", "--to", empty_postgresql_url).killed_when(
        lambda: asked(postgresql_server, empty_postgresql_url, "SELECT 1 FROM meta WHERE name = 'unfinished-copy'") == "1"
    )
    for words in (["serve", "--http", "127.0.0.1:0"], ["user", "list"], ["doctor"]):
        done = Command("--data", str(tmp_path / "other"), "--store", empty_postgresql_url, *words)()
        assert done.returncode == 1
        assert "Run the same hongyan migrate" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_a_server_on_the_copy_goes_on_where_the_clients_were(tmp_path: Path, empty_postgresql_url: str) -> None:
    with Server(tmp_path / "data") as first:
        ann, bob = first.people("ann", "bob")
        lane = ann.direct("bob")
        ann.send(lane, "before")
        cursor = bob.cursor()
        sent = ann.send(lane, "not read yet", "same-id")
        assert "in use by process" in first.command("migrate", "--from", "sqlite:", "--to", empty_postgresql_url).stderr
        first.stop()
        done = first.command("migrate", "--from", "sqlite:", "--to", empty_postgresql_url)
        assert done.returncode == 0, done.stderr
        with Server(tmp_path / "second", "--store", empty_postgresql_url) as second:
            for person in (ann, bob):
                person.http.base_url = second.url
            assert texts(bob.events_after(cursor)) == ["not read yet"]
            assert ann.send(lane, "not read yet", "same-id")["position"] == sent["position"]
            ann.send(lane, "after")
            assert texts(bob.events_after(cursor)) == ["not read yet", "after"]
            refused = second.command("migrate", "--from", empty_postgresql_url, "--to", f"sqlite:///{tmp_path}/third/hongyan.db")
            assert re.search(r"is in use: \d+ connections named hongyan use it .*Stop those servers first", refused.stderr)
            for words in (["migrate"], ["restore", "--restored-by-hand"]):
                assert "Stop those servers first" in second.command("--store", empty_postgresql_url, *words).stderr
            second.stop()


def test_a_database_put_back_by_hand_tells_the_clients(tmp_path: Path, empty_postgresql_url: str) -> None:
    with Server(tmp_path / "data", "--store", empty_postgresql_url) as server:
        add = ["--store", empty_postgresql_url, "user", "add", "--password-stdin"]
        for name in ("ann", "bob"):
            assert server.command(*add, name, input="wild goose 8440\n").returncode == 0
        ann = server.login("ann")
        ann.send(ann.direct("bob"), "seen")
        cursor = ann.cursor()
        server.stop()
        for words in (["restore"], ["restore", "FILE"]):
            done = server.command("--store", empty_postgresql_url, *words)
            assert (done.returncode, "pg_restore" in done.stderr) == (1, True)
        done = server.command("--store", empty_postgresql_url, "restore", "--restored-by-hand")
        assert (done.returncode, done.stderr) == (0, "")
        server.start()
        assert ann.cursor().rpartition(".")[0] != cursor.rpartition(".")[0]
        server.stop()


def test_one_put_back_by_hand_in_a_data_directory_gets_a_new_epoch_too(small: Path) -> None:
    before = dump_sqlite(small)
    data = ["--data", str(small.parent)]
    assert "FILE" in Command(*data, "restore")().stderr
    assert Command(*data, "restore", "x", "--restored-by-hand")().returncode == 1
    assert dump_sqlite(small) == before
    assert Command(*data, "restore", "--restored-by-hand")().returncode == 0
    after = dump_sqlite(small)
    epochs = dict(before.pop("meta")), dict(after.pop("meta"))
    assert epochs[0]["epoch"] != epochs[1]["epoch"]
    assert "key" not in epochs[1], "with the old one, nodes of before would be heard"
    assert before == after
    assert Command("--data", str(small.parent / "nowhere"), "restore", "--restored-by-hand")().returncode == 1
    assert not (small.parent / "nowhere").exists()


def test_a_postgresql_store_is_migrated_and_not_backed_up_to_a_file(empty_postgresql_url: str, tmp_path: Path) -> None:
    store = ["--store", empty_postgresql_url]
    assert Command(*store, "migrate")().stdout.endswith("now\n")
    assert Command(*store, "migrate")().stdout.endswith("already\n")
    done = Command(*store, "backup", str(tmp_path / "copy"))()
    assert (done.returncode, "pg_dump" in done.stderr) == (1, True)
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--from", "sqlite:"], "needs both"),
        (["--from", "sqlite:", "--to", "sqlite:"], "the same store"),
        (["--from", "sqlite:", "--to", "sqlite:///DATA/hongyan.db"], "the same store"),
        (["--from", "sqlite:", "--to", "sqlite:///DATA/other.db"], "expected sqlite:"),
        (["--from", "sqlite:", "--to", "mysql://u:geheim@h/db"], "expected sqlite:"),
        (["--from", "sqlite:", "--to", "postgresql://u:geheim@127.0.0.1:1/db"], "cannot be reached"),
        (["--from", "postgresql://u:geh/eim@127.0.0.1:1/db", "--to", "sqlite:"], "cannot be understood"),
    ],
)
def test_wrong_places_are_told_without_a_password(small: Path, words: list[str], told: str) -> None:
    named = [word.replace("/DATA", str(small.parent)) for word in words]
    done = Command("--data", str(small.parent), "migrate", *named)()
    assert done.returncode == 1
    assert told in done.stderr
    assert "geh" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_progress_is_one_line_on_a_terminal_and_plain_lines_elsewhere(source: Path, empty_postgresql_url: str) -> None:
    words = [*HONGYAN, "migrate", "--from", f"sqlite:///{source}", "--to", empty_postgresql_url]
    ours, theirs = pty.openpty()
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=theirs, env=os.environ | {"COLUMNS": "80"}) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # EIO: nobody writes any more
            while some := os.read(ours, 65_536):
                shown += some
        assert process.wait(60) == 0
    os.close(ours)
    lines = shown.decode().split("\r")
    assert all(len(line.rstrip("\n")) < 80 for line in lines)
    assert any("100 %" in line and "copying" in line for line in lines)
    assert any("100 %" in line and "comparing" in line for line in lines)
    assert shown.decode().count("\n") == 2
    done = Command(*words[len(HONGYAN) :])()
    assert "\r" not in done.stderr
    assert "comparing meta" in done.stderr
