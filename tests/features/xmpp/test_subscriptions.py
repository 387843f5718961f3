"""Who sees whom across servers, on whatever store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from hongyan.core.errors import Conflict
from hongyan.features.xmpp import Circles, Subscription
from hongyan.features.xmpp import subscriptions as module
from hongyan.features.xmpp.subscriptions import Subscriptions
from tests.build import House, house

ROMEO = "romeo@other.example"


@pytest.fixture
async def home(place: Path | str) -> AsyncIterator[House]:
    async with house(place) as built:
        await built.add("alice", "bob")
        yield built


@pytest.fixture
def kept(home: House) -> Subscriptions:
    return Subscriptions(home.store, home.messaging.log, clock=lambda: 1)


@pytest.fixture
def circles(home: House) -> Circles:
    return Circles(home.store, home.messaging.log, "hongyan.example", clock=lambda: 1)


async def test_what_was_agreed_is_kept_until_it_is_taken_out(kept: Subscriptions, circles: Circles) -> None:
    assert await kept.get("alice", ROMEO) == Subscription()
    assert await kept.change("alice", ROMEO, lambda now: replace(now, asks=True)) == (Subscription(), Subscription(asks=True))
    before, after = await kept.change("alice", ROMEO, lambda now: replace(now, asks=False, sees=True, seen=True))
    assert (before, after) == (Subscription(asks=True), Subscription(sees=True, seen=True))
    assert (await circles.of("alice")).contacts[ROMEO].subscription == after
    assert await kept.seers() == await kept.seers("alice") == {"alice": frozenset({ROMEO})}
    assert await kept.seers("bob") == {}
    await kept.change("alice", ROMEO, lambda now: Subscription())
    assert (await circles.of("alice")).contacts[ROMEO].subscription == Subscription()  # they are in the roster still
    assert await kept.seers() == {}
    await kept.forget("alice", ROMEO)
    await kept.change("bob", ROMEO, lambda now: now)
    assert ROMEO not in (await Circles(kept._store, kept._log, "hongyan.example", clock=lambda: 1).of("alice")).contacts


async def test_who_only_asks_is_in_no_roster(kept: Subscriptions, circles: Circles) -> None:
    await kept.change("alice", ROMEO, lambda now: replace(now, asked=True))
    circle = await circles.of("alice")
    assert (list(circle.asking), dict(circle.contacts)) == ([ROMEO], {})
    await kept.change("alice", ROMEO, lambda now: replace(now, asked=False))
    circle = await circles.of("alice")
    assert (list(circle.asking), dict(circle.contacts)) == ([], {})


async def test_nobody_knows_more_than_may(kept: Subscriptions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 2)
    for n in range(2):
        await kept.change("alice", f"r{n}@other.example", lambda now: replace(now, seen=True))
    await kept.change("alice", "stranger@other.example", lambda now: replace(now, asked=True))  # who asks takes nothing away
    with pytest.raises(Conflict):
        await kept.change("alice", ROMEO, lambda now: replace(now, asks=True))
    assert await kept.get("alice", ROMEO) == Subscription()
    await kept.change("alice", "r0@other.example", lambda now: replace(now, sees=True))  # those that there are may change


async def test_a_crowd_that_asks_displaces_itself(kept: Subscriptions, circles: Circles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_ASKING", 3)
    await kept.change("alice", ROMEO, lambda now: replace(now, asked=True))
    for n in range(5):
        await kept.change("alice", f"r{n}@crowd.example", lambda now: replace(now, asked=True))
    assert list((await circles.of("alice")).asking) == ["r3@crowd.example", "r4@crowd.example", ROMEO]


async def test_who_is_blocked_sees_nothing(kept: Subscriptions, circles: Circles, home: House) -> None:
    for jid in (ROMEO, "ben@other.example", "eve@third.example"):
        await kept.change("alice", jid, lambda now: replace(now, seen=True))
    await circles.block(home.caller("alice"), [ROMEO, "third.example"])
    assert await kept.seers() == await kept.seers("alice") == {"alice": frozenset({"ben@other.example"})}
