"""What goes to other servers: everything, in order, from where it was left, on whatever store."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from hongyan.core.errors import Overloaded
from hongyan.core.model import Event
from hongyan.features.xmpp import Forwarding
from hongyan.features.xmpp.remotes import Remotes
from tests.build import House, house

THERE = "romeo@other.example"


@pytest.fixture
async def home(place: Path | str) -> AsyncIterator[House]:
    async with house(place) as built:
        await built.add("alice", "bob")
        await Remotes(built.store).meet(THERE, 1)
        yield built


class Way:
    """To another server, which takes what it is given at once, or when it is let."""

    def __init__(self, *, open: bool = True) -> None:
        self.open = open
        self.told: list[tuple[str, float]] = []
        self.held: list[Callable[[], None]] = []

    async def take(self, event: Event, done: Callable[[], None], patience: float) -> None:
        if event.type == "message":
            self.told.append((event.client_id or "", patience))
        if self.open:
            done()
        else:
            self.held.append(done)

    @property
    def ids(self) -> list[str]:
        return [id for id, _ in self.told]


@contextlib.asynccontextmanager
async def forwarding(home: House, way: Way) -> AsyncIterator[None]:
    one = Forwarding(home.store, home.messaging, way.take)
    await one.start()
    await until(lambda: one.leads)  # the first time it follows from where the log is then
    try:
        yield
    finally:
        await one.stop()


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not what():
            await asyncio.sleep(0.01)


async def lane(home: House, other: str = THERE) -> str:
    return (await home.messaging.conversations.create_direct(home.caller("alice"), other))[0].id


async def test_only_conversations_with_their_people_are_told(home: House) -> None:
    way = Way()
    async with forwarding(home, way):
        there, here = await lane(home), await lane(home, "bob")
        for n in range(3):
            await home.send("alice", here, client_id=f"here{n}")
            await home.send("alice", there, client_id=f"there{n}")
        await until(lambda: len(way.told) == 3)
        assert way.ids == ["there0", "there1", "there2"]


async def test_what_was_sent_goes_once(home: House) -> None:
    way = Way()
    there = await lane(home)
    async with forwarding(home, way):
        await home.send("alice", there, client_id="one")
        await until(lambda: way.ids == ["one"])
    again = Way()
    async with forwarding(home, again):
        await home.send("alice", there, client_id="two")
        await until(lambda: bool(again.told))
    assert again.ids == ["two"]


async def test_what_waits_when_it_stops_goes_again(home: House) -> None:
    way = Way(open=False)
    there = await lane(home)
    async with forwarding(home, way):
        for id in ("one", "two", "three"):
            await home.send("alice", there, client_id=id)
        await until(lambda: len(way.told) == 3)
        way.held[0]()
        way.held[2]()  # the second still waits: everything from there goes again
    again = Way()
    async with forwarding(home, again):
        await until(lambda: len(again.told) == 2)
        assert again.ids == ["two", "three"]
        assert all(patience > 0 for _, patience in again.told)  # it catches up
        await home.send("alice", there, client_id="four")
        await until(lambda: len(again.told) == 3)
        assert again.told[2] == ("four", 0.0)


async def test_more_than_is_kept_in_memory_is_read(home: House) -> None:
    there = await lane(home)
    async with forwarding(home, Way()):
        pass
    for n in range(30):
        await home.send("alice", there, client_id=f"m{n}")
    home.messaging.log.floor = home.messaging.log.position  # as after a restart with a long backlog
    way = Way()
    async with forwarding(home, way):
        await until(lambda: len(way.told) == 30)
        assert way.ids == [f"m{n}" for n in range(30)]


async def test_what_fails_for_now_is_tried_again(home: House) -> None:
    there, tries = await lane(home), 0

    class Failing(Way):
        async def take(self, event: Event, done: Callable[[], None], patience: float) -> None:
            nonlocal tries
            if event.client_id == "two" and tries < 1:
                tries += 1
                raise Overloaded
            await super().take(event, done, patience)

    way = Failing()
    async with forwarding(home, way):
        for id in ("one", "two", "three"):
            await home.send("alice", there, client_id=id)
        await until(lambda: len(way.told) == 3)
        assert (way.ids, tries) == (["one", "two", "three"], 1)
