"""Reading what people have for themselves: plain functions of a connection."""

from collections import defaultdict
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, exists, select

from hongyan.core.own import StatusText
from hongyan.core.owned import USUAL, DraftView, OwnView
from hongyan.core.preferences import Preferences
from hongyan.messaging.tables_own import arrangements, drafts, preferences, statuses, unread_marks
from hongyan.messaging.tables_own import hidden as hidden_messages

_preferences = msgspec.json.Decoder(Preferences).decode


def own_of(connection: Connection, user: str, conversation: str | None = None) -> dict[str, OwnView]:
    """By conversation, of all or of the one named; only those that are not as usual."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in connection.execute(_mine(select(arrangements), arrangements, user, conversation)):
        members = dict(level=row.level, muted_until=row.muted_until, pinned=bool(row.pinned), archived=bool(row.archived))
        members["place"] = row.place
        found[row.conversation] |= {name: value for name, value in members.items() if value != getattr(USUAL, name)}
    for row in connection.execute(_mine(select(unread_marks), unread_marks, user, conversation)):
        found[row.conversation]["unread_from"] = row.seq
    kept = _mine(select(drafts), drafts, user, conversation).order_by(drafts.c.conversation, drafts.c.thread)
    for row in connection.execute(kept):
        draft = DraftView(row.text, row.time, row.reply, row.thread or None)
        found[row.conversation]["drafts"] = (*found[row.conversation].get("drafts", ()), draft)
    return {id: OwnView(**members) for id, members in found.items()}


def preferences_of(connection: Connection, user: str) -> Preferences:
    content: bytes | None = connection.execute(
        select(preferences.c.content).where(preferences.c.user == user)
    ).scalar_one_or_none()
    return _preferences(content) if content is not None else Preferences()


def status_of(connection: Connection, user: str) -> StatusText | None:
    """Also one that is over: whoever shows it looks at the clock."""
    row = connection.execute(select(statuses).where(statuses.c.user == user)).one_or_none()
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


def _mine(statement: Any, table: Any, user: str, conversation: str | None) -> Any:
    statement = statement.where(table.c.user == user)
    return statement if conversation is None else statement.where(table.c.conversation == conversation)
