"""Directory over groups and channels: who may know of which, names that are one's alone, and rosters that follow the log."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hongyan.core.errors import Conflict, NotFound
from hongyan.features.xmpp import Directory, Room, Rosters
from tests.build import House, house


@pytest.fixture
async def home(place: Path | str) -> AsyncIterator[House]:
    async with house(place) as built:
        await built.add("alice", "bob", "carol", "dave")
        yield built


@pytest.fixture
def rooms(home: House) -> Directory:
    return Directory(home.store, home.messaging)


async def make(rooms: Directory, home: House, user: str, name: str, *, channel: bool = False) -> str:
    return await rooms.create(home.caller(user), name, name, channel=channel, topic=None, writers="all")


async def test_groups_are_their_members_and_channels_everybodys(home: House, rooms: Directory) -> None:
    group, channel = await make(rooms, home, "alice", "tea"), await make(rooms, home, "alice", "news", channel=True)
    direct, _ = await home.messaging.conversations.create_direct(home.caller("alice"), "bob")
    for name in ("tea", group):
        found = await rooms.look("alice", name)
        assert (found.place.id, found.place.name, found.role, found.count) == (group, "tea", "owner", 1)
        with pytest.raises(NotFound):
            await rooms.look("bob", name)
    assert (await rooms.look("bob", "news")).role is None
    assert await rooms.name(channel) == "news"
    assert await rooms.name("lobby") == "lobby"
    for nowhere in (direct.id, "coffee"):
        with pytest.raises(NotFound):
            await rooms.look("alice", nowhere)


async def test_a_name_is_given_once(home: House, rooms: Directory) -> None:
    assert await rooms.may_be_made("tea")
    made = await asyncio.gather(*(make(rooms, home, user, "tea") for user in ("alice", "bob", "carol")), return_exceptions=True)
    assert sorted(type(one).__name__ for one in made) == ["Conflict", "Conflict", "str"]
    assert not await rooms.may_be_made("tea")
    assert not await rooms.may_be_made("lobby")
    for name in ("a" * 24, "n" * 65):
        with pytest.raises(NotFound):
            await rooms.may_be_made(name)
    with pytest.raises(Conflict):
        await make(rooms, home, "dave", "lobby")
    assert len([one for one in await home.log() if one.type == "create" and one.lane != "lobby"]) == 1


async def test_pages_of_rooms(home: House, rooms: Directory) -> None:
    await make(rooms, home, "bob", "hidden")
    await make(rooms, home, "bob", "open", channel=True)
    for number in range(4):
        await make(rooms, home, "alice", f"tea{number}")
    everything, first, count = await rooms.page("alice", limit=100)
    ids = [one.place.id for one in everything]
    assert ids == sorted(ids)
    assert (first, count, len(ids)) == (0, 6, 6)
    assert "hidden" not in [one.place.name for one in everything]

    def of(found: list[Room]) -> list[str]:
        return [one.place.id for one in found]

    page, index, _ = await rooms.page("alice", after=ids[1], limit=2)
    assert (of(page), index) == (ids[2:4], 2)
    page, index, _ = await rooms.page("alice", before=ids[4], limit=2)
    assert (of(page), index) == (ids[2:4], 2)
    page, index, _ = await rooms.page("alice", before="", limit=2)
    assert (of(page), index) == (ids[4:], 4)
    assert (await rooms.page("alice", after="~", limit=2))[0] == []


async def test_a_roster_follows_the_log_while_it_is_held(home: House, rooms: Directory) -> None:
    rosters, conversations = Rosters(home.store, home.messaging), home.messaging.conversations
    lane = await make(rooms, home, "alice", "tea")
    alice = home.caller("alice")
    roster, _ = await asyncio.gather(rosters.hold(lane), conversations.add(alice, lane, ["bob", "carol"]))
    await home.settled()
    assert await rosters.hold(lane) is roster
    await conversations.set_role(alice, lane, "bob", "admin")
    await conversations.remove(alice, lane, "carol")
    await conversations.change(alice, lane, writers="admins")
    await home.messaging.people.rename("bob", "Bob", 1)
    await conversations.remove(alice, lane, "alice")
    await home.settled()
    assert roster.people is not None
    assert {user: (one.name, one.role) for user, one in roster.people.items()} == {"bob": ("Bob", "owner")}
    assert roster.writers == "admins"


async def test_a_roster_of_a_large_room_has_nobody(home: House, rooms: Directory) -> None:
    rosters, lane = Rosters(home.store, home.messaging), await make(rooms, home, "alice", "tea")
    roster = await rosters.hold(lane)
    people = [f"many{number}" for number in range(100)]
    await home.add(*people)
    await home.messaging.conversations.add(home.caller("alice"), lane, people)
    await home.settled()
    assert roster.people is None
    del roster
    assert (await rosters.hold(lane)).people is None
    with pytest.raises(NotFound):
        await rosters.hold("nowhere")
