"""Down a rung when a transport does not get through, back up after a while, and where a failed climb ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.client.ladder import ORDER, Ladder
from hongyan.client.model import TransportName


def broken(ladder: Ladder, times: int, now: float = 0.0) -> None:
    for _ in range(times):
        ladder.broke(now)


def test_begins_at_the_best() -> None:
    assert Ladder().current == "websocket"


def test_one_failure_is_forgiven_two_go_down() -> None:
    ladder = Ladder()
    broken(ladder, 1)
    assert ladder.current == "websocket"
    broken(ladder, 1)
    assert ladder.current == "sse"


def test_goes_down_to_the_last_and_stays_there() -> None:
    ladder = Ladder()
    seen = []
    for _ in range(10):
        seen.append(ladder.current)
        ladder.broke(0.0)
    assert seen == ["websocket"] * 2 + ["sse"] * 2 + ["longpoll"] * 2 + ["poll"] * 4


def test_success_in_between_forgives() -> None:
    ladder = Ladder()
    for _ in range(5):
        broken(ladder, 1)
        ladder.worked()
    assert ladder.current == "websocket"


def test_climbs_after_a_minute() -> None:
    ladder = Ladder()
    assert ladder.climb_in(0.0) is None
    broken(ladder, 2, now=100.0)
    assert ladder.climb_in(100.0) == 60.0
    assert ladder.climb_in(130.0) == 30.0
    assert ladder.climb_in(500.0) == 0.0
    ladder.climb(160.0)
    assert ladder.current == "websocket"


def test_successful_climb_stays_up_and_forgets_the_past() -> None:
    ladder = Ladder()
    broken(ladder, 2, now=0.0)
    ladder.climb(60.0)
    ladder.worked()
    assert ladder.climb_in(61.0) is None
    broken(ladder, 1, now=70.0)
    assert ladder.current == "websocket"


def test_failed_climb_returns_over_the_rungs_between_and_waits_twice_as_long() -> None:
    ladder = Ladder()
    broken(ladder, 4, now=0.0)
    ladder.worked()
    assert ladder.current == "longpoll"
    waits = []
    time = 0.0
    for _ in range(6):
        wait = ladder.climb_in(time)
        assert wait is not None
        waits.append(wait)
        time += wait
        ladder.climb(time)
        assert ladder.current == "websocket"
        ladder.broke(time)
        assert ladder.current == "sse"
        ladder.broke(time)
        assert ladder.current == "longpoll"
    assert waits == [60.0, 120.0, 240.0, 480.0, 960.0, 960.0]


def test_climb_stays_on_a_better_rung_that_works_and_goes_on_from_there() -> None:
    ladder = Ladder()
    broken(ladder, 4, now=0.0)
    ladder.worked()
    ladder.climb(60.0)
    ladder.broke(61.0)
    ladder.worked()
    assert ladder.current == "sse"
    assert ladder.climb_in(61.0) == 59.0
    broken(ladder, 1, now=70.0)
    assert ladder.current == "sse", "from now on it is as good as any"


def test_forced_transport_neither_falls_nor_climbs() -> None:
    ladder = Ladder()
    ladder.force("longpoll")
    broken(ladder, 10)
    assert ladder.current == "longpoll"
    assert ladder.climb_in(1e6) is None
    ladder.climb(1e6)
    assert ladder.current == "longpoll"


def test_auto_again_begins_at_the_top() -> None:
    ladder = Ladder()
    broken(ladder, 6)
    ladder.force("sse")
    ladder.force(None)
    assert ladder.current == "websocket"
    assert ladder.climb_in(0.0) is None


@pytest.mark.parametrize("order", [("sse", "poll"), ("poll",)])
def test_other_orders(order: tuple[TransportName, ...]) -> None:
    ladder = Ladder(order)
    broken(ladder, 20)
    assert ladder.current == order[-1]


@given(st.lists(st.sampled_from(["worked", "broke", "climb", "wait"]), max_size=200))
def test_always_on_a_rung_and_below_the_top_there_is_a_way_up(steps: list[str]) -> None:
    ladder = Ladder()
    time = 0.0
    for step in steps:
        match step:
            case "worked":
                ladder.worked()
            case "broke":
                ladder.broke(time)
            case "climb":
                ladder.climb(time)
            case _:
                time += 17.0
        assert ladder.current in ORDER
        wait = ladder.climb_in(time)
        assert (wait is None) == (ladder.current == "websocket")
        assert wait is None or 0.0 <= wait <= 960.0
