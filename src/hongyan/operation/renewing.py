"""A new epoch for data that were put back by hand: clients that had seen more are told so, and load everything again."""

import asyncio

from hongyan.config import Settings
from hongyan.operation.directory import DataDirectory
from hongyan.operation.sides import target_of
from hongyan.store import migrate
from hongyan.store.epoch import new_epoch


def renew(settings: Settings) -> str:
    """What has it now, for people. Raises what `target_of` raises, for data that are not there too."""
    if not settings.shares_store:
        directory = DataDirectory(settings.data)
        directory.require()
        migrate.check(directory.database)
    else:
        migrate.check(settings.store)
    return asyncio.run(_renew(settings))


async def _renew(settings: Settings) -> str:
    async with target_of(settings.store, settings) as side:
        await side.note({"epoch": new_epoch(), "key": None})  # the next start makes another key
        await side.settle()
    return side.name
