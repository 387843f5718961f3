from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.build import House, house


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    """A messaging core with four people."""
    async with house(tmp_path / "data") as built:
        await built.add("alice", "bob", "carol", "dave")
        yield built
