"""Acknowledged means durable: a process that writes is killed at random moments, and everything it was told is in the log."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from hongyan.store.sqlite import SqliteStore
from tests.store.build import Opened, assert_whole, draft

TURNS = 8


def killed_under_load(database: Path, name: str, acknowledgements: int) -> list[tuple[str, int]]:
    """Run an appender, kill it after about so many acknowledgements, and return what it was told."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.store.appender", str(database), name, "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        lines = [process.stdout.readline() for _ in range(acknowledgements)]
        process.kill()
        lines += process.stdout.readlines()
    told = [line.split() for line in lines if line.endswith("\n")]
    return [(client_id, int(position)) for client_id, position in told]


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_killed_process_loses_nothing_that_was_acknowledged(database: Path) -> None:
    dice = random.Random()
    told: dict[str, int] = {}
    for turn in range(TURNS):
        told |= killed_under_load(database, f"writer{turn}", dice.randrange(1, 4_000))
        opened = Opened(SqliteStore(database, queue=1_000, readers=1, checkpoint_pages=1_000))
        await opened.store.start(lambda batch: None)
        log = await opened.log()
        assert_whole(log)
        places = {event.client_id: event.position for event in log}
        assert {client_id: places.get(client_id) for client_id in told} == told
        assert len(places) == len(log), "a client id was stored twice"
        assert (await opened.add(draft(client_id=f"after {turn}"))).position == len(log) + 1
        await opened.store.close()
    assert len(told) > TURNS
