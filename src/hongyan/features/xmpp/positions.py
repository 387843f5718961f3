"""Messages for who was away (XEP-0160): how far the XMPP clients of an account have come, and what came since and is unread.

Positions only grow. They are stored together, a moment after the first of them has moved: a node that is killed gives some
messages again, and loses none.
"""

import asyncio
import contextlib
import logging
from functools import partial

from sqlalchemy import Connection, bindparam, insert, select, update

from hongyan.core.model import WRITTEN, Event
from hongyan.features.xmpp.tables import xmpp_positions
from hongyan.messaging.owned import hidden
from hongyan.messaging.tables import conversations, members
from hongyan.store import Store, Transaction
from hongyan.store.backwards import visible_before

log = logging.getLogger("hongyan.xmpp")

_SECONDS = 1.0
_AT_ONCE = 500
_MOST_BYTES = 262_144
_SCOPE = "xmpp positions"
_MOVE = (
    update(xmpp_positions)
    .where(xmpp_positions.c.user == bindparam("who"), xmpp_positions.c.position < bindparam("upto"))
    .values(position=bindparam("upto"))
)


class Positions:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._moved: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    def moved(self, user: str, position: int) -> None:
        """A client of theirs has everything up to there."""
        if position > self._moved.get(user, 0):
            self._moved[user] = position
            if self._task is None:
                self._task = asyncio.create_task(self._later(), name="hongyan xmpp positions")

    async def stop(self) -> None:
        """When what has moved is stored, or cannot be."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._store_all()

    async def missed(self, user: str, upto: int, most: int) -> list[Event]:
        """The newest of others in direct conversations, above the position and up to this one, that are unread."""
        since = self._moved.get(user, 0)
        return await self._store.read(partial(_missed, user, since, upto, most))

    async def _later(self) -> None:
        await asyncio.sleep(_SECONDS)
        self._task = None
        await self._store_all()

    async def _store_all(self) -> None:
        moved, self._moved = self._moved, {}
        rows = sorted(moved.items())
        try:
            for at in range(0, len(rows), _AT_ONCE):
                await self._store.transaction(partial(_store, rows[at : at + _AT_ONCE]), scope=_SCOPE)
        except Exception as error:
            log.warning("positions of XMPP clients cannot be stored: %s", error)


def _store(rows: list[tuple[str, int]], tx: Transaction) -> None:
    c = xmpp_positions.c
    there = set(tx.connection.execute(select(c.user).where(c.user.in_([user for user, _ in rows]))).scalars())
    if old := [{"who": user, "upto": position} for user, position in rows if user in there]:
        tx.connection.execute(_MOVE, old)
    if new := [{"user": user, "position": position} for user, position in rows if user not in there]:
        tx.connection.execute(insert(xmpp_positions), new)


def _missed(user: str, since: int, upto: int, most: int, connection: Connection) -> list[Event]:
    stored = connection.execute(select(xmpp_positions.c.position).where(xmpp_positions.c.user == user)).scalar_one_or_none()
    since = max(since, stored or 0)
    c = members.c
    mine = select(c.conversation, c.first_seq, c.read_seq).join(conversations, conversations.c.id == c.conversation)
    rows = connection.execute(mine.where(c.user == user, conversations.c.kind == "direct"))
    lanes = [(row.conversation, max(row.first_seq, row.read_seq + 1)) for row in rows]
    found = visible_before(connection, lanes, upto + 1, most, _MOST_BYTES)
    wanted = [event for event in found if event.position > since and event.sender != user and event.type in WRITTEN]
    gone = {lane: hidden(connection, user, lane, 1, 2**53) for lane in {event.lane for event in wanted}}
    return [event for event in wanted if event.seq not in gone[event.lane]]
