"""The promises, on three nodes that share a database and a bus, while everything is broken that can be.

This is a short round with the quick faults; all of them are in `every_fault.py`.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.checker import check
from tests.faults.ground import ground
from tests.faults.history import Fault
from tests.faults.nemesis import Deed, Nemesis
from tests.faults.violations import report
from tests.faults.workload import Workload

NAMES = ("ann", "bob", "cai", "dan", "eve", "fox")
SEED = 8440
_QUICK = ("node2 is killed", "the database is killed", "node1 is cut off from both", "nothing passes between node3 and the bus")

pytestmark = pytest.mark.slow


async def torment(path: Path, seed: int, rounds: int, wanted: Sequence[str] | None = None) -> dict[str, int]:
    """The figures of a run whose history is good."""
    path.mkdir(exist_ok=True)
    with ground(path) as here:
        deeds = [deed for deed in here.deeds if wanted is None or deed.name in wanted]
        if wanted is not None:
            assert len(deeds) == len(wanted), sorted(deed.name for deed in here.deeds)
            deeds = [Deed(deed.name, deed.begin, min(deed.shortest, 2.0), min(deed.longest, 3.0)) for deed in deeds]
        here.nodes[0].add(*NAMES)
        async with Workload([node.url for node in here.nodes], NAMES, seed=seed) as load:
            await load.acknowledged(100)
            await Nemesis(load.history, seed=seed, moment=load.moment).torment(deeds, rounds=rounds or len(deeds))
            await load.acknowledged(200)
            history = await load.drain(120.0)
        history.write(path / "history.jsonl")
        violations = check(history)
        assert not violations, f"seed {seed}:\n{report(violations)}"
        figures = history.figures()
        print(f"seed {seed}: {figures}; faults: {sorted(fault.name for fault in history.of(Fault))}")
        assert figures["acknowledged"] > 300
        assert figures["receipts"] > 1000
    return figures


@pytest.mark.timeout(300)
async def test_nothing_is_wrong_after_a_short_round(tmp_path: Path) -> None:
    await torment(tmp_path, SEED, 0, _QUICK)
