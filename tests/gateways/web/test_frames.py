"""Bodies of polls and messages of event streams, from the bytes that all readers share."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from hongyan.core.model import Event
from hongyan.core.wire import Entry
from hongyan.gateways.web.frames import history_body, pieces, poll_body, sse_close, sse_frame, sse_heartbeat
from hongyan.gateways.web.schemas import Events
from hongyan.messaging import Chunk, Page, Verdict


def entry(position: int, text: str = "你好") -> Entry:
    content = msgspec.json.encode({"type": "text", "text": text})
    return Entry(Event(position, "lane", position, "message", "bob", 5, f"c{position}", content), "e1")


def test_poll_body_has_events_cursor_and_more() -> None:
    body = msgspec.json.decode(poll_body(Chunk([entry(3), entry(4)], [], "e1.4", more=True)))
    assert [event["cursor"] for event in body["events"]] == ["e1.3", "e1.4"]
    assert body["events"][0]["content"] == {"type": "text", "text": "你好"}
    assert {name: body[name] for name in body if name != "events"} == {"cursor": "e1.4", "more": True}


def test_signals_are_there_only_when_there_are_some() -> None:
    signals = [{"type": "typing", "conversation": "c", "user": "bob", "typing": True}]
    assert msgspec.json.decode(poll_body(Chunk([], signals, "e1.4")))["signals"] == signals
    assert "signals" not in msgspec.json.decode(poll_body(Chunk([], [], "e1.4")))


def test_limited_tells_to_load_anew_and_gives_no_events() -> None:
    body = msgspec.json.decode(poll_body(Chunk([entry(4)], [], "e1.9", limited="epoch")))
    assert body == {"events": [], "cursor": "e1.9", "more": False, "limited": True, "reason": "epoch"}


def test_sse_message_is_one_line_of_data_with_the_cursor_as_id() -> None:
    frame = sse_frame(Chunk([entry(3, "two\nlines\r\n\r\ndata: x\n\nevent: close")], [], "e1.3")).decode()
    id, data, *rest = frame.split("\n")
    assert (id, rest) == ("id: e1.3", ["", ""])
    assert msgspec.json.decode(data.removeprefix("data: "), type=Events).cursor == "e1.3"
    assert "\r" not in frame


def test_heartbeat_and_close_have_their_own_event_names() -> None:
    assert sse_heartbeat("e1.3") == b"event: heartbeat\nid: e1.3\ndata: {}\n\n"
    assert sse_close(Verdict("later", 2.5, "stopping")) == (
        b'event: close\ndata: {"do":"later","after":2.5,"reason":"stopping"}\n\n'
    )


@given(st.lists(st.integers(0, 300), max_size=30), st.integers(1, 2_000), st.booleans())
def test_pieces_have_everything_once_in_order_with_their_own_cursors(sizes: list[int], size: int, more: bool) -> None:
    entries = [entry(at, "x" * length) for at, length in enumerate(sizes, 1)]
    whole = Chunk(entries, [{"type": "typing"}], "e1.99", more)
    parts = list(pieces(whole, size))
    assert [one for part in parts for one in part.entries] == entries
    assert [signal for part in parts for signal in part.signals] == whole.signals
    assert (parts[-1].cursor, parts[-1].more) == ("e1.99", more)
    for part in parts[:-1]:
        assert part.more
        assert part.cursor == part.entries[-1].cursor
        assert sum(len(one.json()) for one in part.entries[:-1]) < size


def test_limited_chunk_stays_whole() -> None:
    chunk = Chunk([entry(at, "x" * 500) for at in range(1, 9)], [], "e1.99", limited="ahead")
    assert list(pieces(chunk, 100)) == [chunk]


def test_history_that_is_too_long_for_one_answer_keeps_the_side_that_was_asked_for() -> None:
    entries = [entry(at, "x" * 500) for at in range(1, 9)]
    newest = msgspec.json.decode(history_body(Page(entries, False, []), newest=True, size=1_500))
    oldest = msgspec.json.decode(history_body(Page(entries, False, []), newest=False, size=1_500))
    assert ([event["seq"] for event in newest["events"]], newest["more"]) == ([7, 8], True)
    assert ([event["seq"] for event in oldest["events"]], oldest["more"]) == ([1, 2], True)
    alone = msgspec.json.decode(history_body(Page(entries[:1], False, []), newest=True, size=1))
    assert (len(alone["events"]), alone["more"]) == (1, False)
