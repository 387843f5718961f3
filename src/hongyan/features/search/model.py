"""What a search answers."""

import msgspec

from hongyan.core.amending import Amended
from hongyan.core.model import Kind
from hongyan.core.wire import WireEvent


class Snippet(msgspec.Struct, frozen=True):
    """The part of a message around what was found."""

    text: str
    ranges: list[tuple[int, int]]
    """Where in `text` what was found begins and ends, in code points."""
    before: bool
    """The message has more before it."""
    after: bool


class Hit(msgspec.Struct, frozen=True):
    event: WireEvent
    amended: Amended | None
    """What was done to the message; `event` has what it said first."""
    title: str | None
    """Of the conversation; None of a direct one."""
    snippet: Snippet


class Found(msgspec.Struct, frozen=True):
    hits: list[Hit]
    next: str | None
    """Ask the same with `page` set to this for more. A page may have few hits, or none, and still not be the last."""
    complete: bool
    """False while the index does not reach the end of the log: newer messages may be missing."""


class FoundConversation(msgspec.Struct, frozen=True):
    id: str
    kind: Kind
    title: str | None
    other: str | None
    """Of a direct conversation the id of the other one."""
    name: str | None
    """And their name."""


class FoundConversations(msgspec.Struct, frozen=True):
    conversations: list[FoundConversation]
