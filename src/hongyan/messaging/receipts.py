"""Read marks: one monotone number for each reader and conversation, merged by maximum. A mark also ends what its reader had
marked as unread (`core/own.py`), even where it does not move.

The reader's own devices learn of it by an event in the user's lane; others by a signal, at most a few a second for each
conversation. Marks that come while others are being stored are stored together: people read as often as they write.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import bindparam, delete, select, tuple_, update

from hongyan.bus import Bus, Signal
from hongyan.core import policy
from hongyan.core.errors import HongyanError, Invalid, Overloaded
from hongyan.core.model import Caller, Role, user_lane
from hongyan.messaging.describing import MEMBERS_LISTED
from hongyan.messaging.tables import members
from hongyan.messaging.tables_own import unread_marks
from hongyan.messaging.views import Views
from hongyan.store import Draft, Store, Transaction, reading

log = logging.getLogger("hongyan.messaging")

SCOPE = "read"
"""Transactions that write read marks come one after the other."""
_SIGNAL_SECONDS = 0.25
_AT_ONCE = 200
_MOST_WAITING = 20_000

_SET = (
    update(members)
    .where(members.c.conversation == bindparam("lane"), members.c.user == bindparam("reader"))
    .values(read_seq=bindparam("mark"))
)


class _Mark:
    __slots__ = ("conversation", "done", "seq", "user")

    def __init__(self, user: str, conversation: str, seq: int, done: "asyncio.Future[int]") -> None:
        self.user = user
        self.conversation = conversation
        self.seq = seq
        self.done = done


class Receipts:
    def __init__(self, store: Store, bus: Bus, views: Views, *, clock: Callable[[], int]) -> None:
        self._store = store
        self._bus = bus
        self._views = views
        self._clock = clock
        self._waiting: list[_Mark] = []
        self._alone = 0
        """So many of those that wait go alone."""
        self._storing: asyncio.Task[None] | None = None
        self._untold: dict[tuple[str, str], int] = {}
        self._telling: asyncio.TimerHandle | None = None

    async def read(self, caller: Caller, conversation: str, seq: int) -> int:
        """Move the mark up to `seq`; gives where it is now.

        Raises NotFound, Invalid for a `seq` that is not there yet, Overloaded.
        """
        if "\0" in conversation:
            policy.member(None)
        if len(self._waiting) >= _MOST_WAITING:
            raise Overloaded(retry_after=1.0)
        mark = _Mark(caller.user, conversation, seq, asyncio.get_running_loop().create_future())
        self._waiting.append(mark)
        if self._storing is None:
            self._storing = asyncio.create_task(self._store_all(), name="hongyan read marks")
        marked = await mark.done
        if marked == seq:
            self._tell(caller.user, conversation, seq)
        return marked

    async def stop(self) -> None:
        """When those that wait are stored."""
        if self._telling is not None:
            self._telling.cancel()
        if self._storing is not None:
            await self._storing

    async def _store_all(self) -> None:
        while self._waiting:
            most = 1 if self._alone else _AT_ONCE
            self._alone = max(0, self._alone - 1)
            marks, self._waiting = self._waiting[:most], self._waiting[most:]
            now = self._clock()
            outcomes: Sequence[int | Exception]
            try:
                outcomes = await self._store.transaction(lambda tx, marks=marks, now=now: _mark_all(tx, marks, now), scope=SCOPE)  # type: ignore[misc]
            except Exception as error:
                if not isinstance(error, HongyanError):
                    log.exception("read marks could not be stored")
                if isinstance(error, Invalid) and len(marks) > 1:  # one of them is at fault: the others are stored
                    self._alone = len(marks)
                    self._waiting = [*marks, *self._waiting]
                    continue
                outcomes = [error] * len(marks)
            for mark, outcome in zip(marks, outcomes, strict=True):
                if mark.done.done():
                    continue
                if isinstance(outcome, Exception):
                    mark.done.set_exception(outcome)
                else:
                    mark.done.set_result(outcome)
        self._storing = None

    def _tell(self, user: str, conversation: str, seq: int) -> None:
        lane = self._views.lanes.get(conversation)
        if lane is None or lane.member_count > MEMBERS_LISTED:
            return
        self._untold[user, conversation] = max(seq, self._untold.get((user, conversation), 0))
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(_SIGNAL_SECONDS, self._tell_all)

    def _tell_all(self) -> None:
        self._telling = None
        untold, self._untold = self._untold, {}
        for (user, conversation), seq in untold.items():
            body = {"type": "read", "conversation": conversation, "user": user, "seq": seq}
            self._bus.publish(Signal("read", user, (conversation,), body))


def _mark_all(tx: Transaction, marks: Sequence[_Mark], now: int) -> list[int | Exception]:
    """For each where it is afterwards, or why it was refused. One statement for all of a kind."""
    places = sorted({(mark.conversation, mark.user) for mark in marks})
    rows = tx.connection.execute(
        select(members.c.conversation, members.c.user, members.c.role, members.c.read_seq).where(
            tuple_(members.c.conversation, members.c.user).in_(places)
        )
    )
    found: dict[tuple[str, str], tuple[Role, int]] = {(row.conversation, row.user): (row.role, row.read_seq) for row in rows}
    of = (unread_marks.c.conversation, unread_marks.c.user)
    marked = tx.connection.execute(select(unread_marks).where(tuple_(*of).in_(places)))
    unread: dict[tuple[str, str], int] = {(row.conversation, row.user): row.seq for row in marked}
    ended: list[tuple[str, str]] = []
    heads = reading.lane_heads(tx.connection, [conversation for conversation, _ in found])
    outcomes: list[int | Exception] = []
    fresh: dict[tuple[str, str], int] = {}
    for mark in marks:
        place = (mark.conversation, mark.user)
        role, before = found.get(place, (None, 0))
        before = max(before, fresh.get(place, 0))
        try:
            policy.member(role)
            if mark.seq > heads.get(mark.conversation, 0):
                raise Invalid(f"This conversation has no event {mark.seq} yet")
        except HongyanError as error:
            outcomes.append(error)
            continue
        if mark.seq > before:
            fresh[place] = mark.seq
        if place in unread and mark.seq >= unread[place]:
            del unread[place]
            ended.append(place)
            fresh.setdefault(place, before)
        outcomes.append(max(mark.seq, before))
    if ended:
        tx.connection.execute(delete(unread_marks).where(tuple_(*of).in_(ended)))
    if fresh:
        moved = sorted(fresh.items())
        tx.connection.execute(_SET, [{"lane": lane, "reader": user, "mark": seq} for (lane, user), seq in moved])
        tx.append_all(
            [
                Draft(user_lane(user), "read", user, now, msgspec.json.encode({"conversation": conversation, "seq": seq}))
                for (conversation, user), seq in moved
            ]
        )
    return outcomes
