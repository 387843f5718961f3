"""One name server for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .name_server import NameServer, running


@pytest.fixture
def dns(tmp_path: Path) -> Iterator[NameServer]:
    with running(tmp_path) as server:
        yield server
