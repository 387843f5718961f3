"""What has to go to other servers: the events of direct conversations with their people, followed by one node at a time.

The position is stored now and then, so after a crash a few messages may go out twice, with the same ids; none is left out.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec
from sqlalchemy import Connection, insert, select, update

from hongyan.core.errors import HongyanError
from hongyan.core.model import Event
from hongyan.features.xmpp.tables import forwarded
from hongyan.messaging import Messaging
from hongyan.messaging.tables import conversations
from hongyan.store import Store, Transaction, reading

log = logging.getLogger("hongyan.xmpp")

_LOOK_SECONDS = 1.0
_KEEP_SECONDS = 2.0
_PAGE = 500

Forward = Callable[[Event], Awaitable[None]]


class _Person(msgspec.Struct):
    id: str = ""


class _Created(msgspec.Struct):
    members: list[_Person] = []


class Forwarding:
    """`forward` gives one event to whom it is for; it does not wait until that has it."""

    def __init__(self, store: Store, messaging: Messaging, forward: Forward) -> None:
        self._store = store
        self._messaging = messaging
        self._forward = forward
        self._lanes: set[str] = set()
        self._position = 0
        self._kept = 0
        self._leads = False
        self._something = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        messaging.log.fold(self._apply)

    async def start(self) -> None:
        key = conversations.c.direct_key
        statement = select(conversations.c.id).where(key.contains("@"))
        self._lanes |= set(await self._store.read(lambda connection: list(connection.execute(statement).scalars())))
        self._task = asyncio.create_task(self._follow(), name="hongyan xmpp forwarding")

    async def stop(self) -> None:
        if self._task is not None:
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
        if event.lane in self._lanes:
            self._something.set()

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._something.wait()
            self._something.clear()
            try:
                await self._turn()
            except HongyanError as error:
                log.warning("nothing can go to other servers now: %s", error)
                await asyncio.sleep(_LOOK_SECONDS)
            except Exception:
                log.exception("something could not go to other servers")
                await asyncio.sleep(_LOOK_SECONDS)

    async def _turn(self) -> None:
        if self._messaging.nodes.rank() or self._messaging.log.stale:
            self._leads = False
            return
        if not self._leads:
            self._position = self._kept = await self._store.transaction(_stored, scope="xmpp forwarding")
            self._leads = True
        head = self._messaging.log.position
        while self._position < head:
            events = await self._store.read(partial(_after, list(self._lanes), self._position, head))
            for event in events:
                try:
                    await self._forward(event)
                except HongyanError:
                    raise
                except Exception:
                    log.exception("the event at position %d could not go to another server", event.position)
                self._position = event.position
            if len(events) < _PAGE:
                self._position = head
        if self._position > self._kept:
            await self._keep()

    async def _keep(self) -> None:
        position = self._position
        if self._leads and position > self._kept:
            await self._store.transaction(lambda tx: _keep(tx, position), scope="xmpp forwarding")
            self._kept = position


def _after(lanes: list[str], position: int, upto: int, connection: Connection) -> list[Event]:
    from hongyan.core.policy import Span

    if not lanes:
        return []
    return reading.visible_after(connection, [(lane, Span(1)) for lane in lanes], position, upto, _PAGE)


def _stored(tx: Transaction) -> int:
    """Where it was left; the first time where the log ends."""
    found: int | None = tx.connection.execute(select(forwarded.c.position)).scalar_one_or_none()
    if found is None:
        found = reading.head(tx.connection)
        tx.connection.execute(insert(forwarded).values(id=1, position=found))
    return found


def _keep(tx: Transaction, position: int) -> None:
    tx.connection.execute(update(forwarded).values(position=position))
