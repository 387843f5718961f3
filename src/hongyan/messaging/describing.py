"""Conversations as one of their members sees them: a few statements for all of them, on one consistent state."""

from collections import defaultdict
from typing import Any

import msgspec
from sqlalchemy import BindParameter, Connection, Select, and_, bindparam, exists, func, literal, or_, select

from hongyan.core.amending import Amended
from hongyan.core.content import ADMINS, ALL
from hongyan.core.model import HistoryPolicy, Kind, Role, Writers
from hongyan.core.owned import USUAL, OwnView
from hongyan.core.wire import WireEvent, wired
from hongyan.messaging import amendments
from hongyan.messaging.owned import own_of, shown
from hongyan.messaging.tables import conversations, members, mentions, users
from hongyan.messaging.tables_own import unread_marks
from hongyan.store import reading
from hongyan.store.schema import events

UNREAD_MOST = 1_000
MEMBERS_LISTED = 100
"""Beyond this many a conversation carries no list of members, and sends no presence."""
_IDS_AT_ONCE = 500


class MemberView(msgspec.Struct, frozen=True):
    id: str
    name: str
    role: Role
    avatar: str | msgspec.UnsetType = msgspec.UNSET


class ConversationView(msgspec.Struct, frozen=True):
    """As docs/protocol.md has it; `cursor` is the position it is true at."""

    id: str
    kind: Kind
    title: str | None
    topic: str | None
    history: HistoryPolicy
    writers: Writers
    role: Role
    first_seq: int
    head_seq: int
    read_seq: int
    unread: int
    mentioned: int
    """Unread messages that mention the caller."""
    last: WireEvent | None
    amended: Amended | None
    """What was done to `last`."""
    member_count: int
    members: list[MemberView] | None
    cursor: str
    own: OwnView = USUAL


class ChannelView(msgspec.Struct, frozen=True):
    """A channel in the directory of channels."""

    id: str
    title: str
    topic: str | None
    writers: Writers
    member_count: int
    joined: bool


def channels(connection: Connection, user: str, part: str, after: str, limit: int) -> list[ChannelView]:
    """Channels that have `part` in their title, in order of titles and then ids; those behind the one with the id `after`."""
    c, m = conversations.c, members.c
    inside = exists().where(m.conversation == c.id, m.user == user)
    statement = select(c.id, c.title, c.topic, c.writers, c.member_count, inside).where(c.kind == "channel")
    if part:
        statement = statement.where(func.lower(c.title).contains(part.lower(), autoescape=True))
    if after:
        place = select(c.title, c.id).where(c.id == after, c.kind == "channel")
        last = connection.execute(place).one_or_none()
        if last is not None:
            statement = statement.where(or_(c.title > last.title, and_(c.title == last.title, c.id > last.id)))
    return [ChannelView(*row) for row in connection.execute(statement.order_by(c.title, c.id).limit(limit))]


