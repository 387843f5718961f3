from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.build import House, house

ON_BOTH = ("test_acting", "test_archive", "test_bans", "test_conversations", "test_owning", "test_sending", "test_snapshot")
"""What talks to the store most. A fresh database costs more than most of these tests."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "place" in metafunc.fixturenames:
        both = metafunc.module.__name__.rpartition(".")[2] in ON_BOTH
        metafunc.parametrize("place", ["sqlite", "postgresql"] if both else ["sqlite"], indirect=True)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where the store of a house is."""
    if request.param == "sqlite":
        return tmp_path / "data"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
async def home(place: Path | str) -> AsyncIterator[House]:
    """A messaging core with four people."""
    async with house(place) as built:
        await built.add("alice", "bob", "carol", "dave")
        yield built
