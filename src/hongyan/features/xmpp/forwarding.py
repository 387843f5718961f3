"""What has to go to other servers: the events of direct conversations with their people, and that one of them is brought into a
group. It is followed by one node at a time.

The position that is stored lies below everything that is still under way, so after a stop or a crash some messages may go out
twice, with the same ids; none is left out.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import msgspec
from sqlalchemy import insert, select, update

from hongyan.core.errors import HongyanError, NotFound
from hongyan.core.model import Event
from hongyan.features.xmpp.tables import forwarded
from hongyan.messaging import Messaging
from hongyan.messaging.tables import conversations
from hongyan.store import Store, Transaction, reading

log = logging.getLogger("hongyan.xmpp")

_LOOK_SECONDS = 0.1
_TROUBLE_SECONDS = 1.0
_KEEP_SECONDS = 2.0
_STOP_SECONDS = 1.0
"""For a question to the store that is under way; whoever waits for a queue is not waited for."""
_PAGE = 500
_MOST_UNDER_WAY = 100_000
_PATIENCE_SECONDS = 60.0
_SCOPE = "xmpp forwarding"

Done = Callable[[], None]
Forward = Callable[[Event, Done, float], Awaitable[None]]


class _Person(msgspec.Struct):
    id: str = ""


class _Created(msgspec.Struct):
    members: list[_Person] = []


class Forwarding:
    """`forward` gives one event to whom it is for, and calls back when nothing of it waits any more, sent or refused. It may wait
    some seconds for a queue that is full: while this node catches up there is more than queues hold, and nobody is in a hurry.
    """

    def __init__(self, store: Store, messaging: Messaging, forward: Forward) -> None:
        self._store = store
        self._messaging = messaging
        self._log = messaging.log
        self._forward = forward
        self._lanes: set[str] = set()
        self._position = 0
        self._under_way: dict[int, None] = {}
        """Positions, ascending."""
        self._behind = 0
        """Up to there it catches up."""
        self._patience = 0.0
        """Seconds that are left to wait for others while it does."""
        self._kept = 0
        self._kept_at = 0.0
        self.leads = False
        """It is this node that gives them."""
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        messaging.log.fold(self._apply)

    async def start(self) -> None:
        key = conversations.c.direct_key
        statement = select(conversations.c.id).where(key.contains("@"))
        self._lanes |= set(await self._store.read(lambda connection: list(connection.execute(statement).scalars())))
        self._task = asyncio.create_task(self._follow(), name="hongyan xmpp forwarding")

    async def stop(self) -> None:
        if self._task is not None:
            self._stopping.set()
            await asyncio.wait([self._task], timeout=_STOP_SECONDS)
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            with contextlib.suppress(HongyanError):
                await self._keep()

    def _apply(self, event: Event) -> None:
        if event.type == "create":
            people = msgspec.json.decode(event.content, type=_Created).members
            if len(people) == 2 and any("@" in person.id for person in people):
                self._lanes.add(event.lane)

    async def _follow(self) -> None:
        while not await self._stops(_LOOK_SECONDS):
            try:
                await self._turn()
            except HongyanError as error:
                log.warning("nothing can go to other servers now: %s", error)
                await self._stops(_TROUBLE_SECONDS)
            except Exception:
                log.exception("something could not go to other servers")
                await self._stops(_TROUBLE_SECONDS)

    async def _stops(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        return self._stopping.is_set()

    async def _turn(self) -> None:
        while self._is_first():
            if not self.leads:
                await self._lead()
            if self._position >= self._log.position:
                break
            for event in await self._next():
                if self._stopping.is_set():
                    return
                if event.lane in self._lanes or _brings_in(event):
                    await self._one(event)
                self._position = event.position
            await self._keep_now_and_then()
        await self._keep_now_and_then()

    def _is_first(self) -> bool:
        """Of the nodes this one gives them, as far as it can know."""
        first = self._messaging.first
        self.leads = self.leads and first
        return first

    async def _lead(self) -> None:
        """What this node has sent when it led before, it does not send again."""
        stored = await self._store.transaction(_stored, scope=_SCOPE)
        self._kept = stored
        self._position = max(self._position, stored)
        self._behind, self._patience = self._log.position, _PATIENCE_SECONDS
        self.leads = True

    async def _next(self) -> Sequence[Event]:
        """What is not in memory any more is read."""
        if self._position < self._log.floor:
            return await self._store.read(partial(reading.after, position=self._position, limit=_PAGE))
        return [entry.event for entry in self._log.after(self._position, _PAGE)]

    async def _one(self, event: Event) -> None:
        while len(self._under_way) >= _MOST_UNDER_WAY:
            await self._keep_now_and_then()
            await asyncio.sleep(_LOOK_SECONDS)
        self._under_way[event.position] = None
        done = partial(self._under_way.pop, event.position, None)
        began = asyncio.get_running_loop().time()
        try:
            await self._forward(event, done, self._patience if event.position <= self._behind else 0.0)
        except NotFound:
            done()  # it is not there any more
        except HongyanError:
            done()  # it is tried again
            raise
        except Exception:
            log.exception("the event at position %d could not go to another server", event.position)
            done()
        self._patience -= asyncio.get_running_loop().time() - began

    async def _keep_now_and_then(self) -> None:
        if asyncio.get_running_loop().time() >= self._kept_at + _KEEP_SECONDS:
            await self._keep()

    async def _keep(self) -> None:
        """Up to where nothing is under way."""
        self._kept_at = asyncio.get_running_loop().time()
        position = min(next(iter(self._under_way), self._position + 1) - 1, self._position)
        if self.leads and position > self._kept:
            await self._store.transaction(partial(_keep, position), scope=_SCOPE)
            self._kept = position


def _brings_in(event: Event) -> bool:
    """Perhaps somebody of another server is in a group from now on."""
    return event.type in ("create", "member") and b"@" in event.content


def _stored(tx: Transaction) -> int:
    """Where it was left; the first time where the log ends."""
    found: int | None = tx.connection.execute(select(forwarded.c.position)).scalar_one_or_none()
    if found is None:
        found = reading.head(tx.connection)
        tx.connection.execute(insert(forwarded).values(id=1, position=found))
    return found


def _keep(position: int, tx: Transaction) -> None:
    """Another node may have come further."""
    tx.connection.execute(update(forwarded).where(forwarded.c.position < position).values(position=position))
