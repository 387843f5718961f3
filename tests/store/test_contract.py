"""The sentences of `hongyan.store`, one after the other, for every store."""

import asyncio
import logging
import random
from typing import Any

import pytest
from sqlalchemy import Connection

from hongyan.core.errors import HongyanError, Overloaded
from hongyan.core.model import Batch, Event
from hongyan.store import Appended, Transaction, reading
from tests.store.build import Opened, assert_whole, draft
from tests.store.conftest import OpenStore


async def test_position_and_seq_begin_at_one(opened: Opened) -> None:
    assert await opened.add(draft("room", time=5)) == Appended(1, 1, 5)
    assert await opened.add(draft("other", time=6)) == Appended(2, 1, 6)
    assert await opened.add(draft("room", time=7)) == Appended(3, 2, 7)


async def test_event_is_stored_as_it_was_given(opened: Opened) -> None:
    content = '{"text":"鸿雁 \\u0000 \\"quoted\\"","type":"text"}'.encode()
    one = draft("会话", "c-1", "李华", type="message", time=12, content=content)
    placed = await opened.add(one)
    event = Event(placed.position, "会话", 1, "message", "李华", 12, "c-1", content)
    assert await opened.log() == [event]
    assert opened.batches == [Batch(1, 1, [event])]


async def test_event_without_sender_and_client_id_is_stored(opened: Opened) -> None:
    await opened.add_all([draft(sender=None), draft(sender=None), draft(sender=None, client_id=None)])
    assert [event.sender for event in await opened.log()] == [None] * 3


async def test_many_concurrent_appends_and_transactions_leave_no_hole(opened: Opened) -> None:
    dice = random.Random(7)
    lanes = [f"room{number}" for number in range(20)]

    def several(tx: Transaction) -> list[Appended]:
        return [tx.append(draft(dice.choice(lanes))) for _ in range(dice.randrange(4))]

    def failing(tx: Transaction) -> None:
        several(tx)
        raise LookupError

    async def work(number: int) -> None:
        for step in range(60):
            match (number + step) % 4:
                case 0:
                    await opened.store.transaction(several)
                case 1:
                    with pytest.raises(LookupError):
                        await opened.store.transaction(failing)
                case _:
                    await opened.add(draft(dice.choice(lanes), f"{number}-{step}"))

    await asyncio.gather(*(work(number) for number in range(20)))
    log = await opened.log()
    assert_whole(log)
    published = [event for batch in opened.batches for event in batch.events]
    assert sorted(published, key=lambda event: event.position) == log
    assert all((batch.first, batch.last) == (batch.events[0].position, batch.events[-1].position) for batch in opened.batches)


async def test_reader_sees_a_prefix_of_the_log_at_any_time(opened: Opened) -> None:
    async def write() -> None:
        for _ in range(40):
            await opened.add_all(draft(f"room{number % 7}") for number in range(25))

    writing = asyncio.ensure_future(write())
    while not writing.done():
        assert_whole(await opened.log())
    await writing
    assert len(await opened.log()) == 1_000


async def test_read_sees_one_state(opened: Opened) -> None:
    await opened.add(draft())
    inside, wrote = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def read_twice(connection: Connection) -> tuple[int, int]:
        first = reading.head(connection)
        loop.call_soon_threadsafe(inside.set)
        asyncio.run_coroutine_threadsafe(wrote.wait(), loop).result(30)
        return first, reading.head(connection)

    reads = asyncio.ensure_future(opened.store.read(read_twice))
    await inside.wait()
    await opened.add(draft())
    wrote.set()
    assert await reads == (1, 1)
    assert await opened.store.read(reading.head) == 2


async def test_what_was_acknowledged_is_readable_at_once(opened: Opened) -> None:
    for number in range(1, 50):
        assert (await opened.add(draft())).position == number == await opened.store.read(reading.head)


async def test_calls_are_committed_in_their_order(opened: Opened) -> None:
    calls: list[asyncio.Future[Any]] = []
    for number in range(300):
        one = draft(f"room{number % 3}")
        if number % 5:
            calls.append(opened.append(one))
        else:
            await asyncio.gather(*calls)
            calls.append(asyncio.ensure_future(opened.store.transaction(lambda tx, one=one: tx.append(one))))
            await calls[-1]
    placed = await asyncio.gather(*calls)
    assert [one.position for one in placed] == list(range(1, 301))


async def test_done_is_never_called_inside_append(opened: Opened) -> None:
    answers = [opened.append(draft()) for _ in range(2_000)]
    assert not opened.heard
    await asyncio.gather(*answers)


async def test_every_answer_of_a_commit_comes_before_on_commit_and_in_order(opened: Opened) -> None:
    async with opened.one_commit():
        calls = [opened.append(draft(client_id=f"c{number}")) for number in range(100)]
        refused = opened.append(draft(version=77))
    await asyncio.gather(*calls)
    assert opened.heard[:100] == [Appended(number, number, 1_700_000_000_000) for number in range(1, 101)]
    assert opened.heard[100] is refused.result()
    assert isinstance(opened.heard[101], Batch)
    assert len(opened.heard[101].events) == 100
    assert len(opened.heard) == 102


