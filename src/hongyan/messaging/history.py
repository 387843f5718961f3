"""What was said before: ranges of one conversation, both ways."""

from sqlalchemy import Connection, select

from hongyan.core import policy
from hongyan.core.errors import Invalid
from hongyan.core.model import Caller, Event
from hongyan.core.wire import Entry
from hongyan.messaging.tables import members
from hongyan.store import Store, reading


class History:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(
        self, caller: Caller, conversation: str, *, before: int | None = None, after: int | None = None, limit: int
    ) -> tuple[list[Entry], bool]:
        """The newest `limit` events below `before` (or of all), or the oldest above `after`, ascending; and whether there are
        more.

        Only what the caller may read: from the first event that the history policy gave them. Raises NotFound, Invalid.
        """
        if before is not None and after is not None:
            raise Invalid("Give before or after, not both")

        def read(connection: Connection) -> list[Event]:
            row = connection.execute(
                select(members.c.role, members.c.first_seq).where(
                    members.c.conversation == conversation, members.c.user == caller.user
                )
            ).one_or_none()
            policy.member(row.role if row else None)
            first = row.first_seq if row else 1
            if after is not None:
                return reading.lane_after(connection, conversation, max(after, first - 1), limit + 1)
            return reading.lane_before(connection, conversation, first, before, limit + 1)

        found = [Entry(event, self._store.epoch) for event in await self._store.read(read)]
        if after is not None:
            return found[:limit], len(found) > limit
        return found[-limit:], len(found) > limit
