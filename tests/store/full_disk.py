"""A store whose disk gets full: python -m tests.store.full_disk DATABASE

The limit is that of the process for the size of files, so that it works for everybody. A step that fails ends the program with a
traceback.
"""

import asyncio
import os
import resource
import sys
from pathlib import Path

from hongyan.core.errors import StoreUnavailable
from hongyan.store import Appended, Transaction, reading
from hongyan.store.sqlite import SqliteStore
from hongyan.store.sqlite_writer import Writer
from tests.store.build import Opened, assert_whole, draft

BIG = b'{"type":"text","text":"' + b"x" * 20_000 + b'"}'


def room_for_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def wrote_something(tx: Transaction) -> Appended:
    tx.connection.exec_driver_sql("CREATE TABLE filling AS SELECT randomblob(300000) AS bytes")
    return tx.append(draft("inside", "inside"))


async def fill(opened: Opened, name: str) -> int:
    """Append until the store cannot, and return how many were stored."""
    stored = 0
    while True:
        answers = await opened.answers(draft(f"room{number}", f"{name}-{stored}-{number}", content=BIG) for number in range(8))
        stored += sum(isinstance(answer, Appended) for answer in answers)
        if refused := [answer for answer in answers if not isinstance(answer, Appended)]:
            assert all(isinstance(answer, StoreUnavailable) and answer.retry_after for answer in refused), refused
            assert len({type(answer) for answer in answers}) == 1, "a part of one commit was stored"
            return stored


async def until(condition: str, opened: Opened) -> None:
    async with asyncio.timeout(30):
        while bool(opened.store.trouble) != (condition == "trouble"):
            await asyncio.sleep(0.02)


def watch_probes() -> list[None]:
    probed: list[None] = []
    plain = Writer._probe

    def watched(writer: Writer) -> None:
        plain(writer)
        probed.append(None)

    Writer._probe = watched  # type: ignore[method-assign]
    return probed


async def main(database: Path) -> None:
    probed = watch_probes()
    opened = Opened(SqliteStore(database, queue=1_000, readers=1, checkpoint_pages=20))
    await opened.store.start(opened.heard.append)
    assert opened.store.trouble is None
    stored = 0
    for turn in range(3):
        largest = max(path.stat().st_size for path in database.parent.iterdir())
        room_for_files(largest + 300_000)
        stored += await fill(opened, f"turn{turn}")
        assert opened.store.trouble
        for _ in range(3):  # it goes on refusing, and answers each
            assert isinstance(await opened.append(draft(content=BIG * 40)), StoreUnavailable)
            try:
                await opened.store.transaction(wrote_something)
            except StoreUnavailable:
                pass
            else:
                raise AssertionError("a transaction was stored on a full disk")
        before = len(probed)
        while turn == 0 and len(probed) < before + 2:
            await asyncio.sleep(0.02)
        assert opened.store.trouble, "there is no room yet"
        assert await opened.store.read(reading.head) == stored, "reading goes on"
        assert_whole(await opened.log())
        room_for_files(resource.RLIM_INFINITY)
        if turn == 1:
            assert (await opened.add(draft("room0", f"again{turn}"))).position == stored + 1  # with traffic: at once
            stored += 1
            assert opened.store.trouble is None
        else:
            await until("no trouble", opened)  # and without
    assert (await opened.store.transaction(wrote_something)).position == stored + 1
    log = await opened.log()
    assert_whole(log)
    assert [event for batch in opened.batches for event in batch.events] == log
    epoch = opened.store.epoch
    await opened.store.close()
    again = Opened(SqliteStore(database, queue=1_000, readers=1, checkpoint_pages=20))
    await again.store.start(opened.heard.append)
    assert again.store.epoch == epoch
    assert await again.log() == log
    await again.store.close()
    os.write(1, f"stored {len(log)}\n".encode("ascii"))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