async def test_on_commit_comes_before_the_code_that_awaited_a_transaction(opened: Opened) -> None:
    await opened.store.transaction(lambda tx: tx.append(draft()))
    assert [batch.last for batch in opened.batches] == [1]


async def test_commit_without_events_is_not_reported(opened: Opened) -> None:
    await opened.store.transaction(lambda tx: None)
    await opened.append(draft(version=9))
    assert not opened.batches


async def test_answer_that_raises_does_not_keep_others_from_theirs(opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError("a fault of the caller")

    async with opened.one_commit():
        first = opened.append(draft())
        opened.store.append(draft(), broken)
        last = opened.append(draft())
    assert [(await answer).position for answer in (first, last)] == [1, 3]
    assert [batch.last for batch in opened.batches] == [3]
    assert any(record.exc_info and "a fault of the caller" in str(record.exc_info[1]) for record in caplog.records)


async def test_done_may_append_again(opened: Opened) -> None:
    finished = asyncio.get_running_loop().create_future()

    def again(outcome: object) -> None:
        assert isinstance(outcome, Appended)
        if outcome.position == 20:
            finished.set_result(None)
        else:
            opened.store.append(draft(), again)

    opened.store.append(draft(), again)
    await finished
    assert_whole(await opened.log())


async def test_event_that_cannot_be_stored_is_refused_alone(opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    async with opened.one_commit():
        good = opened.append(draft(client_id="c1"))
        bad = opened.append(draft("lone \ud800 surrogate", "c2"))
        worse = opened.append(draft(time=1 << 70))
        fine = opened.append(draft(client_id="c3"))
    assert isinstance(await bad, HongyanError)
    assert isinstance(await worse, HongyanError)
    assert [(await answer).position for answer in (good, fine)] == [1, 2]
    assert_whole(await opened.log())
    assert opened.store.trouble is None


async def test_queue_has_a_bound_and_refuses_without_queueing(open_store: OpenStore) -> None:
    opened = await open_store(queue=10)
    async with opened.one_commit():  # is one of the ten
        accepted = [opened.append(draft()) for _ in range(9)]
        with pytest.raises(Overloaded) as refusal:
            opened.append(draft("refused"))
        assert refusal.value.retry_after
        with pytest.raises(Overloaded):
            await opened.store.transaction(lambda tx: tx.append(draft("refused")))
    await asyncio.gather(*accepted)
    await opened.add(draft())
    log = await opened.log()
    assert_whole(log)
    assert len(log) == 10
    assert {event.lane for event in log} == {"room"}


async def test_close_commits_what_has_queued(open_store: OpenStore) -> None:
    opened = await open_store()
    answers = [opened.append(draft()) for _ in range(3_000)]
    last = asyncio.ensure_future(opened.store.transaction(lambda tx: tx.append(draft())))
    await asyncio.sleep(0)
    await opened.store.close()
    assert all(answer.done() for answer in answers)
    assert not (await last).repeated
    assert len(await (await open_store()).log()) == 3_001


async def test_close_twice_and_at_once_is_the_same(open_store: OpenStore) -> None:
    opened = await open_store()
    await asyncio.gather(opened.store.close(), opened.store.close())
    await opened.store.close()


async def test_after_close_everything_is_refused(open_store: OpenStore) -> None:
    opened = await open_store()
    await opened.store.close()
    with pytest.raises(Overloaded):
        opened.append(draft())
    with pytest.raises(Overloaded):
        await opened.store.transaction(lambda tx: None)
    with pytest.raises(Overloaded):
        await opened.store.read(reading.head)
    assert not opened.heard


async def test_log_goes_on_where_it_was_after_opening_again(open_store: OpenStore) -> None:
    first = await open_store()
    await first.add_all([draft("room"), draft("other", bumps=True)])
    epoch = first.store.epoch
    await first.store.close()
    second = await open_store()
    assert second.store.epoch == epoch
    assert await second.add(draft("room", time=1)) == Appended(3, 2, 1)
    assert await second.add(draft("other", version=2, time=1)) == Appended(4, 2, 1)


async def test_epoch_is_letters_and_digits(opened: Opened) -> None:
    assert 1 <= len(opened.store.epoch) <= 16
    assert set(opened.store.epoch) <= set("0123456789abcdefghijklmnopqrstuvwxyz")


async def test_read_that_raises_raises_here_and_leaves_the_store_usable(opened: Opened) -> None:
    def fails(_: object) -> None:
        raise LookupError("not there")

    for _ in range(10):
        with pytest.raises(LookupError, match="not there"):
            await opened.store.read(fails)
    assert await opened.store.read(reading.head) == 0


async def test_cancelled_callers_do_not_disturb_the_store(opened: Opened) -> None:
    async with opened.one_commit():
        writing = asyncio.ensure_future(opened.store.transaction(lambda tx: tx.append(draft())))
        reads = [asyncio.ensure_future(opened.store.read(reading.head)) for _ in range(20)]
        await asyncio.sleep(0)
        for task in (writing, *reads):
            task.cancel()
    await opened.add(draft())
    assert_whole(await opened.log())
