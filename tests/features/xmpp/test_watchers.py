"""What somebody's devices are told of people elsewhere who ask to see them, on whatever store."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from hongyan.config import Settings
from hongyan.config.settings import Xmpp
from hongyan.core.errors import NotFound, Overloaded
from hongyan.features.xmpp import Circles, Subscription, Watchers
from hongyan.features.xmpp import subscriptions as module
from hongyan.features.xmpp.subscriptions import Subscriptions
from tests.build import House, house

ROMEO, BEN = "romeo@other.example", "ben@other.example"
ASKED, SEEN, NEITHER = Subscription(asked=True), Subscription(seen=True), Subscription()
SETTINGS = Settings(xmpp=Xmpp(s2s="127.0.0.1:0"))


class Home:
    """Of alice, whose devices are told."""

    def __init__(self, built: House) -> None:
        self.house = built
        self.kept = Subscriptions(built.store, built.messaging.log, clock=lambda: 7)
        self.circles = Circles(built.store, built.messaging.log, "hongyan.example", clock=lambda: 8)
        self.watchers = Watchers(built.store, SETTINGS)
        self.me = built.caller("alice")

    async def is_now(self, jid: str, now: Subscription) -> None:
        await self.kept.change("alice", jid, lambda _: now)

    async def listed(self) -> dict[str, str]:
        return {one.id: one.state for one in (await self.watchers.all(self.me)).watchers}

    async def told(self) -> list[dict[str, str]]:
        return [msgspec.json.decode(one.content) for one in await self.house.log() if one.type == "watcher"]


@pytest.fixture
async def home(place: Path | str) -> AsyncIterator[Home]:
    async with house(place) as built:
        await built.add("alice", "bob")
        yield Home(built)


async def test_who_asks_and_who_sees_is_told_and_listed(home: Home) -> None:
    reader = await home.house.reader("alice")
    other = await home.house.reader("bob")
    await home.is_now(ROMEO, ASKED)
    await home.is_now(ROMEO, ASKED)  # who asks twice is told of once
    await home.is_now(BEN, Subscription(asks=True))  # whom alice wants to see is another question
    assert await home.listed() == {ROMEO: "asks"}
    await home.is_now(ROMEO, Subscription(seen=True, asks=True))
    assert await home.listed() == {ROMEO: "sees"}
    await home.is_now(ROMEO, Subscription(asks=True))
    assert await home.listed() == {}
    told = await reader.wait_for(3, "watcher")
    assert [(one.lane, one.time, msgspec.json.decode(one.content)) for one in told] == [
        ("user:alice", 7, {"id": ROMEO, "state": "asks"}),
        ("user:alice", 7, {"id": ROMEO, "state": "sees"}),
        ("user:alice", 7, {"id": ROMEO}),
    ]
    await other.caught_up()
    assert not [one for one in other.events if one.type == "watcher"]


async def test_who_is_blocked_is_not_listed(home: Home) -> None:
    await home.is_now(ROMEO, ASKED)
    await home.is_now(BEN, SEEN)
    await home.circles.block(home.me, [ROMEO, "nobody@third.example"])
    assert await home.listed() == {BEN: "sees"}
    await home.circles.block(home.me, ["other.example"])
    assert await home.listed() == {}
    await home.is_now(BEN, NEITHER)
    await home.is_now(BEN, ASKED)
    await home.circles.unblock(home.me, None)
    assert await home.listed() == {ROMEO: "asks", BEN: "asks"}
    gone = [{"id": ROMEO}, {"id": BEN}]
    assert (await home.told())[2:] == [*gone, {"id": BEN, "state": "asks"}, {"id": ROMEO, "state": "asks"}]


async def test_who_had_to_make_room_is_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_ASKING", 1)
    await home.is_now(BEN, ASKED)
    await home.is_now(ROMEO, ASKED)
    assert (await home.told())[1:] == [{"id": BEN}, {"id": ROMEO, "state": "asks"}]
    assert await home.listed() == {ROMEO: "asks"}


async def test_who_asks_while_they_are_taken_out_of_the_roster_still_asks(home: Home) -> None:
    await home.is_now(ROMEO, Subscription(sees=True))
    await home.is_now(ROMEO, ASKED)
    await home.kept.forget("alice", ROMEO)
    assert await home.listed() == {ROMEO: "asks"}


@pytest.mark.parametrize("seed", range(3))
async def test_the_list_and_the_events_since_are_the_later_list(home: Home, seed: int) -> None:
    chance = random.Random(seed)
    people = [ROMEO, BEN, "eve@third.example"]
    folded: dict[str, str] = {}
    since = 0
    for _ in range(30):
        if chance.random() < 0.3:
            where = chance.choice([*people, "other.example"])
            await (home.circles.block if chance.random() < 0.5 else home.circles.unblock)(home.me, [where])
        else:
            await home.is_now(chance.choice(people), chance.choice([ASKED, SEEN, NEITHER, Subscription(asks=True)]))
        if chance.random() < 0.3:
            found = await home.watchers.all(home.me)
            since, folded = int(found.cursor.partition(".")[2]), {one.id: one.state for one in found.watchers}
    for event in await home.house.log():
        if event.type == "watcher" and event.position > since:
            told = msgspec.json.decode(event.content)
            folded.pop(told["id"], None)
            if "state" in told:
                folded[told["id"]] = told["state"]
    assert folded == await home.listed()


async def test_without_other_servers_there_is_nobody(home: Home) -> None:
    await home.is_now(ROMEO, ASKED)
    off = Watchers(home.house.store, Settings())
    assert (await off.all(home.me)).watchers == []
    for act in (off.allow, off.refuse):
        with pytest.raises(NotFound, match="other servers"):
            await act(home.me, ROMEO)
    with pytest.raises(Overloaded):  # the gateway that tells them has not started yet
        await home.watchers.allow(home.me, ROMEO)
