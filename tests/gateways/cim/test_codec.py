"""Frames, against an encoder of the tests' own."""

import random

import pytest

from hongyan.gateways.cim.codec import BadFrame, Decoder, Frame, encode, framed, message
from tests.gateways.cim import client
from tests.gateways.cim.client import Message, frame, number_field, text_field, varint

LOGIN = Message("zhangsan", 10001, client.LOGIN)
EVERYTHING = Message("你好", -1, client.OFFLINE, {"sendUserId": "7", "空": ""}, ("一", "", "three"))


def fed(data: bytes, most: int = 65_536) -> list[Frame]:
    return list(Decoder(most).feed(data))


def test_login_frame_is_read() -> None:
    assert fed(frame(LOGIN)) == [Frame("login", 10001, "zhangsan")]


def test_every_field_is_read() -> None:
    (found,) = fed(frame(EVERYTHING))
    assert (found.command, found.id, found.text) == ("offline", -1, "你好")
    assert (found.properties, found.batch) == (EVERYTHING.properties, EVERYTHING.batch)


def test_what_is_written_is_what_the_wire_says() -> None:
    written = encode(Frame("offline", -1, "你好", EVERYTHING.properties, EVERYTHING.batch))
    (found,), rest = client.frames(written)
    assert rest == b""
    assert found._replace(id=-1) == EVERYTHING
    assert found.id == 2**64 - 1


def test_parts_of_a_message_make_one_frame() -> None:
    own = message(Frame("message", 10002, properties={"receiveUserId": "10002"}))
    shared = message(Frame("message", text="在吗", properties={"sendUserId": "10001"}))
    (found,), _ = client.frames(framed(shared, own))
    assert found == Message("在吗", 10002, client.MESSAGE, {"sendUserId": "10001", "receiveUserId": "10002"})


@pytest.mark.parametrize("seed", range(20))
def test_pieces_do_not_matter(seed: int) -> None:
    dice = random.Random(seed)
    data = b"".join(frame(Message("x" * dice.randint(0, 300), number, client.PING)) for number in range(1, 30))
    decoder, found, at = Decoder(65_536), list[int](), 0
    while at < len(data):
        size = 1 if seed == 0 else dice.randint(1, 40)
        found += [one.id for one in decoder.feed(data[at : at + size])]
        at += size
    assert found == list(range(1, 30))
    assert decoder.waiting == 0


def test_unknown_fields_are_ignored() -> None:
    data = client.encoded(LOGIN) + number_field(9, 5) + text_field(77, "neu") + bytes([15 << 3 | 5]) + b"1234"
    assert fed(client.framed(data)) == [Frame("login", 10001, "zhangsan")]


def test_empty_message_is_a_login_of_nobody() -> None:
    assert fed(b"\0") == [Frame("login")]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (varint(1025), "longer"),
        (varint(2**31 - 1), "longer"),
        (varint(2**31), "negative"),
        (varint(2**32 - 1), "negative"),
        (varint(-1), "does not end"),
        (b"\x80\x80\x80\x80\x80", "does not end"),
        (b"\xff" * 9 + b"\x01", "does not end"),
        (client.framed(number_field(3, 4)), "no command 4"),
        (client.framed(number_field(3, -1)), "no command -1"),
        (client.framed(b"\x0a\xff\x01x"), "no message"),
        (client.framed(text_field(1, b"\xff\xfe")), "no message"),
        (client.framed(b"\x0b"), "no message"),
    ],
)
def test_what_cannot_be_a_frame_is_refused_behind_the_last_good_one(data: bytes, why: str) -> None:
    decoder = Decoder(1024)
    found: list[Frame] = []
    with pytest.raises(BadFrame, match=why):
        found.extend(decoder.feed(frame(LOGIN) + data))
    assert found == [Frame("login", 10001, "zhangsan")]


@pytest.mark.parametrize("data", [b"\x80", b"\x80\x80\x80\x80", varint(1024), varint(4) + b"\x0a\x02h"])
def test_what_is_not_whole_waits(data: bytes) -> None:
    decoder = Decoder(1024)
    assert list(decoder.feed(data)) == []
    assert decoder.waiting == len(data)


def test_largest_frame_is_taken() -> None:
    text = "x" * (1024 - 3)
    data = frame(Message(text))
    assert [one.text for one in fed(data, 1024)] == [text]
    with pytest.raises(BadFrame):
        fed(data, 1023)
