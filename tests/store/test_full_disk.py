"""When the store cannot be written, everything is refused cleanly, and it recovers by itself."""

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from hongyan.core.errors import StoreUnavailable
from hongyan.store import reading, sqlite_file
from tests.store.build import Opened, assert_whole, draft
from tests.store.conftest import OpenStore

pytestmark = pytest.mark.parametrize("make_store", ["sqlite"], indirect=True)

BIG = b'{"type":"text","text":"' + b"x" * 20_000 + b'"}'


def test_full_disk_refuses_loses_nothing_and_recovers(make_store: object, database: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.store.full_disk", str(database)], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("stored ")


async def at_most(opened: Opened, pages: int) -> None:
    """Bound the size of the database, for the writing connection."""
    await opened.store.transaction(lambda tx: tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}").fetchall())


async def test_all_of_a_commit_is_refused_when_its_last_part_does_not_fit(opened: Opened) -> None:
    await opened.add_all(draft(f"room{number}", f"c{number}") for number in range(5))
    await at_most(opened, 60)
    async with opened.one_commit():
        small = opened.append(draft("room1", "small"))
        fine = asyncio.ensure_future(opened.store.transaction(lambda tx: tx.append(draft("room2", "fine"))))
        await asyncio.sleep(0)
        big = [opened.append(draft("room3", f"big{number}", content=BIG)) for number in range(50)]
    for answer in (await small, *[await one for one in big]):
        assert isinstance(answer, StoreUnavailable)
    with pytest.raises(StoreUnavailable):
        await fine
    assert opened.store.trouble
    assert await opened.store.read(reading.head) == 5
    await at_most(opened, 1 << 30)
    answers = await opened.add_all(draft(f"room{number}", f"c{number}") for number in range(8))
    assert [answer.repeated for answer in answers] == [True] * 5 + [False] * 3
    assert [answer.position for answer in answers[5:]] == [6, 7, 8]
    assert opened.store.trouble is None
    assert_whole(await opened.log())


async def test_disk_that_fails_inside_a_transaction_is_not_the_callers_fault(opened: Opened) -> None:
    await at_most(opened, 40)
    async with opened.one_commit():
        small = opened.append(draft())
        big = asyncio.ensure_future(
            opened.store.transaction(
                lambda tx: tx.connection.exec_driver_sql("CREATE TABLE big AS SELECT randomblob(1000000) AS it")
            )
        )
    with pytest.raises(StoreUnavailable):
        await big
    assert isinstance(await small, StoreUnavailable)


async def test_commit_that_stored_nothing_does_not_end_the_trouble(opened: Opened) -> None:
    await opened.add(draft(client_id="c1"))
    await at_most(opened, 40)
    assert isinstance(await opened.append(draft(content=BIG * 20)), StoreUnavailable)
    await opened.store.transaction(lambda tx: None)
    assert (await opened.add(draft(client_id="c1"))).repeated
    assert opened.store.trouble


async def test_other_process_that_does_not_let_go_refuses_for_a_while(
    opened: Opened, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened.store.transaction(lambda tx: tx.connection.exec_driver_sql("PRAGMA busy_timeout = 50").fetchall())
    await opened.add(draft())
    with closing(sqlite_file.connect(database)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = await opened.append(draft())
        assert isinstance(refused, StoreUnavailable)
        assert "locked" in str(opened.store.trouble)
        with pytest.raises(StoreUnavailable):
            await opened.store.transaction(lambda tx: tx.append(draft()))
        assert await opened.store.read(reading.head) == 1
        other.execute("ROLLBACK")
    while opened.store.trouble:
        await asyncio.sleep(0.02)
    assert (await opened.add(draft())).position == 2


async def test_damaged_database_refuses_and_does_not_end_the_writer(open_store: OpenStore, database: Path) -> None:
    first = await open_store()
    await first.add(draft())
    await first.store.close()
    with closing(sqlite3.connect(database)) as other:
        ((page,),) = other.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_events_lane_seq'")
    with database.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    opened = await open_store()
    for _ in range(3):
        assert isinstance(await opened.append(draft()), StoreUnavailable)
    assert opened.store.trouble
