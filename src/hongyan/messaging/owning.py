"""What people do for themselves alone: each is one transaction, which decides, stores the row and appends the event.

Acts of one person come one after the other, in the scope of their lane. Two kinds share rows with others and take those scopes:
`unread` that of read marks, and what is done to threads that of the conversation.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Table, delete, func, insert, select, update

from hongyan import config
from hongyan.core import own as owns
from hongyan.core.errors import Conflict, Invalid, NotFound, TooLarge
from hongyan.core.ids import check_client_id
from hongyan.core.model import WRITTEN, Caller, Event, user_lane
from hongyan.messaging.here import Here, here_of, readable, repeated
from hongyan.messaging.log import Log
from hongyan.messaging.receipts import SCOPE as MARKS
from hongyan.messaging.tables import amended, followers, members
from hongyan.messaging.tables_own import arrangements, bookmarks, drafts, hidden, preferences, statuses, unread_marks
from hongyan.store import Draft, Store, Transaction, reading
from hongyan.store.redacting import redact

_DRAFT_BYTES = 20_000
UNFOLLOWED = -1
"""As the read mark of a thread: its author, or somebody who is mentioned, does not want to follow it."""


class Owning:
    """`do` may raise NotFound, Conflict, Invalid, TooLarge, ClientIdReused."""

    def __init__(self, store: Store, log: Log, settings: config.Settings, *, clock: Callable[[], int]) -> None:
        self._store = store
        self._log = log
        self._settings = settings
        self._clock = clock
        log.fold(self._forget)

    def _forget(self, event: Event) -> None:
        """A fold: the draft before leaves this node's memory too."""
        if event.type == "draft" and (told := _drafted(event.content)).was is not None:
            self._log.redact(event.lane, [told.was], _emptied(told))

    async def do(self, caller: Caller, own: owns.Own, client_id: str | None = None) -> int:
        """A position of the log at which it is so."""
        self._log.require_fresh()
        if client_id is not None:
            check_client_id(client_id)
        now = self._clock()
        own = owns.check(own, now)
        lane = user_lane(caller.user)

        def run(tx: Transaction) -> int:
            if client_id is not None and (again := repeated(tx.connection, caller.user, client_id, lane)) is not None:
                return again.position
            return _Deed(tx, caller.user, own, now, client_id, self._settings).run()

        return await self._store.transaction(run, scope=_scope(own, lane))


class _Drafted(msgspec.Struct):
    """A `draft` event, as far as nodes need it."""

    conversation: str
    thread: int | None = None
    was: int | None = None


_drafted = msgspec.json.Decoder(_Drafted).decode


def _emptied(draft: Any) -> bytes:
    """What is left of a draft that is not the newest any more."""
    content = {"conversation": draft.conversation} | ({"thread": draft.thread} if draft.thread else {})
    return msgspec.json.encode(content)


def _scope(own: owns.Own, lane: str) -> str:
    match own:
        case owns.Unread():
            return MARKS
        case owns.ThreadRead() | owns.Follow() | owns.Unfollow():
            return own.conversation
    return lane


