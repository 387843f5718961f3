"""Frames as bytes: what is encoded can be read by anybody, and whatever comes in ends in a request or a typed error."""

import contextlib
import string
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.core import acts
from hongyan.core.content import Forward, Poll, Text
from hongyan.core.errors import Invalid, RateLimited
from hongyan.core.model import Event
from hongyan.core.wire import Entry
from hongyan.gateways.web.websocket.codec import (
    JSON,
    MSGPACK,
    Auth,
    Codec,
    Do,
    Ping,
    Presence,
    Read,
    Request,
    Send,
    Typing,
    close_frame,
    header,
)
from hongyan.messaging import Verdict

codecs = pytest.mark.parametrize("codec", [JSON, MSGPACK], ids=["json", "msgpack"])
refs = st.integers(-(2**63), 2**63 - 1)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
seqs = st.integers(1, 2**53 - 1)
texts = st.builds(Text, words.filter(len), st.lists(words, max_size=3).map(tuple), seqs | st.none(), seqs | st.none())
polls = st.builds(Poll, words.filter(len), st.tuples(words, words), st.booleans())
acts_of_any_kind = st.one_of(
    st.builds(acts.Edit, seqs, words.filter(len), st.lists(words, max_size=3).map(tuple)),
    st.builds(acts.React, seqs, words.filter(lambda word: 0 < len(word) <= 32)),
    st.builds(acts.Vote, seqs, st.lists(st.integers(0, 19), max_size=3).map(tuple)),
    *(st.builds(kind, seqs) for kind in (acts.Recall, acts.Pin, acts.Unpin, acts.Close)),
)
requests = st.one_of(
    st.builds(Auth, words, refs | st.none()),
    st.builds(Send, refs, words, words, texts | polls | st.builds(Forward, words, st.tuples(seqs, seqs), words)),
    st.builds(Do, refs, words, acts_of_any_kind, words | st.none()),
    st.builds(Read, words, st.integers(0, 2**63 - 1), refs | st.none()),
    st.builds(Typing, words, st.booleans(), refs | st.none()),
    st.builds(Presence, st.sampled_from(["online", "away", "busy", "dnd"]), words | st.none(), refs | st.none()),
    st.builds(Ping, refs | st.none()),
)
cursors = st.builds(
    "{}.{}".format, st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=16), st.integers(0, 2**59)
)


SEND = b'{"op":"send","ref":1,"conversation":"c","client_id":"x",'


def encoded(codec: Codec, value: Any) -> bytes:
    return msgspec.json.encode(value) if codec is JSON else msgspec.msgpack.encode(value)


def payload_of(codec: Codec, frame: bytes) -> tuple[dict[str, Any], bytes]:
    """The map of the first frame, checked against RFC 6455, 5.2, and what is behind it."""
    assert frame[0] == 0x80 | codec.opcode
    size, at = frame[1], 2
    if size == 126:
        size, at = int.from_bytes(frame[2:4], "big"), 4
        assert size > 125
    elif size == 127:
        size, at = int.from_bytes(frame[2:10], "big"), 10
        assert size > 65_535
    payload = frame[at : at + size]
    assert len(payload) == size
    found = msgspec.json.decode(payload) if codec is JSON else msgspec.msgpack.decode(payload)
    return found, frame[at + size :]


def only(codec: Codec, frame: bytes) -> dict[str, Any]:
    found, behind = payload_of(codec, frame)
    assert behind == b""
    return found


@codecs
@given(request=requests)
def test_every_request_is_read_as_it_was_meant(codec: Codec, request: Request) -> None:
    assert codec.request(encoded(codec, request)) == request


@codecs
@given(request=requests, extra=st.dictionaries(st.text(string.ascii_letters, min_size=20), words))
def test_members_that_are_not_known_are_passed_over(codec: Codec, request: Request, extra: dict[str, str]) -> None:
    assert codec.request(encoded(codec, msgspec.to_builtins(request) | extra)) == request


