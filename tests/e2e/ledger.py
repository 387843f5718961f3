"""People who send without a pause, and the book of what they sent and what was acknowledged, to be compared with the log."""

import asyncio
import contextlib
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from hongyan.core.model import Event
from hongyan.store import sqlite_file
from tests.clustering import Cluster
from tests.e2e.devices import Crowd, Transport
from tests.e2e.sockets import Frame, Lost, open_socket
from tests.serving import Person, Refused, Server, new_client_id
from tests.store.build import assert_whole

_LOG = "SELECT position, lane, seq, type, sender, time, client_id, content FROM events ORDER BY position"


class Sent(msgspec.Struct, frozen=True):
    person: Person
    lane: str
    text: str


class Ledger:
    def __init__(self) -> None:
        self.sent: dict[str, Sent] = {}
        """By client id."""
        self.acked: dict[str, tuple[int, int]] = {}
        """Seq and position of what the server said is durable."""
        self.refused: Counter[str] = Counter()
        """By the code of the error."""

    @property
    def unknown(self) -> list[str]:
        """Sent and not answered: may be in the log or not."""
        return [client_id for client_id in self.sent if client_id not in self.acked]

    def new(self, person: Person, lane: str, text: str = "话") -> str:
        """A message that is about to be sent; its client id."""
        client_id = new_client_id()
        self.sent[client_id] = Sent(person, lane, f"{client_id} {text}")
        return client_id

    def ack(self, client_id: str, answer: Frame) -> None:
        """Every answer to one send is the same."""
        where = answer["seq"], answer["position"]
        assert self.acked.setdefault(client_id, where) == where, f"{client_id} got two answers"

    def compare(self, log: Iterable[Event]) -> None:
        """Everything acknowledged is in the log, once, where it was said to be; and nothing that nobody sent."""
        found: dict[str, Event] = {}
        for event in log:
            if event.type == "message":
                assert event.client_id is not None
                assert event.client_id not in found, f"{event.client_id} is in the log twice"
                found[event.client_id] = event
                sent = self.sent[event.client_id]
                assert (event.sender, event.lane) == (sent.person.id, sent.lane)
                assert msgspec.json.decode(event.content)["text"] == sent.text
        lost = {client_id: where for client_id, where in self.acked.items() if client_id not in found}
        assert not lost, f"{len(lost)} of {len(self.acked)} acknowledged messages are lost: {list(lost.items())[:5]}"
        for client_id, where in self.acked.items():
            assert (found[client_id].seq, found[client_id].position) == where


class Load:
    """Senders over REST and WebSocket. They stop when their connection is lost, or at the end of `async with`."""

    def __init__(self, crowd: Crowd, ledger: Ledger) -> None:
        self._crowd = crowd
        self._ledger = ledger
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()

    async def __aenter__(self) -> "Load":
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    def rest(self, person: Person, lanes: Sequence[str], *, at_once: int) -> None:
        """`at_once` requests in flight."""

        async def send(lane: str, text: str, client_id: str) -> Frame:
            return await self._crowd.send(person, lane, text, client_id)

        for _ in range(at_once):
            self._tasks.append(asyncio.create_task(self._talk(send, person, lanes)))

    def websocket(self, person: Person, lanes: Sequence[str], *, at_once: int, codec: Transport = "msgpack") -> None:
        self._tasks.append(asyncio.create_task(self._socket(person, lanes, at_once, codec)))

    async def acknowledged(self, count: int) -> None:
        """Wait for so many more acknowledgements."""
        wanted = len(self._ledger.acked) + count
        while len(self._ledger.acked) < wanted:
            assert not all(task.done() for task in self._tasks), [task for task in self._tasks if task.exception()]
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), 20)

    async def stop(self) -> None:
        """What is in flight stays unanswered. Raises what went wrong."""
        for task in self._tasks:
            task.cancel()
        tasks, self._tasks = self._tasks, []
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome

    async def ended(self) -> None:
        """Wait until all have lost their connection."""
        tasks, self._tasks = self._tasks, []
        await asyncio.wait_for(asyncio.gather(*tasks), 20)

    async def _socket(self, person: Person, lanes: Sequence[str], at_once: int, codec: Transport) -> None:
        with contextlib.suppress(Lost):
            async with open_socket(self._crowd.server, person, codec) as socket, asyncio.TaskGroup() as group:
                for _ in range(at_once):
                    group.create_task(self._talk(socket.send, person, lanes))
                async for _ in socket.frames():
                    pass

    async def _talk(self, send: Callable[[str, str, str], Awaitable[Frame]], person: Person, lanes: Sequence[str]) -> None:
        for number in range(1_000_000):
            client_id = self._ledger.new(person, lanes[number % len(lanes)])
            sent = self._ledger.sent[client_id]
            try:
                self._ledger.ack(client_id, await send(sent.lane, sent.text, client_id))
            except Lost:
                return
            except Refused as error:
                self._ledger.refused[error.code] += 1
                await asyncio.sleep(0.05)
            self._changed.set()


