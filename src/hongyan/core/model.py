"""The types everything is made of: events, and the words for conversations, roles and presence."""

from collections.abc import Sequence
from typing import Literal

import msgspec

Kind = Literal["direct", "group", "channel"]
"""A channel is a group that everybody may find and join."""
Role = Literal["owner", "admin", "member"]
HistoryPolicy = Literal["joined", "all"]
"""What somebody who is added may read: from when they joined, or everything."""
Writers = Literal["all", "admins", "nobody"]
"""Who may write into a conversation: everybody in it; the owner and admins (announcements); nobody, it is archived."""
Status = Literal["online", "away", "busy", "dnd"]
TransportName = Literal["websocket", "sse", "longpoll", "poll", "cim"]

WRITTEN = ("message", "reply")
"""The types of events that a person wrote: a message of a conversation, or of a thread in it."""
DIRECTORY_LANE = "directory"
"""The lane that every user reads: changed display names."""


def user_lane(user: str) -> str:
    """The lane that only this user's own devices read."""
    return f"user:{user}"


class Event(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One entry of the log. Once it has a position it never changes, but its content may be taken out (a recall)."""

    position: int
    """Place in the whole log: dense, in commit order, from 1."""
    lane: str
    """A conversation's id, `user:ID`, `directory`, or a system lane (begins with `_`) that no user reads."""
    seq: int
    """Place in the lane: gap-free, from 1."""
    type: str
    sender: str | None
    time: int
    """Milliseconds since 1970 UTC."""
    client_id: str | None
    content: bytes
    """A JSON object."""


class Batch(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What one commit added to the log: the events `first` to `last`, all of them."""

    first: int
    last: int
    events: Sequence[Event]


class Caller(msgspec.Struct, frozen=True, gc=False):
    """Who asks: the user behind a good token."""

    user: str
    name: str
    admin: bool
    token_id: str
    device: str
    only: str | None = None
    """The one conversation that an embedded page may read, write into and react in; it may do nothing else."""

    @property
    def payer(self) -> str:
        """Whose allowance is spent: the user's, and an embedded page's own, since many may act as one user."""
        return self.user if self.only is None else self.token_id
