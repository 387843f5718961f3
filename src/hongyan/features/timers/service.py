"""What people do with their timers: each call is one transaction, which writes the row and tells the user's other devices."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from hongyan import config
from hongyan.core.content import Content, Text, encode_content
from hongyan.core.errors import ClientIdReused, Conflict, Invalid, NotFound
from hongyan.core.ids import id_from_bits
from hongyan.core.model import Caller, user_lane
from hongyan.features.timers import telling
from hongyan.features.timers.model import Kind, NewReminder, NewSend, TimerList, TimerView, Told, shown
from hongyan.features.timers.tables import timers
from hongyan.messaging import Log
from hongyan.messaging.here import here_of, readable
from hongyan.store import Store, Transaction, reading

_ID_BYTES = 15
_DAY = 86_400_000


class Timers:
    """Every call may raise NotFound and Invalid."""

    def __init__(
        self,
        store: Store,
        log: Log,
        settings: config.Settings,
        *,
        clock: Callable[[], int],
        random: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._log = log
        self._limits = settings.timers
        self._most_bytes = settings.limits.message_bytes
        self._clock = clock
        self._random = random
        log.fold(lambda event: telling.forget(log, event))

    async def make(self, caller: Caller, new: NewSend | NewReminder) -> TimerView:
        """A new timer. Raises Conflict for one too many, TooLarge, ClientIdReused."""
        self._log.require_fresh()
        now, user, id = self._clock(), caller.user, id_from_bits(self._random(_ID_BYTES))
        self._check_due(new.due, now)
        values = self._checked(new)

        def run(tx: Transaction) -> TimerView:
            if (again := _made_before(tx.connection, user, new)) is not None:
                return again
            here = here_of(tx.connection, new.conversation, user)
            if isinstance(new, NewReminder):
                readable(tx.connection, here, new.seq)
            if tx.connection.execute(select(func.count()).where(timers.c.user == user)).scalar_one() >= self._limits.most:
                raise Conflict(f"You may have {self._limits.most} timers; cancel one first")
            row = dict(id=id, kind=_kind(new), conversation=here.id, due=new.due, created=now, **values)
            tx.connection.execute(insert(timers).values(user=user, place=0, **row))
            return _tell(tx, user, id, now, client_id=new.client_id)

        return await self._store.transaction(run, scope=user_lane(user))

    async def all(self, caller: Caller) -> TimerList:
        statement = select(timers).where(timers.c.user == caller.user).order_by(timers.c.due, timers.c.id)

        def read(connection: Connection) -> TimerList:
            found = [shown(row) for row in connection.execute(statement)]
            return TimerList(found, f"{self._store.epoch}.{reading.head(connection)}")

        return await self._store.read(read)

    async def change(
        self, caller: Caller, id: str, *, due: int | None = None, content: Content | None = None, note: str | None = None
    ) -> TimerView:
        """Another time, message or note. One that could not go is tried again when it has another time."""
        self._log.require_fresh()
        now, user = self._clock(), caller.user
        values: dict[str, object] = {}
        if due is not None:
            self._check_due(due, now)
            values |= {"due": due, "failed": None, "detail": None}
        if content is not None:
            values["content"] = self._encoded(content)
        if note is not None:
            values["note"] = _noted(note)
        if not values:
            raise Invalid("Give another time, content or note")

        def run(tx: Transaction) -> TimerView:
            row = _locked(tx.connection, user, id)
            if (content if row.kind == "reminder" else note) is not None:
                raise Invalid("A message has a content, a reminder has a note")
            if all(getattr(row, name) == value for name, value in values.items()):
                return shown(row)
            if due is None and row.failed is not None:
                raise Invalid("This timer is over: give it another time")
            tx.connection.execute(update(timers).where(timers.c.id == id).values(**values))
            return _tell(tx, user, id, now, was=row.place)

        return await self._store.transaction(run, scope=user_lane(user))

    async def cancel(self, caller: Caller, id: str) -> None:
        """It does not go. NotFound says that it has gone, or never was."""
        self._log.require_fresh()
        now, user = self._clock(), caller.user

        def run(tx: Transaction) -> None:
            row = _locked(tx.connection, user, id)
            tx.connection.execute(delete(timers).where(timers.c.id == id))
            tx.append(telling.draft(tx, user, Told(id, was=row.place), now))

        await self._store.transaction(run, scope=user_lane(user))

    def _check_due(self, due: int, now: int) -> None:
        if due <= now:
            raise Invalid("A timer cannot be due in the past")
        if due > now + self._limits.ahead_days * _DAY:
            raise Invalid(f"A timer may be due {self._limits.ahead_days} days ahead")

    def _checked(self, new: NewSend | NewReminder) -> dict[str, object]:
        if isinstance(new, NewSend):
            return {"content": self._encoded(new.content), "seq": None, "note": ""}
        return {"content": None, "seq": new.seq, "note": _noted(new.note)}

    def _encoded(self, content: Content) -> bytes:
        encode_content(content, self._most_bytes)
        if isinstance(content, Text) and "\0" in "".join(content.mentions):
            raise Invalid("A mention names a member")
        return msgspec.json.encode(content)


def _noted(note: str) -> str:
    if "\0" in note:
        raise Invalid("A note cannot contain the character U+0000")
    return note


def _kind(new: NewSend | NewReminder) -> Kind:
    return "send" if isinstance(new, NewSend) else "reminder"


def _made_before(connection: Connection, user: str, new: NewSend | NewReminder) -> TimerView | None:
    """The timer that this client id made before. Raises ClientIdReused."""
    event = reading.sent(connection, user, new.client_id) if new.client_id is not None else None
    if event is None:
        return None
    if event.type != "timer":
        raise ClientIdReused
    told = telling.decode(event.content)
    row = connection.execute(select(timers).where(timers.c.id == told.id)).one_or_none()
    if row is not None:
        return shown(row)
    return TimerView(told.id, _kind(new), new.conversation, new.due, event.time, gone=True)


def _locked(connection: Connection, user: str, id: str) -> Any:
    """The row, which nobody else changes or lets go until this transaction has ended."""
    row = connection.execute(select(timers).where(timers.c.id == id, timers.c.user == user).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("There is no such timer: it has gone, or was cancelled")
    return row


def _tell(tx: Transaction, user: str, id: str, now: int, *, was: int | None = None, client_id: str | None = None) -> TimerView:
    timer = shown(tx.connection.execute(select(timers).where(timers.c.id == id)).one())
    placed = tx.append(telling.draft(tx, user, Told(id, timer, was=was), now, client_id))
    tx.connection.execute(update(timers).where(timers.c.id == id).values(place=placed.seq))
    return timer
