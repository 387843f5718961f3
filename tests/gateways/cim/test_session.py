"""Plays with the state machine: bytes and time go in, what is to be done comes out."""

from typing import Self

import pytest

from hongyan.gateways.cim.session import PONG, Close, Effect, LogIn, Session, Write
from tests.gateways.cim import client
from tests.gateways.cim.client import Message, frame

LOGIN = frame(Message("zhangsan", 10001, client.LOGIN))
PING = frame(Message("ping", 10001, client.PING))


class Play:
    """`play << bytes` and `play @ seconds` go in, `play >> effects` is what came out since."""

    def __init__(self) -> None:
        self.session = Session(0.0, frame_bytes=65_536, idle_seconds=30, login_seconds=10)
        self.now = 0.0
        self._out: list[Effect] = []

    def __lshift__(self, data: bytes) -> Self:
        self._out += self.session.received(data, self.now)
        return self

    def __matmul__(self, now: float) -> Self:
        self.now = now
        self._out += self.session.tick(now)
        return self

    def __rshift__(self, wanted: Effect | type[Effect] | None) -> Self:
        if wanted is None:
            assert self._out == []
        elif isinstance(wanted, type):
            assert isinstance(self._out.pop(0), wanted)
        else:
            assert self._out.pop(0) == wanted
        return self

    def admit(self) -> Self:
        self._out += self.session.admitted(self.now)
        return self

    @property
    def closed_for(self) -> str:
        last = self._out.pop()
        assert isinstance(last, Close)
        assert self._out == []
        return last.reason


@pytest.fixture
def play() -> Play:
    return Play()


@pytest.fixture
def inside(play: Play) -> Play:
    return (play << LOGIN >> LogIn).admit()


def test_log_in_then_ping(play: Play) -> None:
    play << LOGIN >> LogIn(10001, "zhangsan") >> None
    play.admit() >> None
    play << PING >> Write(PONG) >> None


def test_pong_is_what_the_java_server_answers() -> None:
    assert client.frames(PONG) == ([Message("pong", 0, client.PING)], b"")


def test_ping_before_the_log_in_is_decided_is_answered_after_it(play: Play) -> None:
    play << LOGIN + PING + PING >> LogIn >> None
    play.admit() >> Write(PONG * 2) >> None


@pytest.mark.parametrize("command", [client.PING, client.MESSAGE, client.OFFLINE])
def test_stranger_may_only_log_in(play: Play, command: int) -> None:
    play << frame(Message("x", 1, command)) + LOGIN
    assert play.closed_for == "protocol"
    play << LOGIN >> None


def test_stranger_has_ten_seconds(play: Play) -> None:
    play @ 9.9 << LOGIN[:5] >> None
    play @ 10
    assert play.closed_for == "late"
    play << LOGIN[5:] >> None
    play @ 100 >> None


def test_log_in_that_is_not_decided_in_time_is_late_too(play: Play) -> None:
    play << LOGIN >> LogIn
    play @ 10
    assert play.closed_for == "late"
    play.admit() >> None


def test_stranger_has_4_kib(play: Play) -> None:
    play << client.varint(4_000) + b"x" * 3_000 >> None
    play << b"x" * 1_100
    assert play.closed_for == "protocol"


def test_length_that_a_stranger_may_not_fill_is_refused_at_once(play: Play) -> None:
    play << client.varint(4_097)
    assert play.closed_for == "protocol"


def test_stranger_may_not_send_much_behind_the_log_in(play: Play) -> None:
    play << LOGIN + PING * 1000
    assert play.closed_for == "protocol"


def test_long_name_is_refused(play: Play) -> None:
    play << frame(Message("x" * 513, 1, client.LOGIN))
    assert play.closed_for == "protocol"


def test_silence_for_30_seconds_ends_it_and_any_byte_counts(inside: Play) -> None:
    inside @ 29 << PING[:1] >> None
    inside @ 58 >> None
    inside @ 59
    assert inside.closed_for == "idle"


def test_message_over_tcp_goes_nowhere(inside: Play) -> None:
    inside << frame(Message("hi", 10001, client.MESSAGE)) + frame(Message("", 1, client.OFFLINE)) >> None
    inside << PING >> Write(PONG) >> None


def test_the_same_log_in_again_changes_nothing_and_another_ends_it(inside: Play) -> None:
    inside << LOGIN >> None
    inside << frame(Message("li", 10002, client.LOGIN))
    assert inside.closed_for == "protocol"


def test_what_comes_before_a_fault_is_answered(inside: Play) -> None:
    inside << PING + client.framed(client.number_field(3, 9)) + PING >> Write(PONG)
    assert inside.closed_for == "protocol"
    inside << PING >> None


def test_frame_of_64_kib_is_taken_after_the_log_in_and_no_larger(inside: Play) -> None:
    inside << frame(Message("x" * 60_000, 1, client.MESSAGE)) >> None
    inside << client.varint(65_537)
    assert inside.closed_for == "protocol"