def all_unread(connection: Connection, user: str) -> int:
    """Messages of all conversations together that a user has not read, counted up to a bound."""
    m, e, u = members.c, events.c, unread_marks.c
    marked = and_(u.user == m.user, u.conversation == m.conversation)
    fresh = and_(e.lane == m.conversation, e.seq > func.coalesce(u.seq - 1, m.read_seq), e.seq >= m.first_seq)
    some = (
        select(literal(1).label("one"))
        .select_from(members.outerjoin(unread_marks, marked).join(events, fresh))
        .where(m.user == user, e.type == "message", e.sender.is_distinct_from(user))
        .limit(UNREAD_MOST)
        .subquery()
    )
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def _described() -> Select[Any]:
    """All conversations of `user`."""
    user: BindParameter[str] = bindparam("user")
    mine, e = members.alias("mine"), events.alias("e")
    in_lane = e.c.lane == conversations.c.id
    is_message = and_(in_lane, e.c.type == "message")
    head = select(func.max(e.c.seq)).where(in_lane).scalar_subquery()
    seen = and_(is_message, e.c.seq >= mine.c.first_seq, shown(user, e.c.lane, e.c.seq))
    last = select(e.c.position).where(seen).order_by(e.c.seq.desc()).limit(1).scalar_subquery()
    mark = func.coalesce(unread_marks.c.seq - 1, mine.c.read_seq)
    some = (
        select(literal(1).label("one"))
        .where(is_message, e.c.seq > mark, e.c.seq >= mine.c.first_seq, e.c.sender.is_distinct_from(user))
        .limit(UNREAD_MOST)
        .correlate(mine, conversations, unread_marks)
        .subquery()
    )
    unread = select(func.count()).select_from(some).scalar_subquery()
    me = or_(mentions.c.who.in_((user, literal(ALL))), and_(mentions.c.who == ADMINS, mine.c.role != "member"))
    above = and_(mentions.c.seq > mark, mentions.c.seq >= mine.c.first_seq)
    # Not a join: SQLite would go through everything that is unread to find the few with a mention.
    by_others = exists().where(e.c.lane == mentions.c.conversation, e.c.seq == mentions.c.seq, e.c.sender.is_distinct_from(user))
    hits = (
        select(mentions.c.seq.label("seq"))
        .where(mentions.c.conversation == conversations.c.id, me, above, by_others)
        .distinct()
        .limit(UNREAD_MOST)
        .correlate(mine, conversations, unread_marks)
        .subquery()
    )
    mentioned = select(func.count()).select_from(hits).scalar_subquery()
    return (
        select(
            conversations,
            mine.c.role,
            mine.c.first_seq,
            mine.c.read_seq,
            head.label("head_seq"),
            last.label("last"),
            unread.label("unread"),
            mentioned.label("mentioned"),
        )
        .select_from(
            mine.join(conversations, conversations.c.id == mine.c.conversation).outerjoin(
                unread_marks, and_(unread_marks.c.user == user, unread_marks.c.conversation == mine.c.conversation)
            )
        )
        .where(mine.c.user == user)
        .order_by(conversations.c.id)
    )


_OF_USER = _described()
"""Building a statement of this size takes longer than asking it of a small database."""
_OF_BOTH = _OF_USER.where(conversations.c.id == bindparam("conversation"))


def describe(connection: Connection, epoch: str, user: str, conversation: str | None = None) -> list[ConversationView]:
    """All conversations of a user, or the one named, if they are in it."""
    if conversation is None:
        rows = connection.execute(_OF_USER, {"user": user}).all()
    else:
        rows = connection.execute(_OF_BOTH, {"user": user, "conversation": conversation}).all()
    last_events = reading.these(connection, [row.last for row in rows if row.last is not None])
    lasts = {event.position: wired(event, epoch) for event in last_events}
    states = amendments.states(connection, user, [(event.conversation, event.seq) for event in lasts.values()])
    listed = _members(connection, [row.id for row in rows if row.member_count <= MEMBERS_LISTED])
    owned = own_of(connection, user, conversation)
    cursor = f"{epoch}.{reading.head(connection)}"
    return [
        ConversationView(
            row.id,
            row.kind,
            row.title,
            row.topic,
            row.history,
            row.writers,
            row.role,
            row.first_seq,
            row.head_seq,
            row.read_seq,
            row.unread,
            row.mentioned,
            None if row.last is None else lasts[row.last],
            None if row.last is None else states.get((row.id, lasts[row.last].seq)),
            row.member_count,
            listed.get(row.id, []) if row.member_count <= MEMBERS_LISTED else None,
            cursor,
            owned.get(row.id, USUAL),
        )
        for row in rows
    ]


_MEMBERS = (
    select(members.c.conversation, members.c.user, users.c.name, members.c.role, users.c.avatar)
    .join(users, users.c.id == members.c.user)
    .where(members.c.conversation.in_(bindparam("some", expanding=True)))
    .order_by(members.c.conversation, members.c.user)
)


def _members(connection: Connection, ids: list[str]) -> dict[str, list[MemberView]]:
    found: dict[str, list[MemberView]] = defaultdict(list)
    for at in range(0, len(ids), _IDS_AT_ONCE):
        rows = connection.execute(_MEMBERS, {"some": ids[at : at + _IDS_AT_ONCE]})
        for conversation, user, name, role, avatar in rows.all():
            found[conversation].append(MemberView(user, name, role, avatar or msgspec.UNSET))
    return found
