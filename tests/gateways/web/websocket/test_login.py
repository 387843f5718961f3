"""Frames before log-in are read to the byte, and are small."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.gateways.web.websocket.login import ClientFrame, read_frame
from hongyan.gateways.web.websocket.message import Violation
from tests.gateways.web.port.plays import client_frame

CONTROL = (0x8, 0x9, 0xA)


@given(st.sampled_from([0, 1, 2]), st.binary(max_size=4_096), st.booleans(), st.binary(max_size=20))
def test_a_frame_is_read_and_what_is_behind_it_is_left(opcode: int, payload: bytes, final: bool, behind: bytes) -> None:
    data = client_frame(opcode, payload, final=final)
    assert read_frame(data + behind, False) == ClientFrame(opcode, final, False, payload, len(data))


@given(st.binary(max_size=300), st.data())
def test_a_frame_that_is_not_all_there_is_waited_for(payload: bytes, draw: st.DataObject) -> None:
    data = client_frame(1, payload)
    assert read_frame(data[: draw.draw(st.integers(0, len(data) - 1))], False) is None


@given(st.binary(max_size=30), st.booleans())
def test_arbitrary_bytes_are_a_frame_or_a_violation_or_not_enough(data: bytes, compresses: bool) -> None:
    with contextlib.suppress(Violation):
        frame = read_frame(data, compresses)
        assert frame is None or frame.size <= len(data)


@pytest.mark.parametrize("opcode", CONTROL)
def test_control_frames_are_read(opcode: int) -> None:
    frame = read_frame(client_frame(opcode, b"x" * 125), False)
    assert frame is not None
    assert frame.opcode == opcode


def test_the_bit_of_compression_is_for_those_who_agreed_on_it() -> None:
    data = client_frame(1, b"x", reserved=4)
    frame = read_frame(data, True)
    assert frame is not None
    assert frame.compressed
    with pytest.raises(Violation):
        read_frame(data, False)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (client_frame(1, b"x", masked=False), 1002),
        (client_frame(3, b"x"), 1002),
        (client_frame(11, b""), 1002),
        (client_frame(1, b"x", reserved=2), 1002),
        (client_frame(1, b"x", reserved=1), 1002),
        (client_frame(9, b"x" * 126), 1002),
        (client_frame(9, b"", final=False), 1002),
        (client_frame(1, b"x" * 4_097), 1009),
        (b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 1009),
    ],
)
def test_what_clients_may_not_send_is_a_violation_as_soon_as_it_shows(data: bytes, code: int) -> None:
    with pytest.raises(Violation) as caught:
        read_frame(data[:14], False)
    assert caught.value.code == code
