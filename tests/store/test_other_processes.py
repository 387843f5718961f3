"""`hongyan user add` beside a server: more than one store object, and more than one process, on the same data."""

import asyncio
import subprocess
import sys
from pathlib import Path

from hongyan.store.postgres import PostgresStore
from hongyan.store.sqlite import SqliteStore
from tests.store.build import Opened, assert_whole, draft
from tests.store.conftest import OpenStore


async def test_other_store_object_writing_in_between_takes_its_places_in_the_same_order(open_store: OpenStore) -> None:
    one, two = await open_store(), await open_store()
    for turn in range(60):
        writer = (one, two)[turn % 2] if turn % 7 else (two, one)[turn % 2]
        placed = await writer.add(draft(f"room{turn % 3}", bumps=turn % 5 == 0))
        assert placed.position == turn + 1
    assert await one.log() == await two.log()
    assert_whole(await one.log())


async def test_repetition_of_what_another_store_object_stored_is_recognised(open_store: OpenStore) -> None:
    one, two = await open_store(), await open_store()
    await one.add(draft(client_id="mine"))
    first = await two.add(draft(client_id="c1"))
    again = await one.add(draft(client_id="c1"))
    assert (again.position, again.repeated) == (first.position, True)
    assert len(await one.log()) == 2


async def test_on_commit_is_called_for_own_commits_only(open_store: OpenStore) -> None:
    one, two = await open_store(), await open_store()
    await one.add(draft())
    await two.add(draft())
    await one.add(draft())
    assert [batch.last for batch in one.batches] == [1, 3]
    assert [batch.last for batch in two.batches] == [2]


async def test_two_store_objects_at_once_leave_no_hole(open_store: OpenStore) -> None:
    one, two = await open_store(), await open_store()

    async def work(opened: Opened, name: str) -> None:
        for _ in range(20):
            await asyncio.gather(
                opened.add_all(draft(f"room{number % 4}", sender=name) for number in range(10)),
                opened.store.transaction(lambda tx: tx.append(draft("room1", sender=name, bumps=True))),
            )

    await asyncio.gather(work(one, "one"), work(two, "two"))
    log = await one.log()
    assert_whole(log)
    assert len(log) == 440
    for opened, name in ((one, "one"), (two, "two")):
        published = [event for batch in opened.batches for event in batch.events]
        assert sorted(published, key=lambda event: event.position) == [event for event in log if event.sender == name]


async def test_other_process_writing_at_the_same_time_leaves_no_hole(opened: Opened) -> None:
    place = opened.store.url if isinstance(opened.store, PostgresStore) else opened.store.path
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.store.appender", str(place), "other", "1000", stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    assert await other.stdout.readline() == b"open\n"
    mine = 0
    while other.returncode is None:
        mine += len(await opened.add_all(draft(f"room{number % 9}", sender="me") for number in range(20)))
    told = dict(line.split() for line in (await other.stdout.read()).decode().splitlines())
    assert other.returncode == 0
    log = await opened.log()
    assert_whole(log)
    assert {event.client_id: str(event.position) for event in log if event.sender == "other"} == told
    assert sum(event.sender == "me" for event in log) == mine > 0


async def test_two_processes_that_make_the_store_at_the_same_time_make_one(database: Path) -> None:
    stores = [SqliteStore(database, queue=10, readers=1, checkpoint_pages=1_000) for _ in range(4)]
    await asyncio.gather(*(store.start(lambda batch: None) for store in stores))
    assert len({store.epoch for store in stores}) == 1
    for store in stores:
        await store.close()
