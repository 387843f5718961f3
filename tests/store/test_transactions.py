"""Transactions: features' rows and their events together, isolated from everybody else in the same commit."""

import asyncio

import pytest
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import DatabaseError, DBAPIError, IntegrityError

from hongyan.core.errors import ClientIdReused
from hongyan.store import Appended, Transaction, reading
from hongyan.store.schema import meta
from tests.store.build import Opened, assert_whole, draft
from tests.store.conftest import OpenStore


def note(tx: Transaction, name: str, value: str = "x") -> None:
    """A row of some feature."""
    tx.connection.execute(insert(meta).values(name=name, value=value))


async def notes(opened: Opened) -> set[str]:
    def names(connection: Connection) -> set[str]:
        return set(connection.scalars(select(meta.c.name).where(meta.c.name.like("note%"))))

    return await opened.store.read(names)


async def test_rows_and_events_are_stored_together_and_the_value_is_returned(opened: Opened) -> None:
    def both(tx: Transaction) -> tuple[Appended, Appended]:
        note(tx, "note")
        return tx.append(draft("room", time=1)), tx.append(draft("room", time=1))

    assert await opened.store.transaction(both) == (Appended(1, 1, 1), Appended(2, 2, 1))
    assert await notes(opened) == {"note"}
    assert [batch.last for batch in opened.batches] == [2]


async def test_transaction_sees_its_own_writes(opened: Opened) -> None:
    def look(tx: Transaction) -> tuple[int, int, int]:
        tx.append(draft("room", bumps=True))
        tx.append(draft("room"))
        at = tx.connection
        return reading.head(at), reading.lane_head(at, "room"), reading.lane_version(at, "room")

    assert await opened.store.transaction(look) == (2, 2, 1)


@pytest.mark.parametrize("make_store", ["sqlite"], indirect=True)
async def test_transaction_that_raises_takes_back_its_own_writes_and_nobody_elses(opened: Opened) -> None:
    def good(tx: Transaction) -> Appended:
        note(tx, "note good")
        return tx.append(draft("room"))

    def bad(tx: Transaction) -> None:
        note(tx, "note bad")
        tx.append(draft("room", "taken back"))
        tx.append(draft("new room", bumps=True))
        raise LookupError("changed my mind")

    async with opened.one_commit():
        before = opened.append(draft("room"))
        calls = [asyncio.ensure_future(opened.store.transaction(fn)) for fn in (good, bad, good, bad)]
        calls[2].cancel()  # the second `good` would write the same row
        await asyncio.sleep(0)
        behind = opened.append(draft("room"))
        fresh = opened.append(draft("new room", version=0))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(result) for result in results] == [Appended, LookupError, asyncio.CancelledError, LookupError]
    assert [(await one).position for one in (before, behind, fresh)] == [1, 3, 4]  # type: ignore[union-attr]
    assert await notes(opened) == {"note good"}
    assert [event.lane for event in await opened.log()] == ["room", "room", "room", "new room"]
    assert_whole(await opened.log())
    assert len(opened.batches) == 1


async def test_error_of_a_statement_is_raised_to_its_caller_only(opened: Opened) -> None:
    async with opened.one_commit():
        first = opened.append(draft())
        twice = asyncio.ensure_future(opened.store.transaction(lambda tx: (note(tx, "note"), note(tx, "note"))))
        wrong = asyncio.ensure_future(opened.store.transaction(lambda tx: tx.connection.exec_driver_sql("SELECT * FROM nowhere")))
        await asyncio.sleep(0)
        last = opened.append(draft())
    with pytest.raises(IntegrityError):
        await twice
    with pytest.raises(DatabaseError, match="nowhere"):
        await wrong
    assert [(await one).position for one in (first, last)] == [1, 2]  # type: ignore[union-attr]
    assert opened.store.trouble is None
    assert await notes(opened) == set()


async def test_foreign_keys_are_held(opened: Opened) -> None:
    def orphan(tx: Transaction) -> None:
        tx.connection.exec_driver_sql("INSERT INTO members VALUES ('nowhere', 'nobody', 'member', 1, 1, 0)")

    with pytest.raises(IntegrityError):
        await opened.store.transaction(orphan)


@pytest.mark.parametrize("ending", ["commit", "rollback"])
async def test_function_cannot_end_the_transaction_by_itself(opened: Opened, ending: str) -> None:
    def ends(tx: Transaction) -> None:
        note(tx, "note")
        tx.append(draft())
        getattr(tx.connection, ending)()

    async with opened.one_commit():
        other = opened.append(draft())
        call = asyncio.ensure_future(opened.store.transaction(ends))
    with pytest.raises(RuntimeError):
        await call
    assert (await other).position == 1  # type: ignore[union-attr]
    assert await notes(opened) == set()
    await opened.store.transaction(lambda tx: note(tx, "note after"))
    assert await notes(opened) == {"note after"}
    await opened.add(draft())
    assert_whole(await opened.log())


