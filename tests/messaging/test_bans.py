"""Who is kept out of a group or channel: by whom, from what, and until when."""

import asyncio

import msgspec
import pytest

from hongyan.core.errors import Conflict, Forbidden, Invalid, NotFound
from hongyan.messaging import bans as module
from tests.build import House


async def channel(home: House, *members: str) -> str:
    """Of alice."""
    made = await home.messaging.conversations.create_group(home.caller("alice"), "频道", members, "all", channel=True)
    return made.id


async def inside(home: House, conversation: str) -> set[str]:
    found, _ = await home.messaging.conversations.members(home.caller("alice"), conversation, None, 100)
    return {one.id for one in found}


async def test_who_is_banned_is_removed_and_does_not_come_in_again(home: House) -> None:
    bans, conversations = home.messaging.bans, home.messaging.conversations
    lane = await channel(home, "bob", "carol")
    await bans.ban(home.caller("alice"), lane, "bob")
    assert await inside(home, lane) == {"alice", "carol"}
    event = (await home.log())[-1]
    told = msgspec.json.decode(event.content)
    assert (event.type, event.sender, told["action"], told["banned"]) == ("member", "alice", "remove", True)
    with pytest.raises(Forbidden):
        await conversations.join(home.caller("bob"), lane)
    with pytest.raises(Forbidden):
        await conversations.add(home.caller("carol"), lane, ["dave", "bob"])
    assert await inside(home, lane) == {"alice", "carol"}
    (listed,) = await bans.all(home.caller("alice"), lane)
    assert (listed.id, listed.name, listed.by) == ("bob", "Bob", "alice")
    await bans.lift(home.caller("alice"), lane, "bob")
    assert await bans.all(home.caller("alice"), lane) == []
    await conversations.join(home.caller("bob"), lane)
    assert await inside(home, lane) == {"alice", "bob", "carol"}


async def test_an_owner_or_admin_who_brings_somebody_in_lifts_the_ban(home: House) -> None:
    bans, conversations = home.messaging.bans, home.messaging.conversations
    lane = await channel(home, "bob")
    await conversations.set_role(home.caller("alice"), lane, "bob", "admin")
    await bans.ban(home.caller("bob"), lane, "carol")  # who was never in it
    await conversations.add(home.caller("bob"), lane, ["carol"])
    assert await bans.all(home.caller("alice"), lane) == []
    await conversations.remove(home.caller("carol"), lane, "carol")
    await conversations.join(home.caller("carol"), lane)


async def test_a_ban_is_told_once_and_can_be_repeated(home: House) -> None:
    lane = await channel(home, "bob")
    before = len(await home.log())
    for _ in range(2):
        await home.messaging.bans.ban(home.caller("alice"), lane, "bob")
    assert len(await home.log()) == before + 1
    assert len(await home.messaging.bans.all(home.caller("alice"), lane)) == 1


@pytest.mark.parametrize(
    ("who", "whom", "error"),
    [
        ("dave", "bob", NotFound),  # a stranger
        ("bob", "carol", Forbidden),  # a member
        ("carol", "alice", Forbidden),  # an admin the owner
        ("carol", "carol", Invalid),
        ("alice", "alice", Invalid),
        ("alice", "nobody", NotFound),
        ("carol", "bob", None),
        ("alice", "carol", None),
    ],
)
async def test_rights(home: House, who: str, whom: str, error: type[Exception] | None) -> None:
    lane = await channel(home, "bob", "carol")
    await home.messaging.conversations.set_role(home.caller("alice"), lane, "carol", "admin")
    before = len(await home.log())
    act = home.messaging.bans.ban(home.caller(who), lane, whom)
    if error is None:
        await act
        assert whom not in await inside(home, lane)
    else:
        with pytest.raises(error):
            await act
        assert len(await home.log()) == before


async def test_only_owner_and_admins_see_and_lift_bans(home: House) -> None:
    bans = home.messaging.bans
    lane = await channel(home, "bob")
    await bans.ban(home.caller("alice"), lane, "carol")
    for who, error in (("bob", Forbidden), ("carol", NotFound), ("dave", NotFound)):
        for refused in (bans.all(home.caller(who), lane), bans.lift(home.caller(who), lane, "carol")):
            with pytest.raises(error):
                await refused
    with pytest.raises(NotFound):
        await bans.lift(home.caller("alice"), lane, "bob")
    direct, _ = await home.messaging.conversations.create_direct(home.caller("alice"), "bob")
    with pytest.raises(Forbidden):
        await bans.ban(home.caller("alice"), direct.id, "bob")


async def test_there_is_a_bound(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 1)
    lane = await channel(home, "bob")
    await home.messaging.bans.ban(home.caller("alice"), lane, "carol")
    with pytest.raises(Conflict):
        await home.messaging.bans.ban(home.caller("alice"), lane, "bob")
    assert await inside(home, lane) == {"alice", "bob"}


async def test_a_ban_and_somebody_who_comes_at_that_moment(home: House) -> None:
    """Whoever is first: in the end they are outside, and stay there."""
    for _ in range(10):
        lane = await channel(home)
        await asyncio.gather(
            home.messaging.bans.ban(home.caller("alice"), lane, "bob"),
            home.messaging.conversations.join(home.caller("bob"), lane),
            return_exceptions=True,
        )
        assert await inside(home, lane) == {"alice"}
        with pytest.raises(Forbidden):
            await home.messaging.conversations.join(home.caller("bob"), lane)
