"""What was said before: ranges of one conversation, both ways."""

from sqlalchemy import Connection, select

from hongyan.core import policy
from hongyan.core.errors import Invalid
from hongyan.core.model import Caller, Event
from hongyan.core.wire import Entry
from hongyan.messaging.tables import members
from hongyan.messaging.views import View
from hongyan.store import Store, reading

_READ = 100
_MOST_BYTES = 1_048_576
"""A page that has so many bytes of contents is long enough, whatever `limit` says."""


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

        def read(connection: Connection) -> tuple[list[Event], bool]:
            row = connection.execute(
                select(members.c.role, members.c.first_seq).where(
                    members.c.conversation == conversation, members.c.user == caller.user
                )
            ).one_or_none()
            policy.member(row.role if row else None)
            first = row.first_seq if row else 1
            if after is not None:
                return _forward(connection, conversation, max(after, first - 1), limit)
            return _backward(connection, conversation, first, before, limit)

        events, more = await self._store.read(read)
        return [Entry(event, self._store.epoch) for event in events], more

    async def visible(self, view: View, after: int, upto: int, limit: int) -> tuple[list[Event], int]:
        """The oldest events above `after`, up to `upto`, that a user's stream may show, and up to where that is all of them."""
        spans = [(lane, span) for lane, parts in view.spans.items() for span in parts]
        events = await self._store.read(
            lambda connection: reading.visible_after(connection, spans, after, upto, limit, _MOST_BYTES)
        )
        full = len(events) == limit or _size(events) >= _MOST_BYTES
        return events, events[-1].position if full else upto


def _forward(connection: Connection, conversation: str, after: int, limit: int) -> tuple[list[Event], bool]:
    found: list[Event] = []
    while len(found) < limit and _size(found) < _MOST_BYTES:
        wanted = min(_READ, limit - len(found))
        page = reading.lane_after(connection, conversation, found[-1].seq if found else after, wanted + 1)
        found += page[:wanted]
        if len(page) <= wanted:
            return found, False
    return found, True


def _backward(connection: Connection, conversation: str, first: int, before: int | None, limit: int) -> tuple[list[Event], bool]:
    found: list[Event] = []
    while len(found) < limit and _size(found) < _MOST_BYTES:
        wanted = min(_READ, limit - len(found))
        page = reading.lane_before(connection, conversation, first, found[0].seq if found else before, wanted + 1)
        found = page[-wanted:] + found
        if len(page) <= wanted:
            return found, False
    return found, True


def _size(events: list[Event]) -> int:
    return sum(len(event.content) for event in events)
