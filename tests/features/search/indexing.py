"""Another process that indexes: python -m tests.features.search.indexing PLACE. Prints a line for each small batch."""

import asyncio
import os
import sys
from pathlib import Path

from tests.build import house
from tests.features.search.finder import Finder


async def run(place: str) -> None:
    async with house(place if "://" in place else Path(place)) as home:
        finder = await Finder.of(home)
        while await finder.search.indexer.step(5):
            os.write(1, b"batch\n")


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
