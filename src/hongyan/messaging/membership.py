"""Entering and leaving conversations: rows and the event that tells of them, in one transaction. Whether one may is decided
before.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from hongyan.core import policy
from hongyan.core.errors import NotFound
from hongyan.core.model import HistoryPolicy, Kind, Role, Writers
from hongyan.messaging.tables import conversations, former_members, members
from hongyan.store import Draft, Transaction


class Joining(msgspec.Struct, frozen=True):
    """Somebody with the role they get; the form of people in `create` and `member` events."""

    id: str
    name: str
    role: Role = "member"


class Created(msgspec.Struct, frozen=True, omit_defaults=True):
    """Content of a `create` event."""

    kind: Kind
    title: str | None
    history: HistoryPolicy
    members: Sequence[Joining]
    topic: str | None = None
    writers: Writers | None = None
    """None: everybody."""


class Changed(msgspec.Struct, frozen=True, omit_defaults=True):
    """Content of a `member` event. `count` is how many are in it afterwards."""

    action: str
    users: Sequence[Joining]
    owner: str | None = None
    count: int = -1
    writers: Writers | None = None
    """With `add`, where not everybody may write."""
    banned: bool = False
    """With `remove`: they may not come in again by themselves."""


class Place(msgspec.Struct, frozen=True):
    """A conversation and somebody's role in it, read inside a transaction."""

    kind: Kind
    history: HistoryPolicy
    writers: Writers
    member_count: int
    role: Role | None


_ROWS_AT_ONCE = 500

_encode = msgspec.json.Encoder().encode


def place(connection: Connection, conversation: str, user: str) -> Place | None:
    """None when there is no such conversation."""
    row = connection.execute(
        select(conversations.c.kind, conversations.c.history, conversations.c.writers, conversations.c.member_count).where(
            conversations.c.id == conversation
        )
    ).one_or_none()
    if row is None:
        return None
    return Place(row.kind, row.history, row.writers, row.member_count, role_of(connection, conversation, user))


def members_place(connection: Connection, conversation: str, user: str) -> Place:
    """Raises NotFound, for a stranger as when there is none."""
    here = place(connection, conversation, user)
    if here is None:
        raise NotFound("There is no such conversation, or you are not in it")
    policy.member(here.role)
    return here


def role_of(connection: Connection, conversation: str, user: str) -> Role | None:
    role: Role | None = connection.execute(
        select(members.c.role).where(members.c.conversation == conversation, members.c.user == user)
    ).scalar_one_or_none()
    return role


def create(
    tx: Transaction,
    conversation: str,
    kind: Kind,
    title: str | None,
    history: HistoryPolicy,
    direct_key: str | None,
    people: Sequence[Joining],
    now: int,
    *,
    by: str | None,
    topic: str | None = None,
    writers: Writers = "all",
) -> None:
    """A new conversation with its first members."""
    tx.connection.execute(
        insert(conversations).values(
            id=conversation,
            kind=kind,
            title=title,
            topic=topic,
            history=history,
            writers=writers,
            direct_key=direct_key,
            member_count=len(people),
            created=now,
        )
    )
    _insert(tx, conversation, people, 1, 1)  # it is the first event of its lane, and comes last: it takes the head of the log
    content = _encode(Created(kind, title, history, people, topic, None if writers == "all" else writers))
    tx.append(Draft(conversation, "create", by, now, content, bumps=True))


def join(tx: Transaction, conversation: str, people: Sequence[Joining], now: int, *, by: str | None) -> None:
    """People who are not in it come in."""
    row = tx.connection.execute(
        select(conversations.c.history, conversations.c.member_count, conversations.c.writers).where(
            conversations.c.id == conversation
        )
    ).one()
    count = row.member_count + len(people)
    tx.connection.execute(update(conversations).where(conversations.c.id == conversation).values(member_count=count))
    content = _encode(Changed("add", people, count=count, writers=None if row.writers == "all" else row.writers))
    appended = tx.append(Draft(conversation, "member", by, now, content, bumps=True))
    _insert(tx, conversation, people, appended.seq, policy.first_readable(row.history, appended.seq))


def _insert(tx: Transaction, conversation: str, people: Sequence[Joining], since_seq: int, first_seq: int) -> None:
    if not people:
        return
    rows = [
        {
            "conversation": conversation,
            "user": person.id,
            "role": person.role,
            "since_seq": since_seq,
            "first_seq": first_seq,
            "read_seq": since_seq - 1,
        }
        for person in people
    ]
    for at in range(0, len(rows), _ROWS_AT_ONCE):  # one statement for many: the log's head may be locked meanwhile
        tx.connection.execute(insert(members).values(rows[at : at + _ROWS_AT_ONCE]))


def part(tx: Transaction, conversation: str, user: str, name: str, now: int, *, by: str, banned: bool = False) -> None:
    """Somebody leaves or is removed. An owner who leaves hands over to the longest-serving admin, or member."""
    connection = tx.connection
    mine = (members.c.conversation == conversation) & (members.c.user == user)
    row = connection.execute(select(members.c.role, members.c.since_seq).where(mine)).one()
    connection.execute(delete(members).where(mine))
    count = connection.execute(select(conversations.c.member_count).where(conversations.c.id == conversation)).scalar_one() - 1
    connection.execute(update(conversations).where(conversations.c.id == conversation).values(member_count=count))
    owner = _succeed(connection, conversation) if row.role == "owner" else None
    action = "leave" if user == by else "remove"
    content = _encode(Changed(action, [Joining(user, name, row.role)], owner, count, banned=banned))
    appended = tx.append(Draft(conversation, "member", by, now, content, bumps=True))
    connection.execute(
        insert(former_members).values(user=user, conversation=conversation, since_seq=row.since_seq, last_seq=appended.seq)
    )


def _succeed(connection: Connection, conversation: str) -> str | None:
    heir: str | None = connection.execute(
        select(members.c.user)
        .where(members.c.conversation == conversation)
        .order_by(members.c.role != "admin", members.c.since_seq, members.c.user)
        .limit(1)
    ).scalar_one_or_none()
    if heir is not None:
        give_role(connection, conversation, heir, "owner")
    return heir


def give_role(connection: Connection, conversation: str, user: str, role: Role) -> None:
    connection.execute(update(members).where(members.c.conversation == conversation, members.c.user == user).values(role=role))


def change_role(tx: Transaction, conversation: str, people: Sequence[Joining], count: int, now: int, *, by: str) -> None:
    """New roles for people who are in it."""
    for person in people:
        give_role(tx.connection, conversation, person.id, person.role)
    tx.append(Draft(conversation, "member", by, now, _encode(Changed("role", people, count=count)), bumps=True))
