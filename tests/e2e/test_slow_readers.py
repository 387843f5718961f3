"""Rule 6: readers that do not read cost bounded memory and slow down nobody; and who comes back late is given everything."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hongyan.bench.wire import CLOSE, AnswerReader, FrameReader, get, upgrade
from hongyan.client.sse import EventStreamDecoder
from hongyan.store import Draft
from tests.build import new_store
from tests.e2e.devices import TRANSPORTS, Crowd, Device
from tests.e2e.sockets import Frame
from tests.serving import Person, Server, wait_for

MESSAGES = 20_000
TEXT = "慢" * 400
"""1,200 bytes: 20,000 of them are more than all buffers between two processes hold."""
BOUND = 24
"""MiB. One dead reader for which everything was kept would take 26."""
DRAIN = 4.0
BACKLOG = 100_000


class DeadReader:
    """A connection from which nobody reads, until `read_on` at the end. Its receive buffer is as small as can be."""

    def __init__(self, server: Server, person: Person, kind: str) -> None:
        self.kind = kind
        self.events: list[Frame] = []
        self.cursor = ""
        self.verdicts: list[Frame] = []
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", server.port))
        host = f"127.0.0.1:{server.port}"
        asking = {
            "websocket": upgrade(host, "/v1/events/ws", person.token, "hongyan.json"),
            "sse": get(host, "/v1/events/sse", person.token),
        }
        self.socket.sendall(asking[kind])
        self._answer = AnswerReader()
        self._frames, self._stream = FrameReader(), EventStreamDecoder()
        while not self.cursor:  # the first frame tells where it begins
            self._feed(self.socket.recv(4096))

    def __enter__(self) -> "DeadReader":
        return self

    def __exit__(self, *exc: object) -> None:
        self.socket.close()

    def read_on(self) -> None:
        """Everything that still comes before the server's end of it."""
        with contextlib.suppress(ConnectionResetError):
            while data := self.socket.recv(65_536):
                self._feed(data)

    def _feed(self, data: bytes) -> None:
        if self.kind == "sse" or not self._answer.done:
            data = self._answer.feed(data)
        if self.kind == "sse":
            for event in self._stream.feed(data):
                self._take(event.event == "close", msgspec.json.decode(event.data), event.id)
        else:
            for opcode, payload in self._frames.feed(data):
                if opcode != CLOSE:
                    frame = msgspec.json.decode(payload)
                    self._take(frame["op"] == "close", frame, frame.get("cursor"))

    def _take(self, closes: bool, frame: Frame, cursor: str) -> None:
        if closes:
            self.verdicts.append(frame)
        elif frame.get("op") != "signal":
            self.events += frame.get("events", ())
            self.cursor = cursor


