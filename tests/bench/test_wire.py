"""Bytes of the load generator, fed in pieces of every size."""

import msgspec
import pytest

from hongyan.bench.stamp import REF_BASE, SendForm, filling, lane_prefix
from hongyan.bench.wire import BINARY, TEXT, AnswerReader, FrameReader, SseReader, frame


def server_frame(payload: bytes, opcode: int = BINARY) -> bytes:
    masked = frame(opcode, payload)
    header = len(masked) - len(payload) - 4
    return bytes((masked[0], masked[1] & 0x7F)) + masked[2:header] + payload


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000, 100_000])
def test_frames_in_pieces(step: int) -> None:
    payloads = [b"", b"a", b"b" * 125, b"c" * 126, b"d" * 70_000]
    stream = b"".join(server_frame(payload) for payload in payloads)
    reader = FrameReader()
    found = [item for at in range(0, len(stream), step) for item in reader.feed(stream[at : at + step])]
    assert found == [(BINARY, payload) for payload in payloads]


def test_fragment_is_an_error() -> None:
    with pytest.raises(ValueError, match="fragment"):
        FrameReader().feed(b"\x02\x01a")


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("size", [40, 120, 255, 256, 4000])
def test_send_frame_is_what_the_protocol_page_says(binary: bool, size: int) -> None:
    form = SendForm(binary=binary, conversation="c.1", prefix=lane_prefix(0xABCD, 3), member=7, size=size)
    data = form.frame(5, 123_456)
    opcode, payload = FrameReader().feed(server_frame_of_client(data))[0]
    found = (msgspec.msgpack if binary else msgspec.json).decode(payload)
    text = found["content"]["text"]
    assert opcode == (BINARY if binary else TEXT)
    assert found["op"] == "send"
    assert found["ref"] == REF_BASE + 5
    assert found["conversation"] == "c.1"
    assert len(found["client_id"]) == 32
    assert len(text.encode()) == size
    assert text[:40] == f"{0xABCD:08x}{3:06x}{7:04x}{5:08x}{123_456:014x}"


def server_frame_of_client(data: bytes) -> bytes:
    """The client's frame with its zero mask taken out."""
    header = 8 if data[1] == 0xFE else 6
    return bytes((data[0], data[1] & 0x7F)) + data[2 : header - 4] + data[header:]


def test_client_ids_grow_unless_random() -> None:
    def ids(random_ids: bool) -> list[str]:
        form = SendForm(binary=True, conversation="c", prefix=lane_prefix(1, 1), member=0, size=120, random_ids=random_ids)
        frames = (FrameReader().feed(server_frame_of_client(form.frame(n, n * 100)))[0][1] for n in range(50))
        return [msgspec.msgpack.decode(payload)["client_id"] for payload in frames]

    grown = ids(False)
    assert grown == sorted(set(grown))
    assert len(set(ids(True))) == 50


def test_filling_never_breaks_a_character() -> None:
    for size in range(40, 200):
        assert len(filling(size).decode().encode()) == size - 40


@pytest.mark.parametrize("step", [1, 5, 1000])
def test_answer_with_length_and_with_chunks(step: int) -> None:
    for raw in (
        b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n",
    ):
        reader = AnswerReader()
        body = b"".join(reader.feed(raw[at : at + step]) for at in range(0, len(raw), step) if not reader.done)
        assert (reader.status, body, reader.done) == (200, b"hello world", True)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_event_stream_in_pieces(end: bytes) -> None:
    raw = end.join([b"id: 1", b'data: {"a":1}', b"", b": comment", b"", b"event: close", b"data: {}", b"", b""])
    reader = SseReader()
    found = [item for at in range(len(raw)) for item in reader.feed(raw[at : at + 1])]
    assert [(event, data.strip()) for event, data in found] == [("message", b'{"a":1}'), ("close", b"{}")]
