"""Reading what people have for themselves: plain functions of a connection."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import BindParameter, ColumnElement, Connection, Row, Select, Table, bindparam, exists, select

from hongyan.core.own import StatusText
from hongyan.core.owned import USUAL, DraftView, OwnView
from hongyan.core.preferences import Preferences
from hongyan.messaging.tables_own import arrangements, drafts, preferences, statuses, unread_marks
from hongyan.messaging.tables_own import hidden as hidden_messages

_preferences = msgspec.json.Decoder(Preferences).decode


_user: BindParameter[str] = bindparam("user")
_ARRANGED = select(arrangements).where(arrangements.c.user == _user)
_MARKED = select(unread_marks).where(unread_marks.c.user == _user)
_DRAFTED = select(drafts).where(drafts.c.user == _user).order_by(drafts.c.conversation, drafts.c.thread)
_PREFERRED = select(preferences.c.content).where(preferences.c.user == _user)
_STATUS = select(statuses).where(statuses.c.user == _user)


def own_of(connection: Connection, user: str, conversation: str | None = None) -> dict[str, OwnView]:
    """By conversation, of all or of the one named; only those that are not as usual."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)

    def mine(statement: Select[Any], table: Table) -> Sequence[Row[Any]]:
        one = statement if conversation is None else statement.where(table.c.conversation == conversation)
        return connection.execute(one, {"user": user}).all()

    for row in mine(_ARRANGED, arrangements):
        members = dict(level=row.level, muted_until=row.muted_until, pinned=bool(row.pinned), archived=bool(row.archived))
        members["place"] = row.place
        found[row.conversation] |= {name: value for name, value in members.items() if value != getattr(USUAL, name)}
    for row in mine(_MARKED, unread_marks):
        found[row.conversation]["unread_from"] = row.seq
    for row in mine(_DRAFTED, drafts):
        draft = DraftView(row.text, row.time, row.reply, row.thread or None)
        found[row.conversation]["drafts"] = (*found[row.conversation].get("drafts", ()), draft)
    return {id: OwnView(**members) for id, members in found.items()}


def preferences_of(connection: Connection, user: str) -> Preferences:
    content: bytes | None = connection.execute(_PREFERRED, {"user": user}).scalar_one_or_none()
    return _preferences(content) if content is not None else Preferences()


def status_of(connection: Connection, user: str) -> StatusText | None:
    """Also one that is over: whoever shows it looks at the clock."""
    row = connection.execute(_STATUS, {"user": user}).one_or_none()
    return StatusText(row.text, row.emoji, row.until) if row is not None else None


def status_texts(connection: Connection, now: int) -> dict[str, StatusText]:
    """All that are not over, by user."""
    rows = connection.execute(select(statuses).where((statuses.c.until > now) | statuses.c.until.is_(None)))
    return {row.user: StatusText(row.text, row.emoji, row.until) for row in rows}


def hidden(connection: Connection, user: str, conversation: str, first: int, last: int) -> set[int]:
    """Those from `first` to `last` that the user has deleted for themselves."""
    c = hidden_messages.c
    mine = (c.user == user, c.conversation == conversation, c.seq >= first, c.seq <= last)
    return set(connection.execute(select(c.seq).where(*mine)).scalars())


def shown(user: str | ColumnElement[str], conversation: ColumnElement[str], seq: ColumnElement[int]) -> ColumnElement[bool]:
    """The same as a condition of a statement, for searches: the user has not deleted this message for themselves."""
    c = hidden_messages.c
    return ~exists().where(c.user == user, c.conversation == conversation, c.seq == seq)
