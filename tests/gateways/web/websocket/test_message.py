"""Messages from frames, within bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.core.errors import Invalid, TooLarge
from hongyan.gateways.web.websocket.deflate import Deflater
from hongyan.gateways.web.websocket.message import Message, Violation

CONTINUATION, TEXT, BINARY = 0, 1, 2


def assembled(parts: list[bytes], *, compressed: bool = False, soft: int = 1_000, hard: int = 1_500) -> tuple[Message, bytes]:
    message = Message(soft, hard)
    for at, part in enumerate(parts):
        message.add(CONTINUATION if at else TEXT, compressed and not at, part)
    return message, message.whole()


@given(st.lists(st.binary(max_size=100), min_size=1, max_size=10))
def test_fragments_become_one_message(parts: list[bytes]) -> None:
    assert assembled(parts)[1] == b"".join(parts)


@given(st.binary(max_size=900), st.integers(0, 900))
def test_a_compressed_message_may_come_in_fragments(data: bytes, cut: int) -> None:
    packed = Deflater(15).deflate(data)
    assert assembled([packed[:cut], packed[cut:]], compressed=True)[1] == data


def test_a_message_above_the_limit_is_refused_when_it_is_whole() -> None:
    message, data = assembled([b"x" * 600, b"x" * 600])
    with pytest.raises(TooLarge, match="1000"):
        message.check(TEXT, data)


def test_a_message_far_above_the_limit_ends_the_connection_before_it_is_whole() -> None:
    message = Message(1_000, 1_500)
    message.add(TEXT, False, b"x" * 1_500)
    with pytest.raises(Violation) as caught:
        message.add(CONTINUATION, False, b"x")
    assert caught.value.code == 1009


def test_what_inflates_above_the_limit_ends_the_connection() -> None:
    with pytest.raises(Violation) as caught:
        assembled([Deflater(15).deflate(b"0" * 1_001)], compressed=True)
    assert caught.value.code == 1009


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"\x07"])
def test_what_does_not_inflate_ends_the_connection(data: bytes) -> None:
    with pytest.raises(Violation) as caught:
        assembled([data], compressed=True)
    assert caught.value.code == 1007


@pytest.mark.parametrize(
    "frames",
    [
        [(CONTINUATION, False)],
        [(TEXT, False), (TEXT, False)],
        [(TEXT, False), (BINARY, False)],
        [(TEXT, True), (CONTINUATION, True)],
    ],
)
def test_frames_in_an_order_that_cannot_be_end_the_connection(frames: list[tuple[int, bool]]) -> None:
    message = Message(1_000, 1_500)
    for opcode, compressed in frames[:-1]:
        message.add(opcode, compressed, b"")
    with pytest.raises(Violation) as caught:
        message.add(*frames[-1], b"")
    assert caught.value.code == 1002


def test_the_other_kind_of_frame_is_refused() -> None:
    message, data = assembled([b"{}"])
    with pytest.raises(Invalid, match="binary frames"):
        message.check(BINARY, data)
