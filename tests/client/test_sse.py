"""The decoder of event streams: the rules of WHATWG HTML 9.2.6, any split of the bytes, and any bytes at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.client.sse import EventStreamDecoder, ServerSentEvent


def decoded(*chunks: bytes) -> list[ServerSentEvent]:
    decoder = EventStreamDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)]


def message(data: str, id: str = "") -> ServerSentEvent:
    return ServerSentEvent("message", data, id)


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [message("YHOO\n+2\n10")]),
        (
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            [message("first event", "1"), message("second event"), message(" third event")],
        ),
        (b"data\n\ndata\ndata\n\ndata:", [message(""), message("\n")]),
        (b"data:test\n\ndata: test\n\n", [message("test"), message("test")]),
        (b"\xef\xbb\xbfdata: x\n\n", [message("x")]),
        (b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", [message("a"), message("b"), message("c")]),
        (b"event: close\ndata: {}\n\n", [ServerSentEvent("close", "{}", "")]),
        (b"event: x\n\ndata: y\n\n", [message("y")]),
        (b"id: 1\ndata: a\n\ndata: b\n\n", [message("a", "1"), message("b", "1")]),
        (b"id: a\0b\ndata: x\n\n", [message("x")]),
        ("data: 鸿雁\n\n".encode(), [message("鸿雁")]),
        (b"data: \xff\n\n", [message("\ufffd")]),
        (b"data: never ended\n", []),
        (b"retry: 10\nnonsense\n:x\ndata: y\n\n", [message("y")]),
    ],
)
def test_streams_of_the_standard(stream: bytes, expected: list[ServerSentEvent]) -> None:
    assert decoded(stream) == expected
    assert decoded(*(stream[at : at + 1] for at in range(len(stream)))) == expected


def test_retry_is_read_when_it_is_a_number() -> None:
    decoder = EventStreamDecoder()
    decoder.feed(b"retry: 2500\nretry: soon\nretry: \xc2\xb2\n")
    assert decoder.retry == 2500


LINES = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=20)


@given(
    st.lists(st.tuples(LINES, st.lists(LINES, min_size=1, max_size=3)), max_size=8),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.randoms(use_true_random=False),
)
def test_what_was_written_is_read_however_it_is_split(events: list[tuple[str, list[str]]], end: str, random: object) -> None:
    text = "".join(
        f"id: {id}{end}" + "".join(f"data: {line}{end}" for line in data) + end + f": a remark{end}" for id, data in events
    )
    stream = text.encode()
    cuts = sorted(random.sample(range(len(stream) + 1), min(len(stream), 7)))  # type: ignore[attr-defined]
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert [(event.id, event.data.split("\n")) for event in decoded(*chunks)] == events


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_any_bytes_are_read_the_same_in_any_split(chunks: list[bytes]) -> None:
    stream = b"".join(chunks)
    assert decoded(*chunks) == decoded(stream) == decoded(*(stream[at : at + 1] for at in range(len(stream))))


@given(st.lists(st.sampled_from([b"data", b":", b" ", b"\r", b"\n", b"id", b"event", b"x", b"\xe9\xb8", b"\xbf"]), max_size=40))
def test_pieces_of_streams_are_read_the_same_in_any_split(chunks: list[bytes]) -> None:
    assert decoded(*chunks) == decoded(b"".join(chunks))


@pytest.mark.parametrize("line", [b"data: " + b"x" * 900 + b"\n", b"x" * 900])
def test_event_without_an_end_is_refused_at_the_bound(line: bytes) -> None:
    decoder = EventStreamDecoder(most=10_000)
    for _ in range(10):
        decoder.feed(line)
    decoder.feed(line)
    with pytest.raises(ValueError, match="larger"):
        decoder.feed(line)


def test_many_small_events_are_no_large_one() -> None:
    decoder = EventStreamDecoder(most=1000)
    for _ in range(100):
        assert len(decoder.feed(b"data: " + b"x" * 500 + b"\n\n")) == 1
