"""What somebody has of a conversation for themselves, as a fold over the events of their own lane.

The twin of `core/amending.py`: what is shown at t0 and the events from t0 to t1 give what is shown at t1.
"""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from hongyan.core.own import Level


class DraftView(msgspec.Struct, frozen=True, omit_defaults=True):
    text: str
    time: int
    reply: int | None = None
    thread: int | None = None
    """The message in whose thread it stands; without one it stands in the conversation itself."""


class OwnView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the caller has of a conversation for themselves; what is as usual is left out."""

    drafts: tuple[DraftView, ...] = ()
    """That of the conversation first, then those of its threads."""
    level: Level = "all"
    muted_until: int | None = None
    pinned: bool = False
    archived: bool = False
    place: int | None = None
    """Among those that are pinned."""
    unread_from: int | None = None
    """Marked as unread from here on, although it was read."""


USUAL = OwnView()


class Done(Protocol):
    """An event, as far as the fold looks at it."""

    @property
    def type(self) -> str: ...
    @property
    def time(self) -> int: ...
    @property
    def content(self) -> dict[str, Any]: ...


def after(own: OwnView, event: Done) -> OwnView:
    """The next state, after an event of the person's lane that names the conversation."""
    fold = _FOLDS.get(event.type)
    return fold(own, event) if fold is not None else own


def _draft(own: OwnView, event: Done) -> OwnView:
    content = event.content
    drafts = {draft.thread or 0: draft for draft in own.drafts}
    thread = content.get("thread")
    drafts.pop(thread or 0, None)
    if (text := content.get("text")) is not None:
        drafts[thread or 0] = DraftView(text, event.time, content.get("reply"), thread)
    return replace(own, drafts=tuple(drafts[place] for place in sorted(drafts)))


def _notify(own: OwnView, event: Done) -> OwnView:
    return replace(own, level=event.content.get("level", "all"), muted_until=event.content.get("muted_until"))


def _arrange(own: OwnView, event: Done) -> OwnView:
    said = event.content
    return replace(own, pinned=said.get("pinned", False), archived=said.get("archived", False), place=said.get("place"))


def _unread(own: OwnView, event: Done) -> OwnView:
    return replace(own, unread_from=event.content.get("seq"))


def _read(own: OwnView, event: Done) -> OwnView:
    """Whatever becomes an event ends it: a mark below it that does not move is none."""
    return replace(own, unread_from=None) if own.unread_from is not None else own


_FOLDS: dict[str, Callable[[OwnView, Done], OwnView]] = {
    "draft": _draft,
    "notify": _notify,
    "arrange": _arrange,
    "unread": _unread,
    "read": _read,
}
