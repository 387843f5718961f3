import pytest

from hongyan.core.errors import RateLimited
from hongyan.gateways.door.rates import Rates


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def allowed(rates: Rates, key: str, tries: int = 1_000) -> int:
    for done in range(tries):
        try:
            rates.spend(key)
        except RateLimited:
            return done
    return tries


def test_burst_then_the_rate_and_each_key_for_itself() -> None:
    clock = Clock()
    rates = Rates(10.0, 5, clock=clock)
    assert allowed(rates, "bob") == 5
    assert allowed(rates, "alice") == 5
    clock.now += 0.3
    assert allowed(rates, "bob") == 3
    clock.now += 1_000
    assert allowed(rates, "bob") == 5


def test_refusal_says_when_the_same_succeeds() -> None:
    clock = Clock()
    rates = Rates(2.0, 1, clock=clock)
    rates.spend("bob")
    with pytest.raises(RateLimited) as caught:
        rates.spend("bob")
    assert caught.value.retry_after == pytest.approx(0.5)
    clock.now += 0.5
    rates.spend("bob")


def test_refused_requests_do_not_make_the_wait_longer() -> None:
    clock = Clock()
    rates = Rates(1.0, 1, clock=clock)
    rates.spend("bob")
    for _ in range(100):
        with pytest.raises(RateLimited):
            rates.spend("bob")
    clock.now += 1.0
    rates.spend("bob")


def test_memory_is_bounded_and_gives_up_what_is_full_again() -> None:
    clock = Clock()
    rates = Rates(1.0, 10, clock=clock, most=100)
    for number in range(1_000):
        rates.spend(f"192.0.2.{number}")
    assert len(rates) <= 100
    clock.now += 11
    rates.spend("somebody")
    assert len(rates) == 1