async def test_append_that_is_taken_back_by_an_inner_savepoint_fails_the_transaction(opened: Opened) -> None:
    def hole(tx: Transaction) -> None:
        inner = tx.connection.begin_nested()
        tx.append(draft())
        inner.rollback()
        tx.append(draft())

    with pytest.raises(RuntimeError, match="log"):
        await opened.store.transaction(hole)
    await opened.add(draft())
    assert_whole(await opened.log())
    assert len(await opened.log()) == 1


async def test_inner_savepoint_around_rows_works(opened: Opened) -> None:
    def careful(tx: Transaction) -> None:
        note(tx, "note 1")
        inner = tx.connection.begin_nested()
        note(tx, "note 2")
        inner.rollback()
        with tx.connection.begin_nested():
            note(tx, "note 3")

    await opened.store.transaction(careful)
    assert await notes(opened) == {"note 1", "note 3"}


async def test_transaction_that_is_over_cannot_be_used(opened: Opened) -> None:
    kept = await opened.store.transaction(lambda tx: tx)
    with pytest.raises(RuntimeError, match="over"):
        kept.append(draft())
    with pytest.raises(RuntimeError, match="over"):
        kept.connection  # noqa: B018


@pytest.mark.parametrize("error", [StopIteration, SystemExit, KeyboardInterrupt, asyncio.CancelledError])
async def test_strange_exceptions_end_the_transaction_only(opened: Opened, error: type[BaseException]) -> None:
    def strange(tx: Transaction) -> None:
        note(tx, "note")
        raise error

    with pytest.raises(RuntimeError, match=error.__name__):
        await opened.store.transaction(strange)
    await opened.add(draft())
    assert await notes(opened) == set()


async def test_reading_connection_cannot_write(opened: Opened) -> None:
    def sneaks(connection: Connection) -> None:
        connection.execute(insert(meta).values(name="note", value="x"))

    with pytest.raises(DBAPIError):
        await opened.store.read(sneaks)
    assert await notes(opened) == set()


async def test_several_are_appended_at_once_in_their_order(opened: Opened) -> None:
    def several(tx: Transaction) -> list[Appended]:
        return tx.append_all([draft(f"room{number % 3}", f"c{number}", time=1) for number in range(2_500)])

    placed = await opened.store.transaction(several)
    assert [one.position for one in placed] == list(range(1, 2_501))
    assert [event.client_id for event in await opened.log()] == [f"c{number}" for number in range(2_500)]
    assert [event.position for batch in opened.batches for event in batch.events] == list(range(1, 2_501))


async def test_refusal_of_one_of_several_takes_all_back(opened: Opened) -> None:
    await opened.add(draft("elsewhere", "c7"))
    with pytest.raises(ClientIdReused):
        await opened.store.transaction(lambda tx: tx.append_all([draft("room", f"c{number}") for number in range(20)]))
    assert len(await opened.log()) == 1
    assert_whole(await opened.log())


_COUNTER = select(meta.c.value).where(meta.c.name == "note")


def count_up(tx: Transaction) -> None:
    """Read, then write: twice at the same time, and one is lost."""
    before = tx.connection.scalar(_COUNTER)
    tx.connection.execute(update(meta).where(meta.c.name == "note").values(value=str(int(before or 0) + 1)))


async def test_transactions_of_one_scope_do_not_see_each_other_half_done(opened: Opened, open_store: OpenStore) -> None:
    other = await open_store()
    await opened.store.transaction(lambda tx: note(tx, "note", "0"))

    await asyncio.gather(
        *(one.store.transaction(count_up, scope="counter") for one in (opened, other) for _ in range(15)),
        *(one.store.transaction(lambda tx: tx.append(draft()), scope="another") for one in (opened, other) for _ in range(5)),
    )
    assert await opened.store.read(lambda connection: connection.scalar(_COUNTER)) == "30"


async def test_transaction_without_a_scope_is_alone(opened: Opened, open_store: OpenStore) -> None:
    other = await open_store()
    await opened.store.transaction(lambda tx: note(tx, "note", "0"))

    scopes = [None, "one", None, "one"] * 3
    # Those of scope "one" are alone among each other, and those without are alone altogether: nothing is counted twice.
    await asyncio.gather(*(one.store.transaction(count_up, scope=scope) for one in (opened, other) for scope in scopes))
    assert await opened.store.read(lambda connection: connection.scalar(_COUNTER)) == "24"
