"""One write for each connection and turn, and equal frames only once."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from hongyan.core.model import Event
from hongyan.core.wire import Entry
from hongyan.gateways.web.websocket.codec import JSON, MSGPACK
from hongyan.gateways.web.websocket.deflate import Deflater, inflate
from hongyan.gateways.web.websocket.output import Frames, Output


def entry(position: int, text: str = "x") -> Entry:
    return Entry(Event(position, "c", position, "message", "a", 1, None, f'{{"type":"text","text":"{text}"}}'.encode()), "e")


def test_receivers_of_the_same_events_share_the_bytes() -> None:
    frames, one, two = Frames(), entry(1), entry(2)
    first = frames.events(JSON, None, [one, two], "e.2")
    assert frames.events(JSON, None, [one, two], "e.2") is first
    assert frames.events(JSON, None, [one], "e.2") != first
    assert frames.events(JSON, None, [one, two], "e.3") != first
    assert frames.events(MSGPACK, None, [one, two], "e.2") != first
    assert frames.events(JSON, None, [one, entry(3)], "e.2") != first


def test_compressed_bytes_are_shared_by_those_with_the_same_window() -> None:
    frames, found, deflater = Frames(), [entry(1, "hello " * 100)], Deflater(12)
    plain, packed = frames.events(JSON, None, found, "e.1"), frames.events(JSON, deflater, found, "e.1")
    assert packed[0] == 0xC1
    assert len(packed) < len(plain) / 3
    assert frames.events(JSON, deflater, found, "e.1") is packed
    assert frames.events(JSON, Deflater(15), found, "e.1") is not packed
    assert inflate(packed[4:], 10_000) == plain[4:]


def test_small_frames_are_not_compressed() -> None:
    found = [entry(1)]
    assert Frames().events(JSON, Deflater(15), found, "e.1") == Frames().events(JSON, None, found, "e.1")


def test_a_signal_is_encoded_once_for_all_who_get_the_same_map() -> None:
    frames: Frames = Frames()
    body: dict[str, Any] = {"type": "typing", "user": "a"}
    assert frames.signal(JSON, body) is frames.signal(JSON, body)
    assert frames.signal(JSON, dict(body)) == frames.signal(JSON, body)
    assert frames.signal(MSGPACK, body) != frames.signal(JSON, body)
    for number in range(1_000):  # maps that are forgotten at once must not lend their place in memory to the next one
        assert f'"user":{number}'.encode() in frames.signal(JSON, {"user": number})


class Recorder:
    def __init__(self, flush: Callable[[Frames], None]) -> None:
        self.flush = flush
        self.dropped = False

    def drop(self) -> None:
        self.dropped = True


async def test_everybody_of_one_turn_is_flushed_together() -> None:
    output = Output()
    flushed: list[tuple[str, Frames]] = []
    one, two = Recorder(lambda frames: flushed.append(("one", frames))), Recorder(lambda frames: flushed.append(("two", frames)))
    output.add(one)
    output.add(two)
    assert flushed == []
    await asyncio.sleep(0)
    assert [name for name, _ in flushed] == ["one", "two"]
    assert flushed[0][1] is flushed[1][1]
    output.add(one)
    await asyncio.sleep(0)
    assert [name for name, _ in flushed] == ["one", "two", "one"]
    assert flushed[2][1] is not flushed[0][1]


async def test_who_is_added_while_flushing_has_the_next_turn() -> None:
    output = Output()
    turns: list[int] = []

    def again(frames: Frames) -> None:
        turns.append(len(turns))
        if len(turns) < 3:
            output.add(one)

    one = Recorder(again)
    output.add(one)
    await asyncio.sleep(0)
    assert turns == [0]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert turns == [0, 1, 2]


async def test_one_connection_that_fails_is_cut_and_the_others_are_served(caplog: pytest.LogCaptureFixture) -> None:
    output = Output()
    served: list[bool] = []

    def fail(frames: Frames) -> None:
        raise RuntimeError("broken")

    bad, good = Recorder(fail), Recorder(lambda frames: served.append(True))
    output.add(bad)
    output.add(good)
    await asyncio.sleep(0)
    assert served == [True]
    assert bad.dropped
    assert "could not be written to" in caplog.text


async def test_after_a_turn_with_many_the_next_one_waits_and_carries_more() -> None:
    output = Output(many=3, pause=0.02)
    turns: list[int] = []
    everybody = [Recorder(lambda frames: turns.append(id(frames))) for _ in range(3)]
    for one in everybody:
        output.add(one)
    await asyncio.sleep(0)
    assert len(turns) == 3
    output.add(everybody[0])
    await asyncio.sleep(0.001)
    output.add(everybody[1])
    assert len(turns) == 3
    async with asyncio.timeout(5):
        while len(turns) < 5:
            await asyncio.sleep(0.001)
    assert turns[3] == turns[4]
    output.add(everybody[2])
    await asyncio.sleep(0)
    assert len(turns) == 6, "a turn with few is not followed by a wait"
