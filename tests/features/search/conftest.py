from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.build import house
from tests.features.search.finder import Finder


@pytest.fixture
async def finder(place: Path | str) -> AsyncIterator[Finder]:
    """A search among four people, that indexes when it is asked."""
    async with house(place) as home:
        await home.add("alice", "bob", "carol", "dave")
        yield await Finder.of(home)
