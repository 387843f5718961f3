"""migrate, backup, restore, doctor, and the ways of calling the command line wrongly."""

import fcntl
import json
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hongyan.cli import main
from tests.serving import HONGYAN, Server


@pytest.fixture
def offline(tmp_path: Path) -> Server:
    """A data directory with one account, and no server."""
    server = Server(tmp_path / "data", start=False, IDENTITY_ITERATIONS="200000")
    server.add("lihua")
    return server


def names(server: Server) -> list[str]:
    return [one["id"] for one in json.loads(server.command("user", "list", "--json").stdout)]


def test_a_restored_copy_has_what_it_had_and_keeps_what_was_there(offline: Server, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert offline.command("backup", str(copy)).returncode == 0
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    offline.add("later")
    done = offline.command("restore", str(copy))
    assert done.returncode == 0
    kept = done.stdout.split()[-1]
    assert names(offline) == ["lihua"]
    with sqlite3.connect(offline.data / kept) as db:
        assert db.execute("SELECT count(*) FROM users").fetchone() == (2,)
    db.close()


def test_a_copy_can_be_put_into_a_new_directory(offline: Server, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    offline.command("backup", str(copy))
    other = Server(tmp_path / "other", start=False)
    assert other.command("restore", str(copy)).returncode == 0
    assert names(other) == ["lihua"]


def test_backup_never_overwrites_and_restore_wants_a_copy(offline: Server, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    assert "is there already" in offline.command("backup", str(tmp_path / "there")).stderr
    assert (tmp_path / "there").read_text() == "mine"
    assert "not a database" in offline.command("restore", str(tmp_path / "there")).stderr
    assert names(offline) == ["lihua"]


def test_restore_and_migrate_refuse_while_a_server_holds_the_directory(offline: Server, tmp_path: Path) -> None:
    offline.command("backup", str(tmp_path / "copy.db"))
    lock = os.open(offline.data / "lock", os.O_RDWR | os.O_CREAT)
    try:
        os.ftruncate(lock, 0)
        os.write(lock, b"4711\n")
        fcntl.flock(lock, fcntl.LOCK_EX)
        for words in (["restore", str(tmp_path / "copy.db")], ["migrate"]):
            done = offline.command(*words)
            assert done.returncode == 1
            assert "in use by process 4711" in done.stderr
    finally:
        os.close(lock)


def test_migrate_says_that_nothing_is_to_be_done(offline: Server) -> None:
    done = offline.command("migrate")
    assert (done.returncode, done.stdout.endswith("already\n")) == (0, True)


def test_tables_of_a_newer_version_are_refused_with_a_sentence(offline: Server) -> None:
    with sqlite3.connect(offline.data / "hongyan.db") as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    db.close()
    for words in (["user", "list"], ["serve", "--http", "127.0.0.1:0"]):
        done = offline.command(*words)
        assert done.returncode == 1
        assert "a newer Hongyan wrote" in done.stderr
        assert "Traceback" not in done.stderr


def test_what_is_no_database_is_refused_with_a_sentence(offline: Server) -> None:
    (offline.data / "hongyan.db").write_bytes(b"ink" * 4000)
    done = offline.command("user", "list")
    assert done.returncode == 1
    assert "cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_doctor_is_content_or_tells_what_to_do(offline: Server) -> None:
    done = offline.command("doctor")
    assert (done.returncode, done.stdout) == (0, "Nothing is wrong.\n")
    offline.data.chmod(0o755)
    done = offline.command("doctor")
    assert done.returncode == 1
    assert f"chmod 700 {offline.data}" in done.stdout


@pytest.mark.parametrize("words", [[], ["fly"], ["user"], ["user", "add"], ["serve", "--htt", "x"], ["user", "list", "more"]])
def test_a_wrong_call_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage: hongyan" in capsys.readouterr().err


def test_a_store_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--store", "mysql://db/hongyan", "user", "list"]) == 1
    assert "expected sqlite:" in capsys.readouterr().err


def test_a_wrong_setting_is_told_before_anything_is_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "c.toml"
    config.write_text("[http]\nlisen = 'x'\n")
    assert main(["--config", str(config), "--data", str(tmp_path / "data"), "serve"]) == 1
    assert "did you mean http.listen?" in capsys.readouterr().err
    assert main(["--data", str(tmp_path / "data"), "serve", "--http", "8440"]) == 1
    assert "http.listen (command line)" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_options_after_serve_win_over_those_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr("hongyan.server.run", lambda settings, demo, ready: seen.append((settings, demo)) or 0)
    config = tmp_path / "c.toml"
    config.write_text("[limits]\npage = 7\n")
    words = [
        "--data",
        "before",
        "serve",
        "--data",
        "after",
        "--http",
        "[::1]:9",
        "--config",
        str(config),
        "--domain",
        "im.example",
    ]
    assert main([*words, "--certificate", "c.pem", "--key", "k.pem", "--demo"]) == 0
    assert main(["--data", "before", "--config", str(config), "serve"]) == 0
    (one, demo), (other, plain) = seen
    assert (str(one.data), one.http.listen, one.limits.page, one.domain, demo) == ("after", "[::1]:9", 7, "im.example", True)
    assert (str(one.http.certificate), str(one.http.key)) == ("c.pem", "k.pem")
    assert (str(other.data), other.limits.page, plain) == ("before", 7, False)


def test_a_reader_that_leaves_early_is_no_error(offline: Server) -> None:
    script = f"{' '.join(HONGYAN)} --data '{offline.data}' user list --json | head -c 1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {script}"], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout == "["


@pytest.mark.parametrize(
    ("words", "needless"),
    [
        (["--help"], ["litestar", "sqlalchemy", "httpx", "prompt_toolkit", "uvloop", "asyncio"]),
        (["chat", "--help"], ["litestar", "sqlalchemy", "alembic", "structlog"]),
        (["serve", "--help"], ["httpx", "prompt_toolkit", "litestar"]),
    ],
)
def test_commands_do_not_import_what_they_do_not_need(words: list[str], needless: list[str]) -> None:
    code = f"""
import sys
from hongyan.cli import main
try:
    main({words!r})
except SystemExit:
    print("loaded:", *(name for name in {needless!r} if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "loaded:"
