"""NATS that is killed, comes late, stands still; and what nobody of the cluster has sent."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import nats as driver
import pytest
from nats.aio.msg import Msg

from hongyan.bus import nats as module
from hongyan.bus.nats import _HEAD, NatsBus
from tests.bus.conftest import Join, until
from tests.bus.test_contract import batch, events_of, signal
from tests.counterparts.link import Link
from tests.counterparts.nats import Nats


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[Nats]:
    with Nats(tmp_path) as nats:
        yield nats


async def test_only_nodes_of_the_same_history_with_its_key_hear_each_other(nats_url: str, join: Join) -> None:
    node = await join("n1", nats_url)
    friend = await join("n2", nats_url)
    thief = await join("n3", nats_url, key=b"x" * 32)
    restored = await join("n4", nats_url, epoch="epoch2")
    thief.bus.publish(signal(1))
    thief.bus.publish(signal(2), to="n1")
    restored.bus.publish(signal(3))
    friend.bus.publish(signal(4))
    await until(lambda: signal(4) in node.heard and node.bus.counts.refused == 2)
    assert node.heard == [signal(4)]
    await until(lambda: thief.bus.counts.refused == 1)
    assert signal(4) not in thief.heard
    assert signal(4) not in restored.heard
    assert restored.bus.counts.received == 0


async def test_garbage_is_refused_and_counted(nats_url: str, join: Join, caplog: pytest.LogCaptureFixture) -> None:
    node = await join("n1", nats_url, epoch="epoch3")
    stranger = await driver.connect(nats_url)
    for subject in ("hongyan.epoch3.log", "hongyan.epoch3.node.n1"):
        signed, unknown = (_sealed(node.bus, subject, payload) for payload in (b"\x93\x01\x02\x03", b"\x91\x63"))
        for data in (b"", b"x", b"x" * 15, b"x" * 16, b"x" * 100_000, signed, unknown):
            await stranger.publish(subject, data)
    await stranger.close()
    await until(lambda: node.bus.counts.received == 14)
    assert node.bus.counts.refused == 14
    assert node.heard == []
    assert node.bus.trouble is None


def _sealed(bus: NatsBus, subject: str, payload: bytes) -> bytes:
    """As a node that knows the key would, whatever it is."""
    signed = _HEAD.pack(b"another", time.time_ns()) + payload
    return bus._mac(subject, signed) + signed


async def test_what_was_recorded_and_is_sent_again_is_refused(nats_url: str, join: Join) -> None:
    one, two = await join("n1", nats_url, epoch="epoch5"), await join("n2", nats_url, epoch="epoch5")
    spy = await driver.connect(nats_url)
    recorded: list[bytes] = []

    async def record(message: Msg) -> None:
        recorded.append(message.data)

    await spy.subscribe("hongyan.epoch5.signals", cb=record)
    await spy.flush()
    one.bus.publish(signal(1))
    await until(lambda: two.heard == [signal(1)] and recorded)
    for subject in ("hongyan.epoch5.signals", "hongyan.epoch5.log", "hongyan.epoch5.node.n2"):
        await spy.publish(subject, recorded[0])
    await spy.flush()
    one.bus.publish(signal(2))
    await until(lambda: signal(2) in two.heard and two.bus.counts.refused == 3)
    assert two.heard == [signal(1), signal(2)]
    await spy.close()


async def test_killed_nats_is_told_and_comes_back_by_itself(nats: Nats, join: Join) -> None:
    one, other = await join("n1", nats.url), await join("n2", nats.url)
    nats.kill()
    await until(lambda: one.bus.trouble and other.bus.trouble)
    assert "cannot be reached" in one.bus.trouble
    began = time.perf_counter()
    for number in range(1_000):
        one.bus.publish(signal(number))
        one.bus.publish(signal(number), to="n2")
    assert time.perf_counter() - began < 1
    assert len(one.heard) == 1_000, "one hears oneself"
    assert one.bus.counts.lost == 2_000
    nats.start()
    await until(lambda: one.bus.trouble is None and other.bus.trouble is None)
    one.bus.publish(signal(8440))
    await until(lambda: signal(8440) in other.heard)
    assert len(other.heard) == 1, "what was published meanwhile is old"


async def test_start_without_nats_returns_and_it_joins_later(nats: Nats, join: Join) -> None:
    nats.stop()
    began = time.monotonic()
    one, other = await join("n1", nats.url), await join("n2", nats.url)
    assert time.monotonic() - began < 4
    assert "Connect call failed" in one.bus.trouble
    assert one.bus.doubtful
    nats.start()
    await until(lambda: one.bus.trouble is None and other.bus.trouble is None)
    async with asyncio.timeout(10):
        while signal(8440) not in other.heard:  # it may not be subscribed to anything yet
            one.bus.publish(signal(8440))
            await asyncio.sleep(0.01)
    one.bus.publish(batch(1, 3))
    await until(lambda: len(events_of(other)) == 3)


async def test_network_that_stands_still_is_noticed_within_seconds_and_memory_is_bounded(nats: Nats, join: Join) -> None:
    with Link(nats.port) as link:
        one = await join("n1", f"nats://127.0.0.1:{link.port}")
        other = await join("n2", nats.url)
        link.stall()
        began = time.monotonic()
        most, loops = 0, 0
        while one.bus.trouble is None:
            for _ in range(10):
                one.bus.publish(batch(1, 10, size=40_000))
            most = max(most, one.bus._queue_bytes)
            loops += 1
            await asyncio.sleep(0.01)
            assert time.monotonic() - began < 20
        assert most <= module._QUEUE_BYTES
        assert loops > 10, "nobody waited"
        assert other.bus.trouble is None
        link.heal()
        await until(lambda: one.bus.trouble is None)
        one.bus.publish(signal(1))
        await until(lambda: signal(1) in other.heard)


async def test_silence_of_others_says_nothing_while_nats_owes_an_answer(nats: Nats, join: Join) -> None:
    one = await join("n1", nats.url)
    nats.freeze()
    began = time.monotonic()
    await until(lambda: one.bus.doubtful)
    assert time.monotonic() - began < 2.5, "before anybody can be taken for dead"
    await until(lambda: one.bus.trouble)
    nats.thaw()
    await until(lambda: not one.bus.doubtful)


async def test_close_does_not_wait_for_a_nats_that_stands_still(nats: Nats, join: Join) -> None:
    one = await join("n1", nats.url)
    nats.freeze()
    one.bus.publish(signal(1))
    began = time.monotonic()
    await one.bus.close()
    assert time.monotonic() - began < 5


async def test_node_that_is_slow_to_listen_loses_something_and_goes_on(nats: Nats, join: Join) -> None:
    """A loop that is held up for a while: what came meanwhile is there, or was counted as lost; nothing comes twice."""
    one, other = await join("n1", nats.url), await join("n2", nats.url)
    count = 400
    for number in range(count):
        one.bus.publish(batch(2 * number + 1, 2 * number + 2, size=100_000))
        if number % 20 == 0:
            await asyncio.sleep(0.01)
    time.sleep(1)  # the loop of both stands still
    one.bus.publish(signal(1))
    await until(lambda: signal(1) in other.heard or one.bus.trouble or other.bus.trouble, 20)
    await until(lambda: one.bus.trouble is None and other.bus.trouble is None)
    one.bus.publish(signal(2))
    await until(lambda: signal(2) in other.heard, 20)
    positions = [event.position for event in events_of(other)]
    assert positions == sorted(set(positions))


async def test_leaves_also_when_its_question_is_answered_as_it_is_told_to_leave(nats_url: str, join: Join) -> None:
    node = await join("n1", nats_url)
    lost = 0

    async def asks() -> None:
        nonlocal lost
        while lost < 2:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                lost += 1  # as `asyncio.wait_for` does

    node.bus._asking.cancel()
    node.bus._asking = asyncio.create_task(asks())
    await asyncio.sleep(0)
    closing = asyncio.create_task(node.bus.close())
    await asyncio.wait([closing], timeout=5)
    assert closing.done()
    assert lost == 2
