"""Builders: a whole messaging core on a store of its own, people in it, and readers that collect what they are given."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hongyan.bus import Bus
from hongyan.bus.local import LocalBus
from hongyan.config import Settings
from hongyan.core.content import Text
from hongyan.core.model import Caller, Event, TransportName
from hongyan.messaging import Messaging, Session, Verdict
from hongyan.store import Appended, reading
from hongyan.store.postgres import PostgresStore
from hongyan.store.sqlite import SqliteStore
from tests.store.tables import copy_of_empty


def new_store(path: Path, *, queue: int = 50_000) -> SqliteStore:
    if not path.exists():
        copy_of_empty(path)
    return SqliteStore(path, queue=queue, readers=2, checkpoint_pages=4000)


class House:
    """A messaging core with people, on a file or, when `place` is a URL, on PostgreSQL.

    Ids of people are given by the test; everybody has one device.
    """

    def __init__(self, place: Path | str, settings: Settings | None = None, bus: Bus | None = None) -> None:
        self.settings = settings or Settings()
        queue = self.settings.log.queue
        self.store: SqliteStore | PostgresStore = (
            PostgresStore(place, queue=queue, readers=2) if isinstance(place, str) else new_store(place, queue=queue)
        )
        self.messaging = Messaging(self.store, bus or LocalBus(), self.settings)
        self.readers: list[Reader] = []
        self._client_ids = itertools.count(1)

    async def add(self, *users: str) -> None:
        """New people, who are also in the lobby."""
        people = [(user, user.title(), False) for user in users]
        await self.store.transaction(lambda tx: self.messaging.people.add_many(tx, people, 1))
        await self.settled()

    def caller(self, user: str, device: str = "laptop") -> Caller:
        return Caller(user, user.title(), False, f"{user}-{device}", device)

    async def group(self, owner: str, *others: str, history: Any = "joined") -> str:
        return (await self.messaging.conversations.create_group(self.caller(owner), "项目组", others, history)).id

    async def send(self, user: str, conversation: str, text: str = "你好", client_id: str | None = None) -> Appended:
        chosen = client_id or f"c{next(self._client_ids)}"
        return await self.messaging.sender.send(self.caller(user), conversation, chosen, Text(text))

    async def log(self) -> list[Event]:
        """The whole log, read from the store."""
        return await self.store.read(lambda connection: reading.after(connection, 0, 10_000_000))

    async def settled(self) -> None:
        """Return when the follower has reached the end of the log."""
        await self.messaging.log.reached(await self.store.read(reading.head))

    async def reader(self, user: str, cursor: str | None = None, *, transport: TransportName = "websocket") -> "Reader":
        reader = Reader(self, user, transport)
        await reader.connect(cursor)
        self.readers.append(reader)
        return reader


@contextlib.asynccontextmanager
async def house(place: Path | str, settings: Settings | None = None, bus: Bus | None = None) -> AsyncIterator[House]:
    built = House(place, settings, bus)
    await built.messaging.start()
    try:
        yield built
    finally:
        for reader in built.readers:
            await reader.disconnect()
        await built.messaging.stop()


class Reader:
    """A client's receiving side: takes what it is woken for, and keeps events, signals, verdicts and its cursor."""

    def __init__(self, house: House, user: str, transport: TransportName) -> None:
        self._house = house
        self.user = user
        self.transport: TransportName = transport
        self.events: list[Event] = []
        self.signals: list[dict[str, Any]] = []
        self.verdicts: list[Verdict] = []
        self.limited: list[str] = []
        self.cursor: str | None = None
        self.session: Session | None = None
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def connect(self, cursor: str | None = None) -> None:
        """From `cursor`, or where it was left, or from now."""
        cursor = cursor or self.cursor
        self.session = await self._house.messaging.sessions.open(
            self._house.caller(self.user), self.transport, cursor, self._awake.set, self._closed
        )
        self.cursor = self.session.cursor if cursor is None else cursor
        self._task = asyncio.create_task(self._follow(self.session))

    async def disconnect(self) -> None:
        """As a dead network does: what was not taken is not seen."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self.session is not None:
            self.session.close()

    async def wait_for(self, count: int, type: str = "message") -> list[Event]:
        """Wait until so many events of this type were given."""
        async with asyncio.timeout(20):
            while len(found := [event for event in self.events if event.type == type]) < count:
                await asyncio.sleep(0.002)
        return found

    async def caught_up(self) -> None:
        """Wait until everything in the log that it may see was given."""
        await self._house.settled()
        async with asyncio.timeout(20):
            while (
                self.session is not None and not self.session.closed and self.session.cursor != self._house.messaging.log.cursor()
            ):
                await asyncio.sleep(0.002)
        await asyncio.sleep(0)

    def texts(self) -> list[str]:
        return [msgspec.json.decode(event.content)["text"] for event in self.events if event.type == "message"]

    def _closed(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)

    async def _follow(self, session: Session) -> None:
        self._awake.set()
        while not session.closed:
            await self._awake.wait()
            self._awake.clear()
            while not session.closed:
                chunk = await session.next(100)
                self.events += [entry.event for entry in chunk.entries]
                self.signals += chunk.signals
                if chunk.limited is not None:
                    self.limited.append(chunk.limited)
                self.cursor = chunk.cursor
                if not chunk.entries and not chunk.signals and not session.behind:
                    break


class _Person(msgspec.Struct):
    id: str


class _Change(msgspec.Struct):
    action: str = ""
    members: list[_Person] = []
    users: list[_Person] = []


def visible(log: Sequence[Event], user: str) -> list[int]:
    """The plain model of what a stream shows a user: the positions, by replaying the whole log one event after the other."""
    inside: set[str] = set()
    shown: list[int] = []
    for event in log:
        entering = leaving = False
        if event.type in ("create", "member"):
            change = msgspec.json.decode(event.content, type=_Change)
            touched = user in {person.id for person in [*change.members, *change.users]}
            entering = touched and (event.type == "create" or change.action == "add")
            leaving = touched and change.action in ("remove", "leave")
        if entering:
            inside.add(event.lane)
        if event.lane in inside or event.lane in ("directory", f"user:{user}"):
            shown.append(event.position)
        if leaving:
            inside.discard(event.lane)
    return shown
