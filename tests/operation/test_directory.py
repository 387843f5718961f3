"""The data directory: private, for one server at a time, telling where that server listens."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hongyan.config import Endpoint
from hongyan.operation.directory import DataDirectory, DirectoryError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_one_is_private_with_its_parents(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "a" / "b")
    directory.prepare()
    assert mode(directory.path) == 0o700
    assert directory.is_new


def test_an_empty_one_that_was_made_by_hand_becomes_private(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o755)
    DataDirectory(tmp_path / "data").prepare()
    assert mode(tmp_path / "data") == 0o700


def test_one_with_something_in_it_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o755)
    (tmp_path / "data" / "note").touch()
    DataDirectory(tmp_path / "data").prepare()
    assert mode(tmp_path / "data") == 0o755


def test_a_place_that_cannot_be_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DirectoryError, match="cannot be made"):
        DataDirectory(tmp_path / "file").prepare()
    with pytest.raises(DirectoryError, match="cannot be made"):
        DataDirectory(tmp_path / "file" / "below").prepare()


def test_a_second_holder_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    with directory.locked(), pytest.raises(DirectoryError, match="in use by process"), directory.locked():
        pass
    with directory.locked():
        pass


def test_the_lock_ends_with_its_process_however_that_ends(tmp_path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from hongyan.operation.directory import DataDirectory
with DataDirectory(Path({str(tmp_path)!r})).locked():
    print("held", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (-9, "held\n")
    with DataDirectory(tmp_path).locked():
        pass


def test_the_address_is_there_while_the_server_listens(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    with directory.locked(), directory.announced(Endpoint("::1", 4711)):
        assert directory.address.read_text() == "[::1]:4711\n"
    assert not directory.address.exists()


def test_an_address_of_a_killed_server_is_gone_with_the_next_lock(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    directory.address.write_text("127.0.0.1:1\n")
    with directory.locked():
        assert not directory.address.exists()
