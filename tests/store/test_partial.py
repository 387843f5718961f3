"""Files that are being written beside the one that they become, and what is left of them when their writer is killed."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hongyan.operation.directory import DataDirectory
from hongyan.store import migrate, partial

_WRITER = """
import sys, time
from pathlib import Path
from hongyan.store.partial import partial
with partial(Path(sys.argv[1])) as made:
    made.write_text("half")
    for suffix in ("-wal", "-shm"):
        made.with_name(made.name + suffix).touch()
    print(flush=True)
    time.sleep(600)
"""


def writer(path: Path) -> subprocess.Popen[bytes]:
    """A process that has begun to write a file for `path`."""
    process = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"\n"
    return process


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_is_for_its_owner_and_gone_at_the_end_or_has_its_name(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with partial.partial(tmp_path / "one") as made:
            assert stat.S_IMODE(made.stat().st_mode) == 0o600
            assert made.parent == tmp_path
            made.replace(tmp_path / "one")
    finally:
        os.umask(before)
    with pytest.raises(ValueError, match="on the way"), partial.partial(tmp_path / "two"):
        raise ValueError("on the way")
    assert names(tmp_path) == ["one"]


def test_what_a_killed_process_left_goes_and_what_a_living_one_writes_stays(tmp_path: Path) -> None:
    path = tmp_path / "a [b] *.db"
    others = (".a [b] *.db.mine.partial", ".other.db.01234567.partial", "a [b] *.db.01234567.partial")
    for other in others:
        (tmp_path / other).touch()
    with writer(path) as killed, writer(path) as living:
        try:
            both = set(names(tmp_path)) - set(others)
            assert len(both) == 6
            partial.sweep(path)
            assert set(names(tmp_path)) - set(others) == both
            killed.kill()
            killed.wait()
            with partial.partial(path) as made:
                left = set(names(tmp_path)) - set(others) - {made.name}
                assert left < both
                assert len(left) == 3
        finally:
            for process in (killed, living):
                process.kill()
    partial.sweep(path)
    assert names(tmp_path) == sorted(others)


def test_a_store_that_was_made_by_a_process_that_was_killed_is_whole_and_alone(tmp_path: Path) -> None:
    """At the worst moment: it has its name, and still the other one."""
    directory = DataDirectory(tmp_path / "data")
    code = f"""
import os, time
from pathlib import Path
from hongyan.store import migrate
link = os.link
def linked(*names):
    link(*names)
    print(flush=True)
    time.sleep(600)
os.link = linked
migrate.upgrade(Path({str(directory.database)!r}))
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n"
        process.send_signal(signal.SIGKILL)
    assert len(names(directory.path)) == 2
    with directory.locked():
        assert names(directory.path) == ["hongyan.db", "lock"]
        migrate.check(directory.database)


def test_one_that_is_swept_before_it_is_held_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    real, swept = partial.fcntl.flock, []

    def flock(file: int, how: int) -> None:
        if not swept:
            swept.append(names(tmp_path))
            partial.sweep(path)
        real(file, how)

    monkeypatch.setattr(partial.fcntl, "flock", flock)
    with partial.partial(path) as made:
        assert [made.name] == names(tmp_path) != swept[0]
    assert names(tmp_path) == []
