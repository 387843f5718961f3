from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.build import House, house


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where the store of a house is: each kind."""
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