class _Deed:
    """One of them, inside its transaction."""

    def __init__(
        self, tx: Transaction, user: str, own: owns.Own, now: int, client_id: str | None, settings: config.Settings
    ) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._user = user
        self._own = own
        self._now = now
        self._client_id = client_id
        self._settings = settings.own

    def run(self) -> int:
        match self._own:
            case owns.Draft():
                return self._draft(self._own)
            case owns.Bookmark():
                return self._bookmark(self._own)
            case owns.Unbookmark():
                return self._take_away(bookmarks, self._own, bookmarks.c.seq == self._own.seq)
            case owns.Hide():
                return self._hide(self._own)
            case owns.Unhide():
                return self._take_away(hidden, self._own, hidden.c.seq.in_(self._own.seqs))
            case owns.Unread():
                return self._unread(self._own)
            case owns.Notify():
                return self._arrange(self._own, level=self._own.level, muted_until=self._own.muted_until)
            case owns.Arrange():
                return self._arrange(self._own, pinned=self._own.pinned, archived=self._own.archived, place=self._own.place)
            case owns.ThreadRead():
                return self._thread_read(self._own)
            case owns.Follow():
                return self._follow(self._own)
            case owns.Unfollow():
                return self._unfollow(self._own)
            case owns.SetPreferences():
                content = msgspec.json.encode(self._own.preferences)
                return self._put(preferences, {}, {"content": content}, {"content": b"{}"})
            case owns.Status():
                values = {"text": self._own.text, "emoji": self._own.emoji, "until": self._own.until}
                return self._put(statuses, {}, values, {"text": "", "emoji": None, "until": None})

    # What stands in a conversation

    def _draft(self, draft: owns.Draft) -> int:
        keys = {"conversation": draft.conversation, "thread": draft.thread or 0}
        before = self._row(drafts, keys)
        if draft.text is None and before is not None:
            self._connection.execute(delete(drafts).where(*self._of(drafts, keys)))
            return self._append(was=self._emptied(before.place))
        here = self._here(draft.conversation)
        if draft.text is None:
            return self._so_already()
        if draft.thread is not None:
            readable(self._connection, here, draft.thread)
        if len(msgspec.json.encode(draft.text)) > _DRAFT_BYTES:
            raise TooLarge(f"A draft may have {_DRAFT_BYTES:,} bytes")
        values = {"text": draft.text, "reply": draft.reply}
        if before is not None and {name: getattr(before, name) for name in values} == values:
            return self._so_already()
        if before is None:
            self._room(drafts, self._settings.drafts, "drafts")
        was = self._emptied(before.place) if before is not None else None
        position, place = self._appended(was=was)
        self._write(drafts, keys, {**values, "time": self._now, "place": place})
        return position

    def _emptied(self, place: int) -> int:
        """What the event before said leaves the log: a text that was sent and recalled, or never sent, stays nowhere."""
        redact(self._connection, user_lane(self._user), [place], _emptied(self._own))
        return place

    def _bookmark(self, mark: owns.Bookmark) -> int:
        readable(self._connection, self._here(mark.conversation), mark.seq)
        keys = {"conversation": mark.conversation, "seq": mark.seq}
        before = self._row(bookmarks, keys)
        if before is not None:
            if before.note == mark.note:
                return self._so_already()
            self._write(bookmarks, keys, {"note": mark.note})
            return self._append()
        self._room(bookmarks, self._settings.bookmarks, "bookmarks")
        appended = self._appended()
        self._connection.execute(
            insert(bookmarks).values(user=self._user, **keys, note=mark.note, place=appended[1], time=self._now)
        )
        return appended[0]

    def _hide(self, hide: owns.Hide) -> int:
        here = self._here(hide.conversation)
        found = [event for event in reading.at(self._connection, here.id, hide.seqs) if event.type in WRITTEN]
        if len(found) < len(hide.seqs) or hide.seqs[0] < here.first_seq:
            raise NotFound("There is no such message")
        mine = (hidden.c.user == self._user, hidden.c.conversation == here.id, hidden.c.seq.in_(hide.seqs))
        there = set(self._connection.execute(select(hidden.c.seq).where(*mine)).scalars())
        fresh = [seq for seq in hide.seqs if seq not in there]
        if not fresh:
            return self._so_already()
        self._room(hidden, self._settings.hidden - len(fresh) + 1, "hidden messages")
        self._connection.execute(
            insert(hidden).values([{"user": self._user, "conversation": here.id, "seq": seq} for seq in fresh])
        )
        return self._append()

    def _unread(self, unread: owns.Unread) -> int:
        here = self._here(unread.conversation)
        if not here.first_seq <= unread.seq <= reading.lane_head(self._connection, here.id):
            raise NotFound("There is no such event")
        mine = (members.c.conversation == here.id, members.c.user == self._user)
        read_seq = self._connection.execute(select(members.c.read_seq).where(*mine)).scalar_one()
        keys = {"conversation": here.id}
        before = self._row(unread_marks, keys)
        if unread.seq > read_seq or (before is not None and before.seq == unread.seq):
            return self._so_already()
        self._write(unread_marks, keys, {"seq": unread.seq})
        return self._append()

    def _arrange(self, own: owns.Notify | owns.Arrange, **values: Any) -> int:
        self._here(own.conversation)
        usual = {"level": "all", "muted_until": None, "pinned": False, "archived": False, "place": None}
        return self._put(arrangements, {"conversation": own.conversation}, values, usual)

    # Threads

    def _thread_read(self, read: owns.ThreadRead) -> int:
        here = self._here(read.conversation)
        readable(self._connection, here, read.seq)
        if read.upto > reading.lane_head(self._connection, here.id):
            raise Invalid(f"This conversation has no event {read.upto} yet")
        mark = self._thread_mark(read)
        if mark is None or mark == UNFOLLOWED:
            raise NotFound("You do not follow this thread")
        if read.upto <= mark:
            return self._so_already()
        self._set_thread_mark(read, read.upto)
        return self._append()

    def _follow(self, follow: owns.Follow) -> int:
        here = self._here(follow.conversation)
        if readable(self._connection, here, follow.seq).type == "reply":
            raise Invalid("A message in a thread has no thread of its own")
        mark = self._thread_mark(follow)
        if mark is not None and mark != UNFOLLOWED:
            return self._so_already()
        newest = self._connection.execute(
            select(amended.c.reply_seq).where(amended.c.conversation == here.id, amended.c.seq == follow.seq)
        ).scalar_one_or_none()
        if mark is None:
            self._room(followers, self._settings.follows, "threads")
        self._set_thread_mark(follow, newest or 0)
        return self._append()

    def _unfollow(self, unfollow: owns.Unfollow) -> int:
        readable(self._connection, self._here(unfollow.conversation), unfollow.seq)
        mark = self._thread_mark(unfollow)
        if mark is None or mark == UNFOLLOWED:
            return self._so_already()
        self._set_thread_mark(unfollow, UNFOLLOWED)
        return self._append()

    def _thread_mark(self, own: owns.ThreadRead | owns.Follow | owns.Unfollow) -> int | None:
        row = self._row(followers, {"conversation": own.conversation, "seq": own.seq})
        return row.read_seq if row is not None else None

    def _set_thread_mark(self, own: owns.ThreadRead | owns.Follow | owns.Unfollow, mark: int) -> None:
        self._write(followers, {"conversation": own.conversation, "seq": own.seq}, {"read_seq": mark})

    # Rows

    def _here(self, conversation: str) -> Here:
        return here_of(self._connection, conversation, self._user)

    def _of(self, table: Table, keys: Mapping[str, Any]) -> list[ColumnElement[bool]]:
        return [table.c.user == self._user, *(table.c[name] == value for name, value in keys.items())]

    def _row(self, table: Table, keys: Mapping[str, Any]) -> Any:
        return self._connection.execute(select(table).where(*self._of(table, keys))).one_or_none()

    def _write(self, table: Table, keys: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        changed = self._connection.execute(update(table).where(*self._of(table, keys)).values(**values)).rowcount
        if not changed:
            self._connection.execute(insert(table).values(user=self._user, **keys, **values))

    def _put(self, table: Table, keys: Mapping[str, Any], values: Mapping[str, Any], usual: Mapping[str, Any]) -> int:
        """Set some members of the one row; where it would say what is usual there is none."""
        row = self._row(table, keys)
        before = {name: usual[name] if row is None else getattr(row, name) for name in usual}
        after = {**before, **values}
        if after == before:
            return self._so_already()
        if after == usual:
            self._connection.execute(delete(table).where(*self._of(table, keys)))
        else:
            self._write(table, keys, after)
        return self._append()

    def _take_away(self, table: Table, own: owns.Unbookmark | owns.Unhide, *which: ColumnElement[bool]) -> int:
        """What is one's own may be taken away also where one is not a member any more."""
        mine = self._of(table, {"conversation": own.conversation})
        if self._connection.execute(delete(table).where(*mine, *which)).rowcount:
            return self._append()
        self._here(own.conversation)
        return self._so_already()

    def _room(self, table: Table, most: int, what: str) -> None:
        if self._connection.execute(select(func.count()).where(table.c.user == self._user)).scalar_one() >= most:
            raise Conflict(f"You have as many {what} as one user may have; take some away first")

    def _append(self, *, was: int | None = None) -> int:
        return self._appended(was=was)[0]

    def _appended(self, *, was: int | None = None) -> tuple[int, int]:
        content = msgspec.to_builtins(self._own) | ({} if was is None else {"was": was})
        kind = content.pop("type")
        placed = self._tx.append(
            Draft(user_lane(self._user), kind, self._user, self._now, msgspec.json.encode(content), self._client_id)
        )
        return placed.position, placed.seq

    def _so_already(self) -> int:
        return reading.head(self._connection)
