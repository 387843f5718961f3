"""The follower: each event once and in order, whatever the bus does; and it knows when it knows nothing for sure."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hongyan.bus import Counts
from hongyan.bus.local import Ears
from hongyan.config import Settings
from hongyan.config.settings import Log as LogSettings
from hongyan.core.errors import Overloaded, StoreUnavailable
from hongyan.core.model import Batch, Event
from hongyan.messaging.log import Log


class Bus:
    """Brings what the test says."""

    trouble: str | None = None
    doubtful = False
    alone = False
    counts = Counts()

    def __init__(self) -> None:
        self.ears = Ears()
        self.listen = self.ears.listen
        self.bring = self.ears.hear

    async def start(self, epoch: str, key: bytes, node: str) -> None: ...

    async def close(self) -> None: ...

    def publish(self, message: Any, to: str | None = None) -> None:
        self.ears.hear(message)


class Store:
    """A log that other nodes append to."""

    epoch, key, shared, trouble = "e", b"k", True, None

    def __init__(self) -> None:
        self.log: list[Event] = []
        self.reads = 0
        self.away = False

    async def start(self, on_commit: Any) -> None: ...

    async def close(self) -> None: ...

    async def read(self, fn: Any) -> Any:
        return len(self.log), []

    async def log_after(self, position: int, limit: int) -> list[Event]:
        self.reads += 1
        if self.away:
            raise StoreUnavailable("away")
        return self.log[position : position + limit]

    def append(self, count: int = 1) -> Batch:
        """New events, committed by another node, and the batch that the bus may bring."""
        first = len(self.log) + 1
        self.log += [Event(at, "lane", at, "message", "ann", 1, f"c{at}", b"{}") for at in range(first, first + count)]
        return Batch(first, len(self.log), self.log[first - 1 :])


class Followed:
    def __init__(self) -> None:
        self.store, self.bus, self.now = Store(), Bus(), 100.0
        settings = LogSettings(look_seconds=1000.0, lease_seconds=5.0)
        self.log = Log(self.store, self.bus, settings, clock=lambda: self.now)  # type: ignore[arg-type]
        self.given: list[int] = []
        self.log.deliver(lambda entry: self.given.append(entry.event.position))

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.002)


@pytest.fixture
async def followed() -> AsyncIterator[Followed]:
    followed = Followed()
    await followed.log.start("n1")
    yield followed
    await followed.log.stop()


async def test_batches_in_order_are_given_without_a_read(followed: Followed) -> None:
    for _ in range(5):
        followed.bus.bring(followed.store.append(3))
    assert followed.given == list(range(1, 16))
    assert followed.store.reads == 0


async def test_early_batches_wait_for_what_is_before_them(followed: Followed) -> None:
    first, second, third = (followed.store.append(2) for _ in range(3))
    followed.bus.bring(third)
    followed.bus.bring(second)
    assert followed.given == []
    followed.bus.bring(first)
    assert followed.given == [1, 2, 3, 4, 5, 6]


async def test_what_comes_twice_or_in_part_again_is_given_once(followed: Followed) -> None:
    first = followed.store.append(2)
    both = Batch(1, 4, [*first.events, *followed.store.append(2).events])
    for batch in (first, first, both, both, first):
        followed.bus.bring(batch)
    assert followed.given == [1, 2, 3, 4]


async def test_hole_is_read_soon(followed: Followed) -> None:
    followed.store.append(3)
    followed.bus.bring(followed.store.append(2))
    await followed.until(lambda: followed.given == [1, 2, 3, 4, 5])
    assert followed.log.holes == 1


async def test_batch_that_is_only_named_is_read(followed: Followed) -> None:
    batch = followed.store.append(2)
    followed.bus.bring(Batch(batch.first, batch.last, ()))
    assert followed.log.head == 2
    await followed.until(lambda: followed.given == [1, 2])


async def test_batch_before_its_commit_is_visible_is_read_again(followed: Followed) -> None:
    """The bus may be ahead of what this node can read: then the reader comes again."""
    batch = followed.store.append(2)
    kept, followed.store.log = followed.store.log, []
    followed.bus.bring(Batch(batch.first, batch.last, ()))
    await followed.until(lambda: followed.store.reads >= 1)
    followed.store.log = kept
    await followed.log.caught_up()
    assert followed.given == [1, 2]


async def test_deaf_node_looks_often(followed: Followed) -> None:
    followed.bus.trouble = "away"
    await followed.log.caught_up()
    followed.store.append(3)
    await followed.until(lambda: followed.given == [1, 2, 3])


async def test_caught_up_has_everything_that_was_committed_before_the_call(followed: Followed) -> None:
    for count in (1, 5, 0, 3_000):
        followed.store.append(count) if count else None
        await followed.log.caught_up()
        assert followed.log.position == len(followed.store.log)
    assert followed.given == list(range(1, len(followed.store.log) + 1))


async def test_caught_up_is_refused_while_the_store_is_away(followed: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hongyan.messaging.log._BEHIND_SECONDS", 0.1)
    followed.store.away = True
    with pytest.raises(Overloaded):
        await followed.log.caught_up()
    followed.store.away = False
    monkeypatch.setattr("hongyan.messaging.log._BEHIND_SECONDS", 5.0)
    followed.store.append(1)
    await followed.log.caught_up()
    assert followed.given == [1]


async def test_lease_ends_and_begins_again_with_a_look_at_the_end(followed: Followed) -> None:
    followed.now += 4.9
    followed.log.require_fresh()
    followed.now += 0.2
    assert followed.log.stale
    followed.bus.bring(followed.store.append(1))
    assert followed.log.stale, "what the bus brings is no proof that nothing is missing"
    with pytest.raises(Overloaded):
        followed.log.require_fresh()
    await followed.until(lambda: not followed.log.stale)
    followed.log.require_fresh()


async def test_lease_counts_from_before_the_look(followed: Followed) -> None:
    """A node that was stopped while it read knows what was true then."""
    read = followed.store.log_after

    async def slow(position: int, limit: int) -> list[Event]:
        found = await read(position, limit)
        followed.now += 6
        return found

    followed.store.log_after = slow  # type: ignore[method-assign]
    await followed.log.caught_up()
    assert followed.log.stale
    followed.store.log_after = read  # type: ignore[method-assign]
    await followed.log.caught_up()
    assert not followed.log.stale


async def test_store_of_one_node_is_never_stale(followed: Followed) -> None:
    followed.store.shared = False  # type: ignore[misc]
    followed.now += 1_000
    followed.log.require_fresh()
    assert Settings().log.lease_seconds == 5.0


async def test_store_that_has_lost_what_it_acknowledged_stops_the_node(followed: Followed) -> None:
    followed.bus.bring(followed.store.append(3))
    await followed.log.caught_up()
    assert not followed.log.parted
    followed.store.log.pop()
    followed.store.log.append(Event(3, "lane", 3, "message", "bob", 1, "another", b"{}"))
    followed.bus.bring(Batch(9, 9, ()))
    await followed.until(lambda: followed.log.parted)
    with pytest.raises(Overloaded):
        followed.log.require_fresh()
    assert followed.given == [1, 2, 3]
