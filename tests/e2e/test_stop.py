"""Rule 11: a close says what to do next, a storm is let in at a bounded rate, and whoever is behind finds out in time."""

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.devices import STREAMS, Crowd, Device, Transport, place
from tests.e2e.ledger import Ledger, log_of, send_again, under_load
from tests.serving import Person, Refused, Server

RECONNECTS = 300
RATE, BURST = 150.0, 20


@pytest.fixture
def own(tmp_path: Path) -> Any:
    """A server that the test may stop."""
    with Server(tmp_path / "data") as server:
        yield server


async def test_sigterm_under_load_tells_everybody_another_moment_and_loses_nothing(own: Server) -> None:
    people = ann, bob, _ = own.people("ann", "bob", "cai")
    lane = ann.group("项目组", "bob", "cai")
    cursor, ledger = bob.cursor(), Ledger()
    async with Crowd(own) as crowd:
        streams = [await crowd.device(bob, transport) for transport in STREAMS for _ in range(5)]
        async with under_load(crowd, ledger, people, [lane]) as load:
            await load.acknowledged(300)
            own.signal(signal.SIGTERM)
            began = time.monotonic()
            ends = await asyncio.gather(*(device.end() for device in streams))
            assert await asyncio.to_thread(own.wait) == 0
            assert time.monotonic() - began < 10
            await load.ended()
        assert "Traceback" not in own.output()
        waits = []
        for device, how in zip(streams, ends, strict=True):
            if device.transport != "longpoll":
                assert isinstance(how, dict)
                assert how["do"] == "later"
                waits.append(how["after"])
            elif how is not None:  # or its next request found nobody
                assert isinstance(how, Refused)
                assert (how.status, how.code) == (503, "overloaded")
                waits.append(how.problem["retry_after"])
        assert len(waits) >= 15
        assert min(waits) > 0
        assert len(set(waits)) > len(waits) / 2

        own.start()
        ledger.compare(log_of(own))
        await send_again(crowd, ledger, ledger.unknown)
        log = log_of(own)
        ledger.compare(log)
        wanted = [event.position for event in log if event.lane == lane and event.position > place(cursor)]
        for device in streams:
            assert device.transport is not None
            await device.connect(device.transport)
            await device.reached(wanted[-1])
            begun = place(device.events[0]["cursor"])
            assert [place(event["cursor"]) for event in device.events] == [at for at in wanted if at >= begun]
        assert [place(event["cursor"]) for event in bob.events_after(cursor)] == wanted


async def test_storm_of_300_is_let_in_at_a_bounded_rate_and_everybody_gets_in_by_waiting_as_told(tmp_path: Path) -> None:
    with Server(tmp_path / "data", LIMITS_OPENS_PER_SECOND=f"{RATE}", LIMITS_OPENS_BURST=f"{BURST}") as server:
        people = server.people("ann", "bob", "cai")
        lane = people[0].group("项目组", "bob", "cai")
        cursors = [person.cursor() for person in people]
        people[0].send(lane, "回来了吗")
        refusals: list[Refused] = []
        let_in: list[float] = []
        async with Crowd(server) as crowd:
            began = time.monotonic()

            async def come_back(number: int) -> None:
                person, transport = people[number % 3], STREAMS[1 + number // 3 % 3]
                while True:
                    device = await arrives(crowd, person, transport, cursors[number % 3])
                    if not isinstance(device, Refused):
                        let_in.append(time.monotonic() - began)
                        await device.given(1)
                        return
                    refusals.append(device)
                    await asyncio.sleep(device.problem["retry_after"])

            await asyncio.wait_for(asyncio.gather(*(come_back(number) for number in range(RECONNECTS))), 60)
            for refused in refusals:
                assert (refused.status, refused.code) == (503, "overloaded")
                assert refused.problem["header"] >= refused.problem["retry_after"] >= 1
            assert len({refused.problem["retry_after"] for refused in refusals}) > 20
            assert len(refusals) >= RECONNECTS - BURST - RATE
            for count, at in enumerate(sorted(let_in), 1):
                assert count <= BURST + RATE * at + 1
            assert server.metric("hongyan_sessions_refused_total") == len(refusals)
            # who polls or sends is not part of a storm
            assert (await crowd.send(people[0], lane, "都在"))["seq"] == 3


async def arrives(crowd: Crowd, person: Person, transport: Transport, cursor: str) -> Any:
    """The device, or the refusal."""
    device = Device(crowd, person)
    crowd.devices.append(device)
    device.cursor = cursor
    device.begin(transport)
    await device.until(lambda: device.ended or device.opened)
    return device.refused or device


@pytest.mark.slow
async def test_cursor_of_a_quiet_reader_follows_what_others_do_within_30_seconds(server: Server, crowd: Crowd) -> None:
    ann, bob, cai = server.people("ann-beat", "bob-beat", "cai-beat")
    lane = ann.direct(bob.id)
    quiet = [await crowd.device(cai, transport) for transport in ("sse", "json", "msgpack")]
    head = 0
    for number in range(100):
        head = (await crowd.send(ann, lane, str(number)))["position"]
    began = time.monotonic()
    await asyncio.gather(*(device.reached(head, 30) for device in quiet))
    assert time.monotonic() - began < 30
    assert all(device.events == [] for device in quiet)
    again = await crowd.device(cai, "poll", quiet[0].cursor)
    assert again.events == []
