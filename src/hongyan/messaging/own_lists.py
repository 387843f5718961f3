"""Lists of what is one's own: bookmarks with their messages, followed threads with what is unread; preferences."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, and_, case, func, literal, select

from hongyan.core.amending import Amended
from hongyan.core.model import Caller
from hongyan.core.preferences import Preferences
from hongyan.core.wire import WireEvent, wired
from hongyan.messaging import amendments
from hongyan.messaging.amendments import Ref
from hongyan.messaging.describing import UNREAD_MOST
from hongyan.messaging.owned import preferences_of, shown
from hongyan.messaging.tables import amended, followers, members, replies
from hongyan.messaging.tables_own import bookmarks
from hongyan.store import Store, reading
from hongyan.store.schema import events


class BookmarkView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message at hand."""

    conversation: str
    seq: int
    place: int
    """Where it is in the list: the newest has the largest. For the next page."""
    time: int
    """When it was bookmarked."""
    message: WireEvent
    note: str = ""
    amended: Amended | None = None


class ThreadView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A thread that one follows."""

    conversation: str
    seq: int
    """The message that it hangs on."""
    place: int
    """Of its newest message in the log: the thread with the newest comes first. For the next page."""
    read_seq: int
    message: WireEvent
    unread: int = 0
    amended: Amended | None = None


class Bookmarks(msgspec.Struct, frozen=True):
    bookmarks: list[BookmarkView]
    more: bool


class Threads(msgspec.Struct, frozen=True):
    threads: list[ThreadView]
    more: bool


class OwnLists:
    """What is in conversations that the caller is not in any more is left out, and comes back when they do."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def preferences(self, caller: Caller) -> Preferences:
        return await self._store.read(lambda connection: preferences_of(connection, caller.user))

    async def bookmarks(self, caller: Caller, before: int | None, limit: int) -> Bookmarks:
        """The newest `limit` below the place `before`, newest first."""
        mine = and_(members.c.conversation == bookmarks.c.conversation, members.c.user == bookmarks.c.user)
        statement = (
            select(bookmarks)
            .join(members, and_(mine, members.c.first_seq <= bookmarks.c.seq))
            .where(bookmarks.c.user == caller.user, shown(caller.user, bookmarks.c.conversation, bookmarks.c.seq))
            .order_by(bookmarks.c.place.desc())
            .limit(limit + 1)
        )
        if before is not None:
            statement = statement.where(bookmarks.c.place < before)

        def read(connection: Connection) -> Bookmarks:
            rows = connection.execute(statement).all()
            refs = [(row.conversation, row.seq) for row in rows[:limit]]
            messages, states = self._messages(connection, caller.user, refs)
            found = [
                BookmarkView(*ref, row.place, row.time, messages[ref], row.note, states.get(ref))
                for ref, row in zip(refs, rows, strict=False)
            ]
            return Bookmarks(found, len(rows) > limit)

        return await self._store.read(read)

    async def threads(self, caller: Caller, before: int | None, limit: int) -> Threads:
        """The `limit` with the newest messages below the place `before`, newest first."""
        f, r = followers.c, replies.c
        mine = and_(members.c.conversation == f.conversation, members.c.user == f.user, members.c.first_seq <= f.seq)
        newest = func.coalesce(case((amended.c.reply_seq > 0, amended.c.reply_seq), else_=None), f.seq)
        above = select(literal(1).label("one")).where(r.conversation == f.conversation, r.seq == f.seq, r.place > f.read_seq)
        some = above.limit(UNREAD_MOST).correlate(followers).subquery()
        unread = select(func.count()).select_from(some).scalar_subquery()
        statement = (
            select(f.conversation, f.seq, f.read_seq, events.c.position, unread.label("unread"))
            .select_from(followers)
            .join(members, mine)
            .outerjoin(amended, and_(amended.c.conversation == f.conversation, amended.c.seq == f.seq))
            .join(events, and_(events.c.lane == f.conversation, events.c.seq == newest))
            .where(f.user == caller.user, f.read_seq >= 0, shown(caller.user, f.conversation, f.seq))
            .order_by(events.c.position.desc())
            .limit(limit + 1)
        )
        if before is not None:
            statement = statement.where(events.c.position < before)

        def read(connection: Connection) -> Threads:
            rows = connection.execute(statement).all()
            refs = [(row.conversation, row.seq) for row in rows[:limit]]
            messages, states = self._messages(connection, caller.user, refs)
            found = [
                ThreadView(*ref, row.position, row.read_seq, messages[ref], row.unread, states.get(ref))
                for ref, row in zip(refs, rows, strict=False)
            ]
            return Threads(found, len(rows) > limit)

        return await self._store.read(read)

    def _messages(
        self, connection: Connection, user: str, refs: Sequence[Ref]
    ) -> tuple[dict[Ref, WireEvent], dict[Ref, Amended]]:
        lanes: dict[str, list[int]] = defaultdict(list)
        for lane, seq in refs:
            lanes[lane].append(seq)
        found = [event for lane, seqs in lanes.items() for event in reading.at(connection, lane, seqs)]
        messages = {(event.lane, event.seq): wired(event, self._store.epoch) for event in found}
        return messages, amendments.states(connection, user, refs)
