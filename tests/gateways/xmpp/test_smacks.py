from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.core.model import Caller
from hongyan.gateways.xmpp.binding import resumable
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.faults import StreamFault
from hongyan.gateways.xmpp.house import House
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.smacks import SM, Handled, Ledger


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


def test_what_was_written_is_asked_for_soon() -> None:
    ledger = Ledger("a", True)
    assert ledger.wrote("0")
    assert not any([ledger.wrote(str(number)) for number in range(1, 5)])  # one question at a time
    assert ledger.acknowledged(2)  # what came behind the question
    assert not ledger.wrote("5")
    assert not ledger.acknowledged(2)  # it has not come further: asking again at once would only go round
    assert ledger.wrote("6")
    assert not ledger.acknowledged(7)
    assert ledger.wrote("7")
    assert [number for number in range(8, 60) if ledger.wrote(str(number))] == [26, 46]  # who never answers is asked now and then


def test_too_much_that_is_not_acknowledged_is_lost() -> None:
    ledger = Ledger("a", True)
    for number in range(2_000):
        ledger.wrote(str(number))
    assert ledger.full
    assert not ledger.lost
    ledger.wrote("one more")
    assert ledger.lost


def a_resource() -> Resource:
    """Of a client that may resume."""
    resource = Resource(cast(House, SimpleNamespace()), Jid("bob", "test", "desk"), Caller("bob", "Bob", False, "token", "XMPP"))
    resource.ledger = Ledger("id", True)
    return resource


async def resumed(resource: Resource) -> bool:
    house = SimpleNamespace(resumable=lambda id, user: resource)
    proven = SimpleNamespace(user="bob")
    return await resumable(cast(House, house), cast(Any, proven), Element(f"{SM} resume", {"previd": "id", "h": "0"})) is not None


async def test_who_may_go_on() -> None:
    resource = a_resource()
    assert await resumed(resource)
    resource.ledger_off()  # the client has said good-bye
    assert not await resumed(resource)
    lost = a_resource()
    assert lost.ledger is not None
    lost.ledger.lost = True
    assert not await resumed(lost)


async def test_who_is_still_being_served_cannot_go_on_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hongyan.gateways.xmpp.inbox._SETTLE_SECONDS", 0.01)
    resource = a_resource()
    resource.inbox.handled.begin()
    assert not await resumed(resource)
