"""One send, one event."""

import asyncio

from hongyan.core.errors import ClientIdReused
from hongyan.store import Appended, Transaction, VersionConflict
from tests.store.build import Opened, assert_whole, draft
from tests.store.conftest import OpenStore


async def test_repetition_gets_the_first_place_and_stores_nothing(opened: Opened) -> None:
    first = await opened.add(draft(client_id="c1", time=5))
    await opened.add(draft(client_id="c2"))
    again = await opened.add(draft(client_id="c1", time=99, content=b'{"type":"text","text":"other words"}'))
    assert again == Appended(first.position, first.seq, 5, repeated=True)
    assert not first.repeated
    assert len(await opened.log()) == 2
    assert len(opened.batches) == 2


async def test_twin_in_the_same_commit_gets_its_brothers_place(opened: Opened) -> None:
    async with opened.one_commit():
        first, twin, other = (opened.append(draft(client_id=name, time=1)) for name in ("c1", "c1", "c2"))
    assert await first == Appended(1, 1, 1)
    assert await twin == Appended(1, 1, 1, repeated=True)
    assert await other == Appended(2, 2, 1)
    assert len(await opened.log()) == 2


async def test_fifty_twins_at_once_are_one_event(opened: Opened) -> None:
    async with opened.one_commit():
        together = [opened.append(draft(client_id="c1")) for _ in range(25)]
    apart = [opened.append(draft(client_id="c1")) for _ in range(25)]
    answers = await asyncio.gather(*together, *apart)
    assert {(answer.position, answer.seq) for answer in answers if isinstance(answer, Appended)} == {(1, 1)}
    assert [answer.repeated for answer in answers if isinstance(answer, Appended)] == [False] + [True] * 49
    assert len(await opened.log()) == 1


async def test_repetitions_among_new_events_leave_no_hole(opened: Opened) -> None:
    await opened.add_all(draft(f"room{number % 5}", f"c{number}") for number in range(0, 200, 3))
    answers = await opened.add_all(draft(f"room{number % 5}", f"c{number}") for number in range(200))
    assert [answer.repeated for answer in answers] == [number % 3 == 0 for number in range(200)]
    log = await opened.log()
    assert_whole(log)
    assert len(log) == 200
    assert {event.client_id: event.position for event in log} == {
        f"c{number}": answer.position for number, answer in enumerate(answers)
    }


async def test_same_id_in_another_lane_is_refused(opened: Opened) -> None:
    await opened.add(draft("room", "c1"))
    assert isinstance(await opened.append(draft("other", "c1")), ClientIdReused)
    async with opened.one_commit():
        placed, refused = opened.append(draft("room", "c2")), opened.append(draft("other", "c2"))
    assert isinstance(await placed, Appended)
    assert isinstance(await refused, ClientIdReused)
    log = await opened.log()
    assert_whole(log)
    assert {event.lane for event in log} == {"room"}


async def test_same_id_of_another_sender_is_another_event(opened: Opened) -> None:
    places = await opened.add_all(draft("room", "c1", sender) for sender in ("alice", "bob", "carol"))
    assert [place.position for place in places] == [1, 2, 3]


async def test_repetition_is_recognised_after_opening_again(open_store: OpenStore) -> None:
    first = await open_store()
    placed = await first.add(draft(client_id="c1"))
    await first.store.close()
    assert (await (await open_store()).add(draft(client_id="c1"))).position == placed.position


async def test_repetition_inside_transactions_is_recognised(opened: Opened) -> None:
    def twice(tx: Transaction) -> list[Appended]:
        return [tx.append(draft(client_id=name, time=3)) for name in ("c1", "c2", "c1")]

    first = await opened.add(draft(client_id="c1", time=3))
    places = await opened.store.transaction(twice)
    assert places == [Appended(1, 1, 3, True), Appended(2, 2, 3), Appended(1, 1, 3, True)]
    async with opened.one_commit():
        before = opened.append(draft(client_id="c3", time=3))
        inside = asyncio.ensure_future(opened.store.transaction(lambda tx: tx.append(draft(client_id="c3", time=3))))
        await asyncio.sleep(0)
        behind = opened.append(draft(client_id="c3", time=3))
    assert first == Appended(1, 1, 3)
    assert await before == Appended(3, 3, 3)
    assert await inside == await behind == Appended(3, 3, 3, True)
    assert_whole(await opened.log())


async def test_repetition_of_a_transaction_that_was_taken_back_is_stored(opened: Opened) -> None:
    def fails(tx: Transaction) -> None:
        tx.append(draft(client_id="c1"))
        raise LookupError

    async with opened.one_commit():
        failing = asyncio.ensure_future(opened.store.transaction(fails))
        await asyncio.sleep(0)
        stored = opened.append(draft(client_id="c1", time=2))
    assert isinstance((await asyncio.gather(failing, return_exceptions=True))[0], LookupError)
    assert await stored == Appended(1, 1, 2)


async def test_repetition_is_answered_though_the_version_has_changed(opened: Opened) -> None:
    """The answer of a retry is the first one, whatever happened since."""
    first = await opened.add(draft(client_id="c1", version=0))
    await opened.add(draft(bumps=True))
    again = await opened.add(draft(client_id="c1", version=0))
    assert (again.position, again.repeated) == (first.position, True)
    assert isinstance(await opened.append(draft(client_id="c2", version=0)), VersionConflict)


async def test_refused_append_leaves_its_id_free(opened: Opened) -> None:
    async with opened.one_commit():
        refused, stored = opened.append(draft(client_id="c1", version=5)), opened.append(draft(client_id="c1", version=0))
    assert isinstance(await refused, VersionConflict)
    assert isinstance(await stored, Appended)
