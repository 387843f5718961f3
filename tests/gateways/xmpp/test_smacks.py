import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.gateways.xmpp.faults import StreamFault
from hongyan.gateways.xmpp.smacks import Handled, Ledger


@given(st.permutations(range(1, 13)))
def test_only_what_is_done_without_a_gap_counts(order: list[int]) -> None:
    handled = Handled()
    for _ in order:
        handled.begin()
    done: set[int] = set()
    for number in order:
        handled.done(number)
        done.add(number)
        gap = min(set(range(1, 14)) - done)
        assert (handled.count, handled.under_way) == (gap - 1, 12 - (gap - 1))


def test_what_came_before_it_was_enabled_does_not_count() -> None:
    handled = Handled()
    one, two = handled.begin(), handled.begin()
    handled.restart()
    three = handled.begin()
    handled.done(three)
    handled.done(one)
    assert handled.count == 0
    handled.done(two)
    assert handled.count == 1


def test_what_is_not_acknowledged_is_kept_in_order() -> None:
    ledger = Ledger("a", True)
    for number in range(5):
        ledger.wrote(str(number))
    ledger.acknowledged(2)
    assert ledger.waiting == ["2", "3", "4"]
    ledger.acknowledged(2)
    assert ledger.waiting == ["2", "3", "4"]
    assert ledger.could_be(5)
    assert not ledger.could_be(6)
    assert not ledger.could_be(1)
    with pytest.raises(StreamFault):
        ledger.acknowledged(6)
    ledger.acknowledged(5)
    assert ledger.waiting == []


def test_too_much_that_is_not_acknowledged_is_lost() -> None:
    ledger = Ledger("a", True)
    for number in range(2_000):
        ledger.wrote(str(number))
    assert ledger.full
    assert not ledger.lost
    ledger.wrote("one more")
    assert ledger.lost
