"""`make faults`: every fault of `plagues.py`, again and again, with new dice each time. No part of `make test`: it takes an hour.

FAULT_ROUNDS says how often (10), FAULT_SEED which dice (new ones).
"""

import os
import random
import secrets
from pathlib import Path

import pytest

from tests.faults.test_cluster import torment


@pytest.mark.timeout(0)
async def test_nothing_is_wrong_after_every_fault(tmp_path: Path) -> None:
    seed = int(os.environ.get("FAULT_SEED") or secrets.randbelow(2**31))
    print(f"FAULT_SEED={seed}")
    dice = random.Random(seed)
    total: dict[str, int] = {}
    for turn in range(int(os.environ.get("FAULT_ROUNDS", "10"))):
        for name, count in (await torment(tmp_path / str(turn), dice.randrange(2**31), 0)).items():
            total[name] = total.get(name, 0) + count
        print(f"{turn + 1} times every fault: {total}", flush=True)
