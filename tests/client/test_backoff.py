"""Waits between tries: jitter over the whole interval, a bound, and what the server asked for."""

from hypothesis import given
from hypothesis import strategies as st

from hongyan.client.backoff import Backoff

DRAWS = st.floats(0.0, 1.0, exclude_max=True)


def test_bound_doubles_up_to_the_most() -> None:
    backoff = Backoff(first=0.5, most=4.0, draw=lambda: 1.0)
    assert [backoff.next() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]


def test_jitter_spreads_over_the_whole_interval() -> None:
    draws = iter([0.0, 0.25, 0.99])
    backoff = Backoff(first=1.0, draw=lambda: next(draws))
    assert [backoff.next(), backoff.next(), backoff.next()] == [0.0, 0.5, 3.96]


def test_success_begins_again_at_the_first() -> None:
    backoff = Backoff(first=0.5, draw=lambda: 1.0)
    for _ in range(10):
        backoff.next()
    backoff.reset()
    assert backoff.next() == 0.5


@given(st.floats(0.0, 3600.0), st.lists(DRAWS, min_size=1, max_size=80))
def test_never_sooner_than_the_server_asked_and_not_much_later(asked: float, draws: list[float]) -> None:
    given_draws = iter(draws)
    backoff = Backoff(draw=lambda: next(given_draws))
    for _ in draws:
        assert asked <= backoff.next(asked) <= asked + max(asked, 0.5)


def test_crowd_that_was_told_the_same_does_not_return_together() -> None:
    waits = {Backoff(draw=lambda at=at: at / 100).next(1.0) for at in range(100)}
    assert max(waits) - min(waits) > 0.4


@given(st.lists(DRAWS, min_size=1, max_size=2000))
def test_never_beyond_the_most(draws: list[float]) -> None:
    given_draws = iter(draws)
    backoff = Backoff(draw=lambda: next(given_draws))
    assert all(0.0 <= backoff.next() <= 30.0 for _ in draws)
