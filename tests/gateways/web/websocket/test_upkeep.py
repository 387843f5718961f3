"""What happens by the clock, with a clock that the test turns."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from hongyan.core.errors import HongyanError
from hongyan.gateways.web.websocket.output import Frames
from hongyan.gateways.web.websocket.upkeep import Pace, Upkeep
from hongyan.messaging import Verdict


class Clock:
    """As much of a loop as the upkeep uses."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        self._due.append((self.now + delay, call))
        return None  # type: ignore[return-value]

    def turn(self, seconds: float) -> None:
        until = self.now + seconds
        while self._due and (first := min(self._due, key=lambda item: item[0]))[0] <= until:
            self._due.remove(first)
            self.now = first[0]
            first[1]()
        self.now = until


class Peer:
    site = "192.0.2.1"

    def __init__(self) -> None:
        self.visits = 0
        self.taken: Any = 0
        self.ends: list[str] = []

    def visit(self, frames: Frames) -> None:
        self.visits += 1

    def progress(self) -> object:
        return self.taken

    def stuck(self) -> None:
        self.ends.append("stuck")

    def drop(self) -> None:
        self.ends.append("dropped")

    def late(self) -> None:
        self.ends.append("late")

    def refuse(self, ref: int | None, error: HongyanError, verdict: Verdict) -> None:
        self.ends.append("refused")


def begin(**pace: float) -> tuple[Clock, Upkeep]:
    clock = Clock()
    upkeep = Upkeep(Pace(**pace), clock)  # type: ignore[arg-type]
    upkeep.start()
    return clock, upkeep


def test_each_connection_is_visited_every_25_seconds_whenever_it_began() -> None:
    clock, upkeep = begin()
    peers = [Peer() for _ in range(50)]
    for peer in peers:
        upkeep.add(peer)
        clock.turn(0.7)
    clock.turn(100 - clock.now)
    before = [peer.visits for peer in peers]
    clock.turn(250)
    assert [peer.visits - count for peer, count in zip(peers, before, strict=True)] == [10] * 50


def test_who_has_left_is_not_visited() -> None:
    clock, upkeep = begin()
    peer = Peer()
    slot = upkeep.add(peer)
    clock.turn(30)
    assert peer.visits == 1
    upkeep.remove(peer, slot)
    clock.turn(100)
    assert peer.visits == 1


def test_a_full_connection_that_takes_nothing_is_stuck_after_the_time_and_not_before() -> None:
    clock, upkeep = begin(drain=20)
    peer = Peer()
    upkeep.full(peer)
    clock.turn(15)
    peer.taken = 1
    clock.turn(19)
    assert peer.ends == []
    clock.turn(3)
    assert peer.ends == ["stuck"]
    clock.turn(100)
    assert peer.ends == ["stuck"]


def test_a_connection_that_drained_is_not_stuck() -> None:
    clock, upkeep = begin(drain=20)
    peer = Peer()
    upkeep.full(peer)
    clock.turn(10)
    upkeep.not_full(peer)
    clock.turn(100)
    assert peer.ends == []


def test_a_closing_that_nobody_answers_is_cut_after_the_grace() -> None:
    clock, upkeep = begin(grace=2)
    peer, answered = Peer(), Peer()
    upkeep.closing(peer)
    upkeep.closing(answered)
    clock.turn(1)
    upkeep.closing(peer)  # said twice, it does not wait longer
    upkeep.closed(answered)
    clock.turn(1.5)
    assert peer.ends[0] == "dropped"
    assert answered.ends == []
    upkeep.closed(peer)
    dropped = len(peer.ends)
    clock.turn(10)
    assert len(peer.ends) == dropped


def test_who_does_not_log_in_is_late() -> None:
    clock, upkeep = begin(login=10)
    peer, other = Peer(), Peer()
    upkeep.wait(peer)
    clock.turn(5)
    upkeep.wait(other)
    assert upkeep.waiting == [peer, other]
    clock.turn(4)
    upkeep.arrived(other)
    assert peer.ends == []
    clock.turn(2)
    assert peer.ends[0] == "late"
    assert other.ends == []
    upkeep.arrived(peer)
    assert upkeep.waiting_count == 0


def test_one_that_fails_does_not_keep_the_others_from_being_visited(caplog: pytest.LogCaptureFixture) -> None:
    clock, upkeep = begin()
    bad, good = Peer(), Peer()

    def fail(frames: Frames) -> None:
        raise RuntimeError("broken")

    bad.visit = fail  # type: ignore[method-assign]
    upkeep.add(bad)
    upkeep.add(good)
    clock.turn(60)
    assert good.visits == 2
    assert "upkeep of a connection failed" in caplog.text


async def test_waiting_for_the_last_closing_has_an_end() -> None:
    loop = asyncio.get_running_loop()
    upkeep = Upkeep(Pace(), loop)
    await upkeep.all_closed(loop.time() + 5)
    peer = Peer()
    upkeep.closing(peer)
    waiting = asyncio.create_task(upkeep.all_closed(loop.time() + 60))
    await asyncio.sleep(0)
    assert not waiting.done()
    upkeep.closed(peer)
    await waiting
    upkeep.closing(peer)
    await upkeep.all_closed(loop.time() + 0.01)
