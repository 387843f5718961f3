"""What was said before: ranges of one conversation, both ways; one message; its thread, its earlier texts, what is pinned.

What the reader has deleted for themselves is not there, wherever they look.
"""

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, select

from hongyan.core.amending import Amended
from hongyan.core.errors import Invalid, NotFound
from hongyan.core.model import Caller, Event
from hongyan.core.wire import Entry
from hongyan.messaging import amendments
from hongyan.messaging.here import Here, here_of, readable
from hongyan.messaging.owned import hidden, shown
from hongyan.messaging.tables import amended, edits, replies
from hongyan.messaging.views import View
from hongyan.store import Store, reading

_READ = 100
_MOST_BYTES = 1_048_576
"""A page that has so many bytes of contents is long enough, whatever `limit` says."""


class Page(msgspec.Struct, frozen=True):
    """Events in order; whether there are more in the direction that was asked for; what was done to those that are messages."""

    entries: list[Entry]
    more: bool
    amended: list[Amended]
    newer: bool = False
    """Around a message: there are more above the newest of these, and `more` is about below the oldest."""


_Found = tuple[list[Event], bool]


class History:
    """Only what the caller may read: from the first event that the history policy gave them. Every call may raise NotFound."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(
        self, caller: Caller, conversation: str, *, before: int | None = None, after: int | None = None, limit: int
    ) -> Page:
        """The newest `limit` events below `before` (or of all), or the oldest above `after`. Raises Invalid."""
        if before is not None and after is not None:
            raise Invalid("Give before or after, not both")

        def read(connection: Connection, here: Here) -> _Found:
            if after is not None:
                return _forward(connection, caller.user, conversation, max(after, here.first_seq - 1), limit)
            return _backward(connection, caller.user, conversation, here.first_seq, before, limit)

        return await self._page(caller, conversation, read)

    async def around(self, caller: Caller, conversation: str, seq: int, limit: int) -> Page:
        """About half of `limit` up to `seq`, and including it if it is there, and the others above it."""
        newer = [False]

        def read(connection: Connection, here: Here) -> _Found:
            below, more = _backward(connection, caller.user, conversation, here.first_seq, seq + 1, (limit + 1) // 2)
            next_seq = max(seq, here.first_seq - 1)
            above, newer[0] = _forward(connection, caller.user, conversation, next_seq, max(limit // 2, 1))
            if limit == 1:
                above, newer[0] = [], bool(above)
            return below + above, more

        page = await self._page(caller, conversation, read)
        return msgspec.structs.replace(page, newer=newer[0])

    async def message(self, caller: Caller, conversation: str, seq: int) -> Page:
        """One message."""

        def read(connection: Connection, here: Here) -> _Found:
            return [_readable(connection, caller.user, here, seq)], False

        return await self._page(caller, conversation, read)

    async def edits(self, caller: Caller, conversation: str, seq: int, after: int, limit: int) -> Page:
        """The message as it was sent, and the `edit` events since: the oldest `limit` of these above `after`."""

        def read(connection: Connection, here: Here) -> _Found:
            event = _readable(connection, caller.user, here, seq)
            mine = (edits.c.conversation == here.id, edits.c.seq == seq, edits.c.place > after)
            since = select(edits.c.place).where(*mine).order_by(edits.c.place).limit(limit + 1)
            places = [*([event.seq] if event.seq > after else []), *connection.execute(since).scalars()]
            return reading.at(connection, here.id, places[:limit]), len(places) > limit

        return await self._page(caller, conversation, read)

    async def thread(self, caller: Caller, conversation: str, seq: int, after: int, limit: int) -> Page:
        """The oldest `limit` messages above `after` of a message's thread."""

        def read(connection: Connection, here: Here) -> _Found:
            _readable(connection, caller.user, here, seq)
            seen = shown(caller.user, replies.c.conversation, replies.c.place)
            mine = (replies.c.conversation == here.id, replies.c.seq == seq, seen)
            above = select(replies.c.place).where(*mine, replies.c.place > after).order_by(replies.c.place).limit(limit + 1)
            places = list(connection.execute(above).scalars())
            return reading.at(connection, here.id, places[:limit]), len(places) > limit

        return await self._page(caller, conversation, read)

    async def pinned(self, caller: Caller, conversation: str, after: int, limit: int) -> Page:
        """The pinned messages: the oldest `limit` above `after`."""

        def read(connection: Connection, here: Here) -> _Found:
            pinned = select(amended.c.seq).where(amended.c.conversation == here.id, amended.c.pinned.is_not(None))
            above = amended.c.seq > max(after, here.first_seq - 1)
            seqs = list(connection.execute(pinned.where(above).order_by(amended.c.seq).limit(limit + 1)).scalars())
            found = reading.at(connection, here.id, seqs[:limit])
            return _shown(connection, caller.user, found), len(seqs) > limit

        return await self._page(caller, conversation, read)

    async def visible(self, view: View, after: int, upto: int, limit: int) -> tuple[list[Event], int]:
        """The oldest events above `after`, up to `upto`, that a user's stream may show, and up to where that is all of them."""
        spans = [(lane, span) for lane, parts in view.spans.items() for span in parts]
        events = await self._store.read(
            lambda connection: reading.visible_after(connection, spans, after, upto, limit, _MOST_BYTES)
        )
        full = len(events) == limit or _size(events) >= _MOST_BYTES
        return events, events[-1].position if full else upto

    async def _page(self, caller: Caller, conversation: str, read: Callable[[Connection, Here], _Found]) -> Page:
        def all_of_it(connection: Connection) -> tuple[Sequence[Event], bool, list[Amended]]:
            events, more = read(connection, here_of(connection, conversation, caller.user))
            return events, more, amendments.of_page(connection, caller.user, conversation, events)

        events, more, states = await self._store.read(all_of_it)
        return Page([Entry(event, self._store.epoch) for event in events], more, states)


def _readable(connection: Connection, user: str, here: Here, seq: int) -> Event:
    event = readable(connection, here, seq)
    if hidden(connection, user, here.id, seq, seq):
        raise NotFound("You have deleted this message for yourself")
    return event


def _forward(connection: Connection, user: str, conversation: str, after: int, limit: int) -> _Found:
    found: list[Event] = []
    while len(found) < limit and _size(found) < _MOST_BYTES:
        wanted = min(_READ, limit - len(found))
        page = reading.lane_after(connection, conversation, after, wanted + 1)
        found += _shown(connection, user, page[:wanted])
        if len(page) <= wanted:
            return found, False
        after = page[wanted - 1].seq
    return found, True


def _backward(connection: Connection, user: str, conversation: str, first: int, before: int | None, limit: int) -> _Found:
    found: list[Event] = []
    while len(found) < limit and _size(found) < _MOST_BYTES:
        wanted = min(_READ, limit - len(found))
        page = reading.lane_before(connection, conversation, first, before, wanted + 1)
        found = _shown(connection, user, page[-wanted:]) + found
        if len(page) <= wanted:
            return found, False
        before = page[-wanted].seq
    return found, True


def _shown(connection: Connection, user: str, events: list[Event]) -> list[Event]:
    if not events:
        return []
    gone = hidden(connection, user, events[0].lane, events[0].seq, events[-1].seq)
    return [event for event in events if event.seq not in gone] if gone else events


def _size(events: list[Event]) -> int:
    return sum(len(event.content) for event in events)
