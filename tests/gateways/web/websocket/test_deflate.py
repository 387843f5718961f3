"""permessage-deflate: what is agreed on, and that messages stand by themselves."""

import contextlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.core.errors import Invalid, TooLarge
from hongyan.gateways.web.websocket.deflate import Deflater, inflate, negotiate

BOTH = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


@pytest.mark.parametrize(
    ("offers", "answer"),
    [
        (["permessage-deflate"], BOTH),
        (["permessage-deflate; client_max_window_bits"], BOTH),
        (["permessage-deflate; client_max_window_bits=12; server_max_window_bits=12"], BOTH + "; server_max_window_bits=12"),
        (['permessage-deflate; server_max_window_bits="9"'], BOTH + "; server_max_window_bits=9"),
        (["permessage-deflate; server_no_context_takeover; client_no_context_takeover"], BOTH),
        (["x-webkit-deflate-frame, permessage-deflate"], BOTH),
        (["permessage-deflate; server_max_window_bits=8, permessage-deflate"], BOTH),
        (["permessage-bzip2", " permessage-deflate ; client_max_window_bits = 15 "], BOTH),
    ],
)
def test_the_first_offer_that_can_be_kept_is_accepted(offers: list[str], answer: str) -> None:
    agreement = negotiate(offers)
    assert agreement is not None
    assert agreement.answer == answer


@pytest.mark.parametrize(
    "offer",
    [
        "",
        "permessage-bzip2",
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=08",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; shiny",
        "permessage-deflate; client_max_window_bits; client_max_window_bits",
        "permessage-deflate; =",
    ],
)
def test_an_offer_that_cannot_be_kept_is_declined(offer: str) -> None:
    assert negotiate([offer]) is None


@given(st.lists(st.binary(max_size=2_000), min_size=1, max_size=5), st.integers(9, 15))
def test_each_message_inflates_by_itself_in_a_window_of_the_agreed_size(messages: list[bytes], bits: int) -> None:
    deflater = Deflater(bits)
    for message in messages:
        packed = deflater.deflate(message)
        assert inflate(packed, len(message)) == message
        assert zlib.decompressobj(-bits).decompress(packed + b"\0\0\xff\xff") == message


def test_a_repeated_message_gives_the_same_bytes_for_every_receiver() -> None:
    deflater = Deflater(15)
    assert deflater.deflate(b"hello" * 100) == deflater.deflate(b"hello" * 100)


def test_a_bomb_is_stopped_while_it_grows() -> None:
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packed.compress(b"\0" * 200_000_000) + packed.flush(zlib.Z_SYNC_FLUSH)
    assert len(bomb) < 262_144
    with pytest.raises(TooLarge):
        inflate(bomb[:-4], 262_144)


def test_a_final_block_is_accepted() -> None:
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    assert inflate(packed.compress(b"hello") + packed.flush() + b"\0", 100) == b"hello"


@given(st.binary(max_size=200))
def test_arbitrary_bytes_inflate_within_the_limit_or_are_refused(data: bytes) -> None:
    with contextlib.suppress(Invalid, TooLarge):
        assert len(inflate(data, 1_000)) <= 1_000


@pytest.mark.parametrize("behind", [b"x", b"hello", b"\0\0x"])
def test_what_stands_behind_the_final_block_is_refused(behind: bytes) -> None:
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    with pytest.raises(Invalid):
        inflate(packed.compress(b"hello") + packed.flush() + behind, 100)
