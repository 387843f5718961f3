"""The log as an archive: several conversations in the order of the log, both ways."""

import random

import pytest
from sqlalchemy import Connection

from hongyan.core.errors import NotFound
from hongyan.core.policy import Span
from hongyan.messaging import Within
from hongyan.store import reading
from hongyan.store.backwards import visible_before
from tests.build import House


async def filled(home: House, seed: int) -> list[tuple[str, int]]:
    """Some conversations with messages all over; gives their ids, each with a first `seq` to be read."""
    chance = random.Random(seed)
    lanes = [
        (await home.messaging.conversations.create_direct(home.caller("alice"), other))[0].id
        for other in ("bob", "carol", "dave")
    ]
    for number in range(60):
        await home.send("alice", chance.choice(lanes), f"{number}")
    return [(lane, chance.randint(1, 4)) for lane in lanes]


@pytest.fixture
async def lanes(home: House) -> list[tuple[str, int]]:
    return await filled(home, 8440)


async def test_reading_back_is_reading_on_from_the_other_end(home: House, lanes: list[tuple[str, int]]) -> None:
    chance = random.Random(1)
    for _ in range(40):
        await compare(home, lanes, chance.choice([None, chance.randint(1, 90)]), chance.randint(0, 70))


async def compare(home: House, lanes: list[tuple[str, int]], before: int | None, limit: int) -> None:
    def both(connection: Connection) -> tuple[list[int], list[int]]:
        on = reading.visible_after(connection, [(lane, Span(first)) for lane, first in lanes], 0, (before or 1_000) - 1, 1_000)
        back = visible_before(connection, lanes, before, limit)
        return [event.position for event in on], [event.position for event in back]

    on, back = await home.store.read(both)
    assert back == (on[-limit:] if limit else [])


async def test_pages_of_both_directions_are_the_whole(home: House, lanes: list[tuple[str, int]]) -> None:
    archive, alice = home.messaging.archive, home.caller("alice")
    whole = (await archive.page(alice, None, Within(), 100, backward=False)).events
    assert len(whole) == 60
    for backward in (False, True):
        found: list[int] = []
        within = Within()
        while True:
            page = await archive.page(alice, None, within, 7, backward=backward)
            places = [event.position for event in page.events]
            found = places + found if backward else found + places
            if not page.more:
                break
            within = Within(before=places[0]) if backward else Within(after=places[-1])
        assert found == [event.position for event in whole]


async def test_nobody_reads_what_is_not_theirs(home: House, lanes: list[tuple[str, int]]) -> None:
    archive, bob = home.messaging.archive, home.caller("bob")
    mine = (await archive.page(bob, None, Within(), 100, backward=True)).events
    assert {event.lane for event in mine} == {lanes[0][0]}
    with pytest.raises(NotFound):
        await archive.page(bob, lanes[1][0], Within(), 10, backward=False)
    theirs = (await archive.page(home.caller("carol"), None, Within(), 1, backward=False)).events[0]
    with pytest.raises(NotFound):
        await archive.these(bob, None, [theirs.position])
    with pytest.raises(NotFound):
        await archive.page(bob, None, Within(known=(theirs.position,)), 10, backward=False)
    assert not (await archive.about(bob, [theirs])).targets
