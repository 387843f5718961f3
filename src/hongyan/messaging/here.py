"""Where somebody stands, inside a transaction or a read: the conversation as they find it, a message that they may read, what
they have sent before.
"""

import msgspec
from sqlalchemy import Connection, select

from hongyan.core import policy
from hongyan.core.errors import ClientIdReused, NotFound
from hongyan.core.model import Event, Kind, Role, Writers
from hongyan.messaging import amendments
from hongyan.messaging.tables import conversations, members
from hongyan.store import Appended, reading


class Here(msgspec.Struct, frozen=True):
    """A conversation that somebody is in."""

    id: str
    kind: Kind
    title: str | None
    role: Role
    writers: Writers
    first_seq: int


def here_of(connection: Connection, conversation: str, user: str) -> Here:
    """Raises NotFound for who is not in it."""
    row = connection.execute(
        select(conversations.c.kind, conversations.c.title, members.c.role, conversations.c.writers, members.c.first_seq)
        .join(members, members.c.conversation == conversations.c.id)
        .where(conversations.c.id == conversation, members.c.user == user)
    ).one_or_none()
    role = policy.member(row.role if row is not None else None)
    assert row is not None  # noqa: S101
    return Here(conversation, row.kind, row.title, role, row.writers, row.first_seq)


def readable(connection: Connection, here: Here, seq: int) -> Event:
    """The message at this place. Raises NotFound when there is none, or none that they may read."""
    event = amendments.message(connection, here.id, seq) if seq >= here.first_seq else None
    if event is None:
        raise NotFound("There is no such message")
    return event


def repeated(connection: Connection, user: str, client_id: str, conversation: str) -> Appended | None:
    """The place of what this user has stored with this id before. Raises ClientIdReused."""
    event = reading.sent(connection, user, client_id)
    if event is None:
        return None
    if event.lane != conversation:
        raise ClientIdReused
    return Appended(event.position, event.seq, event.time, repeated=True)
