"""The promises, on one node that is killed, stands still and is told another time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.faults.checker import check
from tests.faults.doors import ANSWER_SECONDS
from tests.faults.history import Attempt, Chunk, History, Unknown
from tests.faults.nemesis import Deed, Nemesis, frozen, jumped, killed
from tests.faults.violations import report
from tests.faults.watch import Watch
from tests.faults.workload import Workload
from tests.serving import Server

NAMES = ("ann", "bob", "cai", "dan", "eve", "fox")
SEED = 8440

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@asynccontextmanager
async def judged(server: Server, path: Path) -> AsyncIterator[tuple[Workload, Nemesis]]:
    """People who use the server; at the end their history is good, and not an empty one."""
    server.add(*NAMES)
    async with Workload([server.url], NAMES, seed=SEED) as load:
        try:
            await load.acknowledged(100)
            yield load, Nemesis(load.history, seed=SEED, moment=load.moment)
            await load.acknowledged(200)
            history = await load.drain()
        finally:
            load.history.write(path / "history.jsonl")
    violations = check(history)
    assert not violations, report(violations)
    figures = history.figures()
    print(figures)
    assert figures["acknowledged"] > 250
    assert figures["receipts"] > 1000
    assert figures["refused"]


def whys(history: History) -> set[str]:
    return {attempt.answer.why for attempt in history.of(Attempt) if isinstance(attempt.answer, Unknown)}


async def test_nothing_is_wrong_after_kills(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        async with judged(server, tmp_path) as (load, nemesis):
            await nemesis.torment([Deed("the node is killed", lambda: killed(server), longest=0.5)], rounds=2)
    assert whys(load.history)


async def test_nothing_is_wrong_after_it_stood_still(tmp_path: Path) -> None:
    """What was sent meanwhile is stored after its sender gave it up, and sent it again."""
    seconds = ANSWER_SECONDS + 1
    with Server(tmp_path / "data") as server:
        async with judged(server, tmp_path) as (load, nemesis):
            await nemesis.torment([Deed("the node stands still", lambda: frozen(server), seconds, seconds)], rounds=1)
    assert any("no answer within" in why or "ReadTimeout" in why for why in whys(load.history))


async def test_nothing_is_wrong_after_its_clock_jumped(tmp_path: Path) -> None:
    watch = Watch(tmp_path / "watch")
    with Server(tmp_path / "data", environment=watch.environment) as server:
        async with judged(server, tmp_path) as (load, nemesis):
            deeds = [Deed(f"the clock jumps {hour:+} s", partial(jumped, watch, hour)) for hour in (3600, -3600)]
            await nemesis.torment(deeds, rounds=4)
    times = [event.time for chunk in load.history.of(Chunk) for event in chunk.events]
    assert max(times) - min(times) > 2 * 3_600_000
