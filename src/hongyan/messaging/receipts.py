"""Read marks: one monotone number for each reader and conversation, merged by maximum.

The reader's own devices learn of it by an event in the user's lane; others by a signal, at most a few a second for each
conversation.
"""

import asyncio
from collections.abc import Callable

import msgspec
from sqlalchemy import select, update

from hongyan.bus import Bus, Signal
from hongyan.core import policy
from hongyan.core.errors import Invalid
from hongyan.core.model import Caller, user_lane
from hongyan.messaging.describing import MEMBERS_LISTED
from hongyan.messaging.tables import members
from hongyan.messaging.views import Views
from hongyan.store import Draft, Store, Transaction, reading

_SIGNAL_SECONDS = 0.25


class Receipts:
    def __init__(self, store: Store, bus: Bus, views: Views, *, clock: Callable[[], int]) -> None:
        self._store = store
        self._bus = bus
        self._views = views
        self._clock = clock
        self._untold: dict[tuple[str, str], int] = {}
        self._telling: asyncio.TimerHandle | None = None

    async def read(self, caller: Caller, conversation: str, seq: int) -> int:
        """Move the mark up to `seq`; gives where it is now. Raises NotFound, Invalid for a `seq` that is not there yet."""
        user, now = caller.user, self._clock()

        def mark(tx: Transaction) -> int:
            mine = (members.c.conversation == conversation) & (members.c.user == user)
            row = tx.connection.execute(select(members.c.role, members.c.read_seq).where(mine)).one_or_none()
            policy.member(row.role if row else None)
            before: int = row.read_seq if row else 0
            if seq <= before:
                return before
            if seq > reading.lane_head(tx.connection, conversation):
                raise Invalid(f"This conversation has no event {seq} yet")
            tx.connection.execute(update(members).where(mine).values(read_seq=seq))
            content = msgspec.json.encode({"conversation": conversation, "seq": seq})
            tx.append(Draft(user_lane(user), "read", user, now, content))
            return seq

        marked = await self._store.transaction(mark)
        if marked == seq:
            self._tell(user, conversation, seq)
        return marked

    def stop(self) -> None:
        if self._telling is not None:
            self._telling.cancel()

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
