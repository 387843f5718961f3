"""The book-keeping of the load generator: nothing lost or doubled escapes it."""

import random

import pytest

from hongyan.bench.ledger import Ledger, Sent, Verdict, audit


def ledger_of(*arrivals: tuple[int, int], members: int = 2) -> Ledger:
    ledger = Ledger(members)
    for sender, n in arrivals:
        ledger.arrived(sender, n)
    return ledger


def test_all_there_once_is_clean() -> None:
    ledger = ledger_of((0, 0), (1, 0), (0, 1), (0, 2))
    assert audit(ledger, [Sent(3), Sent(1)]) == Verdict()


def test_missing_message_is_lost() -> None:
    assert audit(ledger_of((0, 0), (0, 2)), [Sent(3), Sent(0)]) == Verdict(lost=1)


def test_missing_last_message_is_lost() -> None:
    assert audit(ledger_of((0, 0)), [Sent(3), Sent(0)]) == Verdict(lost=2)


@pytest.mark.parametrize("again", [(0, 0), (0, 1), (0, 3)])
def test_second_copy_is_doubled_whether_in_order_or_early(again: tuple[int, int]) -> None:
    ledger = ledger_of((0, 0), (0, 1), (0, 3), again, (0, 2))
    assert audit(ledger, [Sent(4), Sent(0)]) == Verdict(doubled=1)


def test_first_copy_is_fresh_and_second_is_not() -> None:
    ledger = Ledger(1)
    assert [ledger.arrived(0, n) for n in (1, 1, 0, 0)] == [True, False, True, False]


def test_unanswered_message_may_be_there_or_not() -> None:
    sent = Sent(3, open=frozenset({1, 2}))
    assert audit(ledger_of((0, 0), (0, 2)), [sent, Sent(0)]) == Verdict()


def test_refused_message_must_not_be_there() -> None:
    sent = Sent(2, refused=frozenset({1}))
    assert audit(ledger_of((0, 0)), [sent, Sent(0)]) == Verdict()
    assert audit(ledger_of((0, 0), (0, 1)), [sent, Sent(0)]) == Verdict(ghosts=1)


def test_message_nobody_sent_is_a_ghost() -> None:
    assert audit(ledger_of((0, 0), (0, 1), (1, 5)), [Sent(1), Sent(0)]).ghosts == 2


def test_any_order_with_any_faults_is_counted_exactly() -> None:
    chance = random.Random(7)
    for _ in range(200):
        count = chance.randrange(1, 60)
        numbers = range(count)
        lost = set(chance.sample(numbers, chance.randrange(0, count)))
        there = [n for n in numbers if n not in lost]
        doubles = [n for n in there if chance.random() < 0.2]
        arrivals = there + doubles
        chance.shuffle(arrivals)
        assert audit(ledger_of(*((0, n) for n in arrivals)), [Sent(count), Sent(0)]) == Verdict(len(lost), len(doubles))