async def send_again(crowd: Crowd, ledger: Ledger, client_ids: Iterable[str]) -> None:
    """With the same ids, by turns over REST and WebSocket, until all have an answer."""
    by_person: dict[str, list[str]] = {}
    for client_id in client_ids:
        by_person.setdefault(ledger.sent[client_id].person.id, []).append(client_id)
    await asyncio.gather(*(_again(crowd, ledger, ids) for ids in by_person.values()))


async def _again(crowd: Crowd, ledger: Ledger, client_ids: Sequence[str]) -> None:
    person = ledger.sent[client_ids[0]].person
    device = await crowd.device(person, "json")
    assert device.socket is not None
    say = device.socket.send
    gate = asyncio.Semaphore(20)

    async def one(number: int, client_id: str) -> None:
        sent = ledger.sent[client_id]
        async with gate:
            if number % 2:
                ledger.ack(client_id, await crowd.send(person, sent.lane, sent.text, client_id))
            else:
                ledger.ack(client_id, await say(sent.lane, sent.text, client_id))

    await asyncio.gather(*(one(number, client_id) for number, client_id in enumerate(client_ids)))
    await device.disconnect()


def log_of(server: Server | Cluster) -> list[Event]:
    """The whole log, read from where it is kept; its positions and seqs are dense."""
    log = [Event(*row) for row in (_shared_rows(server.shared.store) if server.shared is not None else _rows(server.data))]
    assert_whole(log)
    return log


def _rows(data: Path) -> list[Any]:
    with contextlib.closing(sqlite3.connect(f"file:{data / sqlite_file.DATABASE}?mode=ro", uri=True)) as connection:
        return connection.execute(_LOG).fetchall()


def _shared_rows(url: str) -> list[Any]:
    async def fetch() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(_LOG)]
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as pool:  # the test may have a running loop
        return pool.submit(asyncio.run, fetch()).result()


def whole_history(person: Person, conversation: str) -> list[Frame]:
    """All that the person may read, by pages from the beginning."""
    found: list[Frame] = []
    while True:
        answer = person.call(
            "GET", f"/v1/conversations/{conversation}/events", after=found[-1]["seq"] if found else 0, limit=1000
        )
        found += answer["events"]
        if not answer["more"]:
            return found


@contextlib.asynccontextmanager
async def under_load(crowd: Crowd, ledger: Ledger, people: Sequence[Person], lanes: Sequence[str]) -> AsyncIterator[Load]:
    """Everybody of `people` sends to all the lanes, some over REST and some over WebSocket."""
    async with Load(crowd, ledger) as load:
        for number, person in enumerate(people):
            if number % 2:
                load.rest(person, lanes, at_once=4)
            else:
                load.websocket(person, lanes, at_once=40)
        yield load
