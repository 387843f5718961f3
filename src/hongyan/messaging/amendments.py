"""What was done to messages, read and kept: plain functions of a connection."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, bindparam, case, func, insert, select, update

from hongyan.core.amending import Amended, By, Tally
from hongyan.core.model import WRITTEN, Event
from hongyan.core.policy import Said
from hongyan.messaging.tables import amended, responses
from hongyan.store import reading
from hongyan.store.places import BY_DIALECT, LIST, Place, Places, encoded

_BEYOND = 2**53

Ref = tuple[str, int]
"""Conversation and seq."""


def _states(wanted: Places) -> Select[*tuple[Any, ...]]:
    here = (amended.c.conversation == wanted.lane) & (amended.c.seq == wanted.seq)
    return select(amended).select_from(wanted.each).join(amended, here)


def _tallies(wanted: Places) -> Select[*tuple[Any, ...]]:
    r = responses.c
    return (
        select(r.conversation, r.seq, r.kind, r.value, func.count(), func.max(case((r.user == bindparam("me"), 1), else_=0)))
        .select_from(wanted.each)
        .join(responses, (r.conversation == wanted.lane) & (r.seq == wanted.seq))
        .group_by(r.conversation, r.seq, r.kind, r.value)
        .order_by(func.min(r.place))
    )


_STATES = {dialect: _states(wanted) for dialect, wanted in BY_DIALECT.items()}
_TALLIES = {dialect: _tallies(wanted) for dialect, wanted in BY_DIALECT.items()}


class _Kind(msgspec.Struct):
    type: str


_kind = msgspec.json.Decoder(_Kind).decode


def message(connection: Connection, conversation: str, seq: int) -> Event | None:
    """The message at this place; None when it is no message."""
    found = reading.at(connection, conversation, [seq]) if 0 < seq < _BEYOND else []
    return found[0] if found and found[0].type in WRITTEN else None


def said(connection: Connection, event: Event) -> Said:
    """The message as `core.policy` decides on it."""
    row = connection.execute(
        select(amended.c.recalled, amended.c.closed).where(amended.c.conversation == event.lane, amended.c.seq == event.seq)
    ).one_or_none()
    recalled, closed = (row.recalled is not None, row.closed) if row is not None else (False, False)
    return Said(event.sender, event.time, _kind(event.content).type, recalled, closed)


def states(connection: Connection, user: str, refs: Sequence[Ref]) -> dict[Ref, Amended]:
    """What was done to these messages, as `user` sees it; only those that something was done to."""
    if not refs:
        return {}
    dialect = connection.dialect.name
    wanted = encoded(Place(lane, seq) for lane, seq in refs)
    found = {(row.conversation, row.seq): _state(row) for row in connection.execute(_STATES[dialect], {LIST: wanted})}
    if found:
        some = {LIST: encoded(Place(lane, seq) for lane, seq in found), "me": user}
        for lane, seq, kind, value, count, mine in connection.execute(_TALLIES[dialect], some):
            one = found[lane, seq]
            name = "reactions" if kind == "react" else "votes"
            tallies = {**getattr(one, name), value: Tally(count, bool(mine))}
            found[lane, seq] = msgspec.structs.replace(one, **{name: tallies})
    return found


def state(connection: Connection, user: str, conversation: str, seq: int) -> Amended:
    """The same of one message; an empty one when nothing was done to it."""
    return states(connection, user, [(conversation, seq)]).get((conversation, seq), Amended(seq))


def of_page(connection: Connection, user: str, conversation: str, events: Sequence[Event]) -> list[Amended]:
    """Of the messages of a page, ascending."""
    refs = [(conversation, event.seq) for event in events if event.type in WRITTEN]
    return [one for _, one in sorted(states(connection, user, refs).items())] if refs else []


def _state(row: Any) -> Amended:
    return Amended(
        row.seq,
        row.at,
        row.text,
        tuple(row.mentions.split()) if row.mentions else (),
        row.edited,
        row.edits,
        By(row.recalled_by, row.recalled) if row.recalled is not None else None,
        By(row.pinned_by, row.pinned) if row.pinned is not None else None,
        row.closed,
        replies=row.replies,
        reply_seq=row.reply_seq,
    )


def amend(connection: Connection, conversation: str, seq: int, at: int, *, one_more: str | None = None, **values: Any) -> None:
    """Something was done to a message, by the event `at`; `one_more` is a column that counts."""
    mine = (amended.c.conversation == conversation, amended.c.seq == seq)
    counted = {one_more: amended.c[one_more] + 1} if one_more is not None else {}
    if not connection.execute(update(amended).where(*mine).values(at=at, **values, **counted)).rowcount:
        row: dict[str, Any] = {"edits": 0, "closed": False, "replies": 0, "reply_seq": 0, **values}
        row |= {one_more: 1} if one_more is not None else {}
        connection.execute(insert(amended).values(conversation=conversation, seq=seq, at=at, **row))
