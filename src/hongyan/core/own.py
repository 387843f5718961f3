"""What a person does for themselves alone: drafts, bookmarks, notification levels, their own order of the list, a status text.

The twin of `core/acts.py`: what is stored becomes an event of the same type and content in the person's own lane (`user:ID`),
which only their own devices read. What is so already becomes no event.
"""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from hongyan.core.content import Seq
from hongyan.core.errors import Invalid
from hongyan.core.preferences import Preferences, check_preferences

Level = Literal["all", "mentions", "nothing"]
"""Of which messages of a conversation one wants to be told."""
Moment = Annotated[int, Meta(ge=0, le=2**53 - 1)]
"""Milliseconds since 1970 UTC."""
AT_ONCE = 100
"""Messages that one act may name."""
_NOTE = 500
_STATUS = 100


class _InConversation(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=True):
    conversation: Annotated[str, Meta(max_length=64)]


class _OnMessage(_InConversation, frozen=True):
    seq: Seq


class Draft(_InConversation, frozen=True, tag="draft"):
    """What stands in the composer, for all of one's devices: the newest wins. Without a text there is none any more."""

    text: str | None = None
    reply: Seq | None = None
    """The message that it will answer."""
    thread: Seq | None = None
    """The message in whose thread it stands; each thread has its own."""


class Bookmark(_OnMessage, frozen=True, tag="bookmark"):
    """Keep a message at hand; again with another note changes the note."""

    note: Annotated[str, Meta(max_length=_NOTE)] = ""


class Unbookmark(_OnMessage, frozen=True, tag="unbookmark"):
    pass


class Hide(_InConversation, frozen=True, tag="hide"):
    """Delete messages for oneself. Others see them as before; so does one's own count of unread messages, until they are read."""

    seqs: Annotated[tuple[Seq, ...], Meta(min_length=1, max_length=AT_ONCE)]


class Unhide(_InConversation, frozen=True, tag="unhide"):
    """Take that back."""

    seqs: Annotated[tuple[Seq, ...], Meta(min_length=1, max_length=AT_ONCE)]


class Unread(_OnMessage, frozen=True, tag="unread"):
    """Count as unread what is there from `seq` on, although it was read.

    Others see no difference: the read mark stays where it is. It ends with the next read mark of the same person, on whichever
    device, that is at or above `seq`, also one that does not move. What is above the read mark is unread already.
    """


class Notify(_InConversation, frozen=True, tag="notify"):
    """Of which messages one wants to be told. Both members are set at once."""

    level: Level = "all"
    muted_until: Moment | None = None
    """Until then only mentions get through, and none with the level `nothing`."""


class Arrange(_InConversation, frozen=True, tag="arrange"):
    """One's own order in the list of conversations. All members are set at once."""

    pinned: bool = False
    archived: bool = False
    place: Annotated[int, Meta(ge=0, le=2**53 - 1)] | None = None
    """Among those that are pinned: lower ones first, before them all those without one. Kept only while it is pinned."""


class ThreadRead(_OnMessage, frozen=True, tag="thread_read"):
    """Up to where a followed thread was read; `seq` is the message that it hangs on. Never back."""

    upto: Seq


class Follow(_OnMessage, frozen=True, tag="follow"):
    """Follow the thread of a message, from what is in it now on. Who writes or is mentioned in a thread follows it anyway."""


class Unfollow(_OnMessage, frozen=True, tag="unfollow"):
    """Follow it no more, until one writes in it again."""


class SetPreferences(msgspec.Struct, frozen=True, tag_field="type", tag="preferences", omit_defaults=True):
    """All preferences at once, instead of those before."""

    preferences: Preferences


class Status(msgspec.Struct, frozen=True, tag_field="type", tag="status", omit_defaults=True):
    """A few words about oneself, which end by themselves. An empty text ends them now."""

    text: Annotated[str, Meta(max_length=_STATUS)] = ""
    emoji: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    until: Moment | None = None


class StatusText(msgspec.Struct, frozen=True, omit_defaults=True):
    """What somebody says of themselves, as others see it: the content of a `status` event."""

    text: str = ""
    emoji: str | None = None
    until: int | None = None

    def over(self, now: int) -> bool:
        return self.until is not None and self.until <= now


Own = (
    Draft
    | Bookmark
    | Unbookmark
    | Hide
    | Unhide
    | Unread
    | Notify
    | Arrange
    | ThreadRead
    | Follow
    | Unfollow
    | SetPreferences
    | Status
)

TYPES: frozenset[str] = frozenset(kind.__struct_config__.tag for kind in get_args(Own))
"""Types of the events that these become."""


def check(own: Own, now: int) -> Own:
    """As it is stored. Raises Invalid."""
    match own:
        case Draft(text=text) if text is not None and "\0" in text:
            raise Invalid("A text cannot contain the character U+0000")
        case Draft(text=text) if text is None or not text.strip():
            return Draft(own.conversation, thread=own.thread)
        case Bookmark(note=note) if "\0" in note:
            raise Invalid("A note cannot contain the character U+0000")
        case Hide(seqs=seqs) | Unhide(seqs=seqs):
            return msgspec.structs.replace(own, seqs=tuple(sorted(set(seqs))))
        case Arrange(pinned=False, place=int()):
            return Arrange(own.conversation, archived=own.archived)
        case Notify(muted_until=until) if until is not None and until <= now:
            return Notify(own.conversation, own.level)
        case SetPreferences():
            return SetPreferences(check_preferences(own.preferences, now))
        case Status():
            return _status(own, now)
    return own


def _status(status: Status, now: int) -> Status:
    from hongyan.core.text import emoji  # what it needs is 10 MB that a client has no use for

    text = " ".join(status.text.split())
    if not text.isprintable():
        raise Invalid("A status text cannot have control characters")
    chosen = emoji(status.emoji) if status.emoji is not None else None
    if not text and chosen is None:
        return Status()
    if status.until is not None and status.until <= now:
        raise Invalid("A status cannot end in the past")
    return Status(text, chosen, status.until)
