"""The newest program is found, and a missing one skips the test."""

from pathlib import Path

import pytest

from tests.counterparts.installed import find


def test_newest_version_is_found(tmp_path: Path) -> None:
    for version in ("9", "15", "17"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "postgres").touch()
    assert find(f"{tmp_path}/*/bin/postgres", "postgresql") == tmp_path / "17" / "bin" / "postgres"


def test_missing_program_skips_with_the_name_of_the_package(tmp_path: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match="apt-get install postgresql"):
        find(f"{tmp_path}/*/bin/postgres", "postgresql")
