"""A group message costs one append and one message on the bus, whatever the group's size."""

import asyncio
from pathlib import Path

import pytest

from hongyan.bus import Batch, Message, NodePresence
from hongyan.bus.local import LocalBus
from hongyan.bus.nats import _parts
from tests.build import house


class Counting(LocalBus):
    def __init__(self) -> None:
        super().__init__()
        self.published: list[Message] = []

    def publish(self, message: Message, to: str | None = None) -> None:
        self.published.append(message)
        super().publish(message, to)


@pytest.mark.parametrize("size", [2, 120])
async def test_group_message_is_one_append_and_one_bus_message(tmp_path: Path, size: int) -> None:
    bus = Counting()
    async with house(tmp_path / "data", bus=bus) as home:
        people = [f"u{number:03}" for number in range(size)]
        await home.add(*people)
        group = await home.group(*people)
        readers = [await home.reader(user) for user in people]
        head, commits = home.messaging.log.position, home.store.stats.commits
        bus.published.clear()
        await home.send(people[0], group)
        await home.settled()
        assert home.messaging.log.position == head + 1
        assert home.store.stats.commits == commits + 1
        batches = [one for one in bus.published if not isinstance(one, NodePresence)]
        assert [type(one) for one in batches] == [Batch]
        assert len(_parts(batches[0])) == 1  # type: ignore[arg-type]
        async with asyncio.timeout(10):
            while not all("你好" in reader.texts() for reader in readers):
                await asyncio.sleep(0.01)
