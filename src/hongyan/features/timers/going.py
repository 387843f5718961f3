"""Letting timers go when they are due: a loop on every node, and exactly once altogether.

One transaction takes the row away and appends the message or the reminder: whoever comes second, on whichever node, after
whatever failure, finds no row. So nodes need not agree on anything; that they wait for one another a little, in the order of
their ids, only spares them vain tries.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, select, update

from hongyan import config
from hongyan.core.content import Content
from hongyan.core.errors import Forbidden, HongyanError, OutcomeUnknown, Overloaded, RateLimited, StoreUnavailable
from hongyan.core.model import Event, user_lane
from hongyan.features.timers import telling
from hongyan.features.timers.model import Reminded, Told, shown
from hongyan.features.timers.tables import timers
from hongyan.messaging import Log
from hongyan.messaging.composing import compose
from hongyan.messaging.here import here_of, readable
from hongyan.messaging.tables import users
from hongyan.store import Draft, Store, Transaction

log = logging.getLogger("hongyan.timers")

_LOOK_SECONDS = 30.0
"""The clock is looked at so often, whatever it said before: clocks are set."""
_PATIENCE_SECONDS = 0.5
"""So long each node leaves to those before it."""
_MOST_WAITED_FOR = 4
_PAUSE_SECONDS = 1.0
_AT_ONCE = 20
_MANY = 200
_LATER = (StoreUnavailable, OutcomeUnknown, Overloaded, RateLimited)
"""They say nothing about the timer."""

_content = msgspec.json.Decoder(Content).decode
_encode = msgspec.json.Encoder().encode


class Going:
    """`rank` gives how many nodes come before this one."""

    def __init__(
        self,
        store: Store,
        log: Log,
        settings: config.Settings,
        *,
        clock: Callable[[], int],
        rank: Callable[[], int] = lambda: 0,
        look: float = _LOOK_SECONDS,
    ) -> None:
        self._store = store
        self._log = log
        self._most_bytes = settings.limits.message_bytes
        self._clock = clock
        self._rank = rank
        self._look = look
        self._awake = asyncio.Event()
        self._next: int | None = None
        """When the next one is due, as far as is known."""
        self._task: asyncio.Task[None] | None = None
        self.gone: Counter[str] = Counter()
        """What became of those that this node let go: `sent`, `reminded`, `failed`."""
        log.fold(self._heard)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="hongyan timers")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def round(self) -> float:
        """Let go what is due; gives the seconds until it is to be looked at again."""
        if self._log.stale:
            return _PAUSE_SECONDS
        due, upcoming = await self._store.read(self._due)
        if due and (before := min(self._rank(), _MOST_WAITED_FOR)):
            await asyncio.sleep(before * _PATIENCE_SECONDS)
            due, upcoming = await self._store.read(self._due)
        for at in range(0, len(due), _AT_ONCE):
            some = (self._let_go(id, conversation) for id, conversation in due[at : at + _AT_ONCE])
            for outcome in await asyncio.gather(*some, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome
        self._next = upcoming
        if due:
            return 0.0
        return self._look if upcoming is None else min(max((upcoming - self._clock()) / 1000, 0.0), self._look)

    async def _run(self) -> None:
        while True:
            self._awake.clear()
            try:
                seconds = await self.round()
            except Exception as error:
                if not isinstance(error, _LATER):
                    log.exception("timers could not be looked at")
                seconds = _PAUSE_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._awake.wait()

    def _heard(self, event: Event) -> None:
        """A fold: somebody has made or changed a timer, on whichever node."""
        if event.type == "timer":
            timer = telling.decode(event.content).timer
            if timer is not None and (self._next is None or timer.due < self._next):
                self._awake.set()

    def _due(self, connection: Connection) -> tuple[list[tuple[str, str]], int | None]:
        now = self._clock()
        waiting = timers.c.failed.is_(None)
        due = (
            select(timers.c.id, timers.c.conversation)
            .where(waiting, timers.c.due <= now)
            .order_by(timers.c.due, timers.c.id)
            .limit(_MANY)
        )
        upcoming = select(func.min(timers.c.due)).where(waiting, timers.c.due > now)
        return [(id, lane) for id, lane in connection.execute(due)], connection.execute(upcoming).scalar_one()

    async def _let_go(self, id: str, conversation: str) -> None:
        now = self._clock()
        try:
            outcome = await self._store.transaction(lambda tx: self._go(tx, id, now), scope=conversation)
        except _LATER:
            raise
        except Exception as error:
            if not isinstance(error, HongyanError):
                log.exception("timer %s could not go", id)
                error = HongyanError()
            why = error
            outcome = await self._store.transaction(lambda tx: _fail(tx, id, why, now), scope=conversation)
        if outcome:
            self.gone[outcome] += 1

    def _go(self, tx: Transaction, id: str, now: int) -> str:
        """What became of it; nothing when it is not there any more, or has been put off. Raises why it cannot go."""
        row = _taken(tx.connection, id, now)
        if row is None:
            return ""
        user = row.user
        tx.connection.execute(delete(timers).where(timers.c.id == id))
        if tx.connection.execute(select(users.c.disabled).where(users.c.id == user)).scalar_one():
            raise Forbidden("The account is disabled")
        if row.kind == "reminder":
            readable(tx.connection, here_of(tx.connection, row.conversation, user), row.seq)
            told = telling.draft(tx, user, Told(id, was=row.place), now)
            reminded = _encode(Reminded(id, row.conversation, row.seq, row.note))
            tx.append_all([Draft(user_lane(user), "reminder", user, now, reminded), told])
            return "reminded"
        content = _content(row.content)
        placed = compose(tx, user, row.conversation, content, f"timer-{id}", now, self._most_bytes)
        tx.append(telling.draft(tx, user, Told(id, sent=placed.seq, was=row.place), now))
        return "sent"


def _taken(connection: Connection, id: str, now: int) -> Any:
    """The row of a timer that is due, which nobody else changes or lets go meanwhile."""
    due = (timers.c.id == id, timers.c.due <= now, timers.c.failed.is_(None))
    return connection.execute(select(timers).where(*due).with_for_update()).one_or_none()


def _fail(tx: Transaction, id: str, error: HongyanError, now: int) -> str:
    """It stays in the list, with the reason."""
    row = _taken(tx.connection, id, now)
    if row is None:
        return ""
    tx.connection.execute(update(timers).where(timers.c.id == id).values(failed=error.code, detail=error.detail))
    timer = shown(tx.connection.execute(select(timers).where(timers.c.id == id)).one())
    placed = tx.append(telling.draft(tx, row.user, Told(id, timer, was=row.place), now))
    tx.connection.execute(update(timers).where(timers.c.id == id).values(place=placed.seq))
    return "failed"