@codecs
@given(data=st.binary(max_size=300))
def test_arbitrary_bytes_are_a_request_or_invalid(codec: Codec, data: bytes) -> None:
    with contextlib.suppress(Invalid):
        assert isinstance(codec.request(data), Request)
    assert codec.ref_of(data) is None or isinstance(codec.ref_of(data), int)


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
_members = st.sampled_from(["ref", "conversation", "client_id", "content", "seq", "typing", "status", "text", "token", "act"])
_ops = st.sampled_from(["auth", "send", "read", "typing", "presence", "ping", "act", "own", "nonsense"])


@codecs
@given(op=_ops | _values, members=st.dictionaries(_members, _values))
def test_maps_with_arbitrary_members_are_a_request_or_invalid(codec: Codec, op: Any, members: dict[str, Any]) -> None:
    data = encoded(codec, {"op": op} | members)
    with contextlib.suppress(Invalid):
        assert isinstance(codec.request(data), Request)
    assert codec.ref_of(data) in (members.get("ref"), None)


@codecs
def test_deep_nesting_is_invalid_and_not_a_fault(codec: Codec) -> None:
    depth = 100_000
    data = (
        b'{"op":"ping","x":' + b"[" * depth + b"]" * depth + b"}"
        if codec is JSON
        else b"\x82\xa2op\xa4ping\xa1x" + b"\x91" * depth
    )
    with pytest.raises(Invalid):
        codec.request(data)
    assert codec.ref_of(data) is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "The frame is not JSON in UTF-8"),
        (b'"hello"', "The frame: expected object"),
        (b"{}", "op"),
        (b'{"op":"sing"}', "op: invalid value"),
        (b'{"op":"send","ref":1}', "conversation"),
        (SEND + b'"content":{"type":"text","text":5}}', "content.text: expected str"),
        (
            b'{"op":"send","ref":1,"conversation":"c","client_id":"x","content":{"type":"poem"}}',
            "content.type: invalid value",
        ),
        (b'{"op":"read","conversation":"c","seq":-1}', "seq: expected int >= 0"),
        (b'{"op":"presence","status":"asleep"}', "status: invalid enum value"),
        (b'{"op":"ping","ref":9223372036854775808}', "ref"),
        (b'{"op":"ping","ref":' + b"9" * 5_000 + b"}", "ref: integer value out of range"),
        (b'{"op":"auth","token":"\xff"}', "The frame is not JSON"),
    ],
)
def test_the_sentence_names_the_member_that_is_wrong(data: bytes, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        JSON.request(data)
    assert words in caught.value.detail
    assert len(caught.value.detail) < 600
    assert "`" not in caught.value.detail or words.startswith("The frame is not")


@codecs
@given(ref=refs)
def test_the_ref_of_a_wrong_frame_is_known(codec: Codec, ref: int) -> None:
    data = encoded(codec, {"op": "send", "ref": ref, "conversation": 5})
    with pytest.raises(Invalid):
        codec.request(data)
    assert codec.ref_of(data) == ref


@pytest.mark.parametrize("data", [b"", b"{", b'{"ref":"x"}', b'{"ref":1.5}', b"[1]", b'{"op":"send"}'])
def test_a_frame_without_a_ref_has_none(data: bytes) -> None:
    assert JSON.ref_of(data) is None


@codecs
@given(ref=refs, seq=st.integers(1, 2**62), position=st.integers(1, 2**62), time=st.integers(0, 2**50), cursor=cursors)
def test_acknowledgements_and_pongs(codec: Codec, ref: int, seq: int, position: int, time: int, cursor: str) -> None:
    sent = {"op": "ack", "ref": ref, "seq": seq, "position": position, "time": time}
    assert only(codec, codec.sent(ref, seq, position, time)) == sent
    assert only(codec, codec.marked(ref, seq)) == {"op": "ack", "ref": ref, "seq": seq}
    assert only(codec, codec.done(ref)) == {"op": "ack", "ref": ref}
    assert only(codec, codec.pong(ref, cursor)) == {"op": "pong", "ref": ref, "cursor": cursor}
    assert only(codec, codec.pong(None, cursor)) == {"op": "pong", "ref": None, "cursor": cursor}


@codecs
@given(ref=refs | st.none(), detail=words, user=words)
def test_errors_and_the_welcome(codec: Codec, ref: int | None, detail: str, user: str) -> None:
    kind, told = "urn:hongyan:error:invalid", detail or "The request is not valid"
    assert only(codec, codec.error(ref, Invalid(detail))) == {"op": "error", "ref": ref, "type": kind, "detail": told}
    waits = only(codec, codec.error(ref, RateLimited(detail, retry_after=1.5)))
    assert waits["retry_after"] == 1.5
    assert only(codec, codec.welcome(ref, user)) == {"op": "ack", "ref": ref, "user_id": user}


@codecs
@pytest.mark.parametrize(
    ("verdict", "code", "told"),
    [
        (Verdict("resume"), 4001, {"do": "resume"}),
        (Verdict("later", 2.5, "busy"), 4002, {"do": "later", "after": 2.5, "reason": "busy"}),
        (Verdict("login", reason="The token has ended"), 4003, {"do": "login", "reason": "The token has ended"}),
        (Verdict("stop", reason="x" * 500), 4004, {"do": "stop", "reason": "x" * 500}),
    ],
)
def test_a_verdict_is_told_as_a_map_and_as_a_close_code(codec: Codec, verdict: Verdict, code: int, told: dict[str, Any]) -> None:
    found, behind = payload_of(codec, codec.close(verdict))
    assert found == {"op": "close"} | told
    assert behind[0] == 0x88
    assert behind[1] == len(behind) - 2 <= 125
    assert int.from_bytes(behind[2:4], "big") == code
    assert verdict.reason.startswith(behind[4:].decode())


@given(st.text(max_size=200))
def test_a_long_reason_is_cut_between_characters(reason: str) -> None:
    reason = reason.encode(errors="ignore").decode()
    frame = close_frame(4001, reason)
    assert len(frame) <= 127
    assert reason.startswith(frame[4:].decode())


@codecs
@given(body=st.dictionaries(words.filter(lambda name: name != "op"), words | st.integers(0, 100), max_size=3))
def test_a_signal_is_its_map_with_the_op(codec: Codec, body: dict[str, Any]) -> None:
    assert only(codec, codec.signal(body)) == {"op": "signal"} | body


@codecs
@given(cursor=cursors, reason=st.sampled_from(["epoch", "too-old", "ahead"]))
def test_limited(codec: Codec, cursor: str, reason: str) -> None:
    expected = {"op": "events", "events": [], "cursor": cursor, "limited": True, "reason": reason}
    assert only(codec, codec.limited(cursor, reason)) == expected


events = st.builds(
    Event,
    position=st.integers(1, 2**53),
    lane=words,
    seq=st.integers(1, 2**53),
    type=words,
    sender=words | st.none(),
    time=st.integers(0, 2**50),
    client_id=words | st.none(),
    content=st.dictionaries(words, words | st.integers(-(2**53), 2**53) | st.none(), max_size=3).map(msgspec.json.encode),
)


@codecs
@given(found=st.lists(events, max_size=20), cursor=cursors)
def test_an_events_frame_has_all_events_and_the_cursor(codec: Codec, found: list[Event], cursor: str) -> None:
    entries = [Entry(event, "abc") for event in found]
    frame = only(codec, codec.events(entries, cursor))
    assert frame["op"] == "events"
    assert frame["cursor"] == cursor
    assert len(frame["events"]) == len(found)
    for event, told in zip(found, frame["events"], strict=True):
        assert told == {
            "cursor": f"abc.{event.position}",
            "conversation": event.lane,
            "seq": event.seq,
            "type": event.type,
            "sender": event.sender,
            "time": event.time,
            "content": msgspec.json.decode(event.content),
        } | ({"client_id": event.client_id} if event.client_id is not None else {})


@codecs
@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 1_000])
def test_an_events_frame_of_every_size(codec: Codec, count: int) -> None:
    entry = Entry(Event(1, "c", 1, "message", "a", 1, None, b'{"type":"text","text":"x"}'), "abc")
    assert len(only(codec, codec.events([entry] * count, "abcdefghijklmnop.123456789012345678"))["events"]) == count


@pytest.mark.parametrize(("size", "length"), [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10), (2**32, 10)])
def test_the_header_has_the_shortest_form(size: int, length: int) -> None:
    found = header(0x1, size)
    assert len(found) == length
    assert found[0] == 0x81
    assert not found[1] & 0x80
