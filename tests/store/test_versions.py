"""The version of a lane's membership, and the appends that name it."""

import asyncio

import pytest

from hongyan.store import Appended, Transaction, VersionConflict, reading
from tests.store.build import Opened, assert_whole, draft
from tests.store.conftest import OpenStore


async def version(opened: Opened, lane: str) -> int:
    return await opened.store.read(lambda connection: reading.lane_version(connection, lane))


async def test_version_is_the_position_of_the_last_bump(opened: Opened) -> None:
    assert await version(opened, "room") == 0
    await opened.add_all([draft("room"), draft("room", bumps=True), draft("room"), draft("other", bumps=True)])
    assert (await version(opened, "room"), await version(opened, "other")) == (2, 4)
    await opened.add(draft("room", bumps=True))
    assert await version(opened, "room") == 5


async def test_append_with_the_right_version_is_stored(opened: Opened) -> None:
    assert (await opened.add(draft(version=0))).position == 1
    assert (await opened.add(draft(version=0, bumps=True))).position == 2
    assert (await opened.add(draft(version=2))).position == 3


async def test_append_with_another_version_is_refused_and_told_the_version(opened: Opened) -> None:
    await opened.add(draft(bumps=True))
    for wrong in (0, 2):
        refused = await opened.append(draft(version=wrong))
        assert isinstance(refused, VersionConflict)
        assert refused.version == 1
    assert len(await opened.log()) == 1


@pytest.mark.parametrize("make_store", ["sqlite"], indirect=True)
async def test_bump_in_the_same_commit_refuses_what_follows_it(opened: Opened) -> None:
    async with opened.one_commit():
        before = opened.append(draft(version=0))
        bump = asyncio.ensure_future(opened.store.transaction(lambda tx: tx.append(draft(bumps=True, version=0))))
        await asyncio.sleep(0)
        behind = opened.append(draft(version=0))
        other = opened.append(draft("other", version=0))
    assert (await before, (await bump).position) == (Appended(1, 1, 1_700_000_000_000), 2)
    refused = await behind
    assert isinstance(refused, VersionConflict)
    assert refused.version == 2
    assert isinstance(await other, Appended)


async def test_bump_is_seen_by_what_is_called_after_it(opened: Opened) -> None:
    before = opened.append(draft(version=0))
    bump = opened.append(draft(bumps=True, version=0))
    behind = opened.append(draft(version=0))
    other = opened.append(draft("other", version=0))
    assert [type(answer) for answer in await asyncio.gather(before, bump, behind, other)] == [
        Appended,
        Appended,
        VersionConflict,
        Appended,
    ]
    assert_whole(await opened.log())


async def test_conflict_in_a_transaction_is_raised_inside_it(opened: Opened) -> None:
    await opened.add(draft(bumps=True))

    def decides_again(tx: Transaction) -> Appended:
        with pytest.raises(VersionConflict) as conflict:
            tx.append(draft(version=0))
        return tx.append(draft(version=conflict.value.version))

    assert (await opened.store.transaction(decides_again)).position == 2
    with pytest.raises(VersionConflict):
        await opened.store.transaction(lambda tx: tx.append(draft(version=0)))
    assert_whole(await opened.log())


async def test_version_of_a_transaction_that_was_taken_back_is_the_old_one(opened: Opened) -> None:
    def fails(tx: Transaction) -> None:
        tx.append(draft(bumps=True))
        raise LookupError

    with pytest.raises(LookupError):
        await opened.store.transaction(fails)
    assert await version(opened, "room") == 0
    assert (await opened.add(draft(version=0))).position == 1


async def test_version_bumped_by_another_store_object_is_noticed(opened: Opened, open_store: OpenStore) -> None:
    other = await open_store()
    await opened.add(draft(version=0))
    await other.add(draft(bumps=True))
    assert (await opened.add(draft(version=2))).position == 3
    refused = await opened.append(draft(version=0))
    assert isinstance(refused, VersionConflict)
    assert refused.version == 2
