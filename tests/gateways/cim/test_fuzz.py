"""Bytes of strangers: whatever comes, in whatever pieces, becomes frames or one refusal, and keeps no more than a frame.

FUZZ_SECONDS says for how long; `make fuzz` takes two minutes.
"""

import os
from collections.abc import Iterator
from time import monotonic

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hongyan.gateways.cim.codec import BadFrame, Decoder, Frame
from hongyan.gateways.cim.session import Close, Session
from tests.gateways.cim import client
from tests.gateways.cutting import cut, cuts

SECONDS = float(os.environ.get("FUZZ_SECONDS", "4"))
MOST = 200

numbers = st.integers(-(2**63), 2**63 - 1)
texts = st.text(max_size=20)
messages = st.builds(
    client.Message, texts, numbers, st.integers(-1, 6), st.dictionaries(texts, texts, max_size=3), st.lists(texts, max_size=3)
)
lengths = st.one_of(st.integers(0, 2 * MOST), numbers).map(client.varint)
pieces = st.one_of(
    messages.map(client.frame),
    messages.map(client.frame).flatmap(lambda data: st.integers(0, len(data)).map(lambda cut: data[:cut])),
    st.tuples(messages.map(client.encoded), st.binary(max_size=8)).map(lambda both: client.framed(both[0] + both[1])),
    st.tuples(lengths, st.binary(max_size=30)).map(b"".join),
    st.binary(max_size=30),
)
streams = st.lists(pieces, max_size=8).map(b"".join)


def read(parts: Iterator[bytes]) -> tuple[list[Frame], bool]:
    """The frames, and whether there was a fault."""
    decoder, found = Decoder(MOST), list[Frame]()
    try:
        for part in parts:
            for one in decoder.feed(part):
                found.append(one)
            assert decoder.waiting <= MOST + 5
    except BadFrame:
        return found, True
    return found, False


quick = settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@quick
@given(streams, cuts)
def frames_do_not_depend_on_the_pieces(data: bytes, sizes: list[int]) -> None:
    assert read(cut(data, sizes)) == read(iter([data]))


@quick
@given(streams, cuts, st.booleans())
def session_never_fails_and_is_silent_once_closed(data: bytes, sizes: list[int], lets_in: bool) -> None:
    session, closed = Session(0.0, frame_bytes=MOST, idle_seconds=30, login_seconds=10), False
    for part in cut(data, sizes):
        effects = session.received(part, 1.0)
        assert not closed or not effects
        if lets_in:
            session.admitted(1.0)
        assert not any(isinstance(effect, Close) for effect in effects[:-1])
        closed = closed or any(isinstance(effect, Close) for effect in effects)


@pytest.mark.timeout(SECONDS + 60)
def test_any_bytes() -> None:
    until = monotonic() + SECONDS
    while monotonic() < until:
        frames_do_not_depend_on_the_pieces()
        session_never_fails_and_is_silent_once_closed()