def resident(server: Server) -> int:
    """MiB of memory that the server has."""
    for line in Path(f"/proc/{server.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    raise AssertionError("the server has no memory")


def size_of_store(server: Server) -> int:
    """MiB on the disk, which is what SQLite's own cache keeps at most, up to its bound."""
    return sum(path.stat().st_size for path in server.data.glob("hongyan.db*")) // 2**20


async def flood(device: Device, lane: str, count: int, acked: Callable[[int, float], None] = lambda number, at: None) -> None:
    """So many messages, up to 200 on their way; `acked` is told of each, with the time."""
    assert device.socket is not None
    gate = asyncio.Semaphore(200)

    def answered(number: int, future: "asyncio.Future[Frame]") -> None:
        gate.release()
        future.result()
        acked(number, time.monotonic())

    for number in range(count):
        await gate.acquire()
        future = await device.socket.post(lane, f"{number} {TEXT}")
        future.add_done_callback(partial(answered, number))
    for _ in range(200):
        await gate.acquire()


async def test_readers_that_never_read_cost_little_slow_down_nobody_and_miss_nothing(tmp_path: Path) -> None:
    many = "1000000"
    with Server(
        tmp_path / "data",
        LOG_RING="1000",
        LIMITS_DRAIN_SECONDS=f"{DRAIN}",
        LIMITS_SENDS_PER_SECOND=many,
        LIMITS_SENDS_BURST=many,
    ) as server:
        ann, bob, cai = server.people("ann", "bob", "cai")
        lane = ann.group("项目组", "bob", "cai")
        async with Crowd(server) as crowd, contextlib.AsyncExitStack() as open:
            sender = await crowd.device(ann, "msgpack")
            await flood(sender, lane, 3_000)
            memory, stored = resident(server), size_of_store(server)

            dead = [open.enter_context(DeadReader(server, bob, kind)) for kind in ("websocket", "sse", "websocket", "sse")]
            quick = await crowd.device(cai, "msgpack")
            given, acked, most = dict[int, float](), dict[int, float](), [memory]

            def heard() -> None:
                now = time.monotonic()
                for event in quick.events[len(given) :]:
                    given[len(given)] = now
                    assert event["content"]["text"].startswith(f"{len(given) - 1} ")

            def answered(number: int, at: float) -> None:
                acked[number] = at
                if number % 1000 == 0:
                    most.append(resident(server))

            quick.heard = heard
            await flood(sender, lane, MESSAGES, answered)
            await quick.until(lambda: len(given) == MESSAGES)
            delays = sorted(given[number] - acked[number] for number in range(MESSAGES))
            assert delays[-1] < DRAIN / 2, "a reader that reads waited for those that do not"

            wait_for(lambda: sum(server.metric("hongyan_connections", transport=kind) for kind in ("websocket", "sse")) == 2)
            most.append(resident(server))
            grown, cached = max(most) - memory, size_of_store(server) - stored
            assert grown < cached + BOUND, f"{memory} MiB before, then {most}; the database may keep {cached} MiB of it"

            for reader in dead:
                reader.read_on()
                assert [verdict["do"] for verdict in reader.verdicts] in ([], ["resume"])
                assert len(reader.events) < MESSAGES
                back = await crowd.device(bob, "json" if reader.kind == "websocket" else "sse", reader.cursor)
                await back.given(MESSAGES - len(reader.events))
                numbers = [int(event["content"]["text"].split()[0]) for event in [*reader.events, *back.events]]
                assert numbers == list(range(MESSAGES))
                await back.disconnect()


async def fill(server: Server, lane: str, sender: str, count: int) -> None:
    """Messages, written into the store beside the running server."""
    store = new_store(server.data / "hongyan.db")
    await store.start(lambda batch: None)
    done = asyncio.Event()
    answers: list[Any] = []

    def answered(answer: Any) -> None:
        answers.append(answer)
        if len(answers) % 10_000 == 0:
            done.set()

    for first in range(0, count, 10_000):
        done.clear()
        for number in range(first, first + 10_000):
            content = msgspec.json.encode({"type": "text", "text": str(number)})
            store.append(Draft(lane, "message", sender, 1, content, f"fill{number:08}"), answered)
        await done.wait()
    await store.close()


@pytest.fixture(scope="module")
def far_behind(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server, somebody who was away for 100,000 messages, and their cursor from before."""
    with Server(tmp_path_factory.mktemp("far") / "data") as server:
        ann, bob = server.people("ann", "bob")
        lane = ann.direct("bob")
        cursor = bob.cursor()
        asyncio.run(fill(server, lane, "ann", BACKLOG))
        wait_for(lambda: server.metric("hongyan_log_position") >= BACKLOG, 60)
        yield server, ann, bob, lane, cursor


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_who_was_away_for_100_000_events_is_given_all_and_nobody_else_waits(far_behind: Any, transport: Any) -> None:
    server, ann, bob, lane, cursor = far_behind
    async with Crowd(server) as crowd:
        other = ann.group("别处")
        device = await crowd.device(bob, transport, cursor, limit=1000)
        answered = 0
        while len(device.events) < BACKLOG:
            status = (await crowd.http.get("/health")).status_code
            await crowd.send(ann, other, "在吗")
            assert status == 200
            answered += 1
            await asyncio.sleep(0)
        events = device.events[:BACKLOG]  # then what another round of this test sent
        assert [event["content"]["text"] for event in events] == [str(number) for number in range(BACKLOG)]
        assert [event["seq"] for event in events] == list(range(2, BACKLOG + 2))
        assert answered > 10, "others are served in between"
        sent = await crowd.send(ann, lane, "回来了")
        await device.until(lambda: device.at >= sent["position"])
