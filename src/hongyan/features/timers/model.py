"""Timers as people make and see them, and the events that tell of them."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from hongyan.core.content import Content, Seq
from hongyan.core.own import Moment

Kind = Literal["send", "reminder"]
ClientId = Annotated[str, Meta(pattern="^[!-~]{1,64}$")]
Conversation = Annotated[str, Meta(max_length=64)]
Note = Annotated[str, Meta(max_length=500)]


class NewSend(msgspec.Struct, frozen=True, tag_field="kind", tag="send"):
    """A message for later. The same `client_id` again gives the timer that it made, also after it has gone."""

    conversation: Conversation
    content: Content
    due: Moment
    client_id: ClientId


class NewReminder(msgspec.Struct, frozen=True, tag_field="kind", tag="reminder"):
    """Be reminded of a message."""

    conversation: Conversation
    seq: Seq
    due: Moment
    note: Note = ""
    client_id: ClientId | None = None


class TimerView(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    kind: Kind
    conversation: str
    due: int
    created: int
    content: msgspec.Raw | None = None
    """Of a message."""
    seq: int | None = None
    """Of a reminder: the message."""
    note: str = ""
    failed: str | None = None
    """Why it did not go: the code of the error. It stays until it is changed or cancelled."""
    detail: str | None = None
    """The same in words."""
    gone: bool = False
    """It went, or was cancelled: only the answer to a repeated request says so."""


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """Content of a `timer` event, in the user's own lane: what the timer is now; without one it is gone."""

    id: str
    timer: TimerView | None = None
    sent: int | None = None
    """It is gone because it went: the `seq` of the message in its conversation."""
    was: int | None = None
    """The event before of the same timer, which says nothing any more."""


class Reminded(msgspec.Struct, frozen=True, omit_defaults=True):
    """Content of a `reminder` event, in the user's own lane."""

    id: str
    conversation: str
    seq: int
    note: str = ""


class TimerList(msgspec.Struct, frozen=True):
    """All of a user's, those that are due first in front, as of exactly `cursor`."""

    timers: list[TimerView]
    cursor: str


def shown(row: Any) -> TimerView:
    """The timer in a row of the table."""
    content = msgspec.Raw(row.content) if row.content is not None else None
    return TimerView(row.id, row.kind, row.conversation, row.due, row.created, content, row.seq, row.note, row.failed, row.detail)
