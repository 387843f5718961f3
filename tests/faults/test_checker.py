"""The checker finds nothing in a good history, and every fault that is put into one, under its name."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults import seeded_answers, seeded_delivery, seeded_log
from tests.faults.checker import check
from tests.faults.history import History
from tests.faults.invented import Invented
from tests.faults.violations import Kind, Violation, report

SEEDED = seeded_log.SEEDS.named | seeded_answers.SEEDS.named | seeded_delivery.SEEDS.named
PLACES = 12
"""Good histories into which each fault is put."""


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_good_history_has_no_violation(seed: int, limited: bool) -> None:
    violations = check(Invented(seed, limited=limited).run(), limited_allowed=limited)
    assert not violations, report(violations)


@pytest.mark.parametrize("fault", SEEDED)
def test_fault_is_found_and_named(fault: str) -> None:
    seed = SEEDED[fault]
    found = 0
    for number in range(60):
        history, dice = Invented(number).run(), random.Random(number)
        records = seed.change(history.records, dice)
        if records is None:
            continue
        violations = check(History(records))
        kinds = {violation.kind for violation in violations}
        assert seed.kind in kinds, f"seed {number}: {report(violations) or 'nothing was found'}"
        assert kinds <= {seed.kind} | seed.also, f"seed {number}: {report(violations)}"
        found += 1
        if found == PLACES:
            return
    raise AssertionError(f"only {found} histories had a place for it")


def test_there_is_a_fault_for_every_kind() -> None:
    assert {seed.kind for seed in SEEDED.values()} == set(Kind)


def test_history_written_and_read_is_the_same(tmp_path: Path) -> None:
    history = Invented(8440, limited=True).run()
    history.write(tmp_path / "history.jsonl")
    again = History.read(tmp_path / "history.jsonl")
    assert again.records == history.records
    assert again.figures() == history.figures()


def test_report_counts_each_kind_and_shows_the_first_few() -> None:
    violations = [Violation(Kind.LOST, f"m{number} of p1") for number in range(3)] + [Violation(Kind.GHOST, "m4")]
    assert report(violations, each=2) == "3 x lost\n1 x ghost\nlost: m0 of p1\nlost: m1 of p1\nghost: m4"
