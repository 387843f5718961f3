"""Reading what was done to messages: plain functions of a connection."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, case, func, select, tuple_

from hongyan.core.amending import Amended, By, Tally
from hongyan.core.model import Event
from hongyan.core.policy import Said
from hongyan.messaging.tables import amended, responses
from hongyan.store import reading

MESSAGES = ("message", "reply")
"""The types of events that a person wrote."""
_AT_ONCE = 400
_BEYOND = 2**53

Ref = tuple[str, int]
"""Conversation and seq."""


class _Kind(msgspec.Struct):
    type: str


_kind = msgspec.json.Decoder(_Kind).decode


def message(connection: Connection, conversation: str, seq: int) -> Event | None:
    """The message at this place; None when it is no message."""
    found = reading.at(connection, conversation, [seq]) if 0 < seq < _BEYOND else []
    return found[0] if found and found[0].type in MESSAGES else None


def said(connection: Connection, event: Event) -> Said:
    """The message as `core.policy` decides on it."""
    row = connection.execute(
        select(amended.c.recalled, amended.c.closed).where(amended.c.conversation == event.lane, amended.c.seq == event.seq)
    ).one_or_none()
    recalled, closed = (row.recalled is not None, row.closed) if row is not None else (False, False)
    return Said(event.sender, event.time, _kind(event.content).type, recalled, closed)


def states(connection: Connection, user: str, refs: Sequence[Ref]) -> dict[Ref, Amended]:
    """What was done to these messages, as `user` sees it; only those that something was done to."""
    found: dict[Ref, Amended] = {}
    wanted = list(refs)
    for at in range(0, len(wanted), _AT_ONCE):
        some = tuple_(amended.c.conversation, amended.c.seq).in_(wanted[at : at + _AT_ONCE])
        for row in connection.execute(select(amended).where(some)):
            found[row.conversation, row.seq] = _state(row)
    acted = list(found)
    for at in range(0, len(acted), _AT_ONCE):
        _count(connection, user, tuple_(responses.c.conversation, responses.c.seq).in_(acted[at : at + _AT_ONCE]), found)
    return found


def state(connection: Connection, user: str, conversation: str, seq: int) -> Amended:
    """The same of one message; an empty one when nothing was done to it."""
    return states(connection, user, [(conversation, seq)]).get((conversation, seq), Amended(seq))


def of_page(connection: Connection, user: str, conversation: str, events: Sequence[Event]) -> list[Amended]:
    """Of the messages of a page, ascending."""
    refs = [(conversation, event.seq) for event in events if event.type in MESSAGES]
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


def _count(connection: Connection, user: str, wanted: ColumnElement[bool], found: dict[Ref, Amended]) -> None:
    r = responses.c
    rows = connection.execute(
        select(r.conversation, r.seq, r.kind, r.value, func.count(), func.max(case((r.user == user, 1), else_=0)))
        .where(wanted)
        .group_by(r.conversation, r.seq, r.kind, r.value)
        .order_by(func.min(r.place))
    )
    for lane, seq, kind, value, count, mine in rows:
        one = found[lane, seq]
        tallies = one.reactions if kind == "react" else one.votes
        tallies = {**tallies, value: Tally(count, bool(mine))}
        found[lane, seq] = msgspec.structs.replace(one, **{"reactions" if kind == "react" else "votes": tallies})
