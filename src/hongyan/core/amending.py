"""What has become of a message since it was sent, as a fold over the acts on it: the same on the server's pages and in clients.

amended(t0) and the events from t0 to t1 give amended(t1) (rule 10 of the design).
"""

from typing import Any, Protocol

import msgspec
from msgspec.structs import replace


class Tally(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many have chosen a reaction, or an option of a poll."""

    count: int
    mine: bool = False
    """The reader is one of them."""


class By(msgspec.Struct, frozen=True):
    user: str
    time: int


class Amended(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message that something was done to. `at` is the `seq` of the newest act in it: older ones change nothing any more."""

    seq: int
    at: int = 0
    text: str | None = None
    """What it says now; None while it was never edited."""
    mentions: tuple[str, ...] = ()
    """With `text`."""
    edited: int | None = None
    """When it was edited last."""
    edits: int = 0
    recalled: By | None = None
    pinned: By | None = None
    closed: bool = False
    """A poll that takes no more votes."""
    reactions: dict[str, Tally] = {}
    votes: dict[str, Tally] = {}
    """By the number of the option."""
    replies: int = 0
    """In its thread."""
    reply_seq: int = 0
    """The newest of them."""


class Acted(Protocol):
    """An event, as far as the fold looks at it."""

    @property
    def type(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def sender(self) -> str | None: ...
    @property
    def time(self) -> int: ...
    @property
    def content(self) -> dict[str, Any]: ...


def target(event: Acted) -> int | None:
    """The message that an event does something to; None for events that are no acts."""
    seq = event.content.get("thread" if event.type == "reply" else "seq")
    return seq if isinstance(seq, int) and (event.type == "reply" or event.type in _FOLDS) else None


def amend(before: Amended, event: Acted, me: str) -> Amended:
    """The next state, after an event on it; `me` is the reader."""
    if event.seq <= before.at:
        return before
    after = replace(before, at=event.seq)
    if event.type == "reply":
        return replace(after, replies=before.replies + 1, reply_seq=event.seq)
    fold = _FOLDS.get(event.type)
    return fold(after, event, event.sender == me) if fold is not None else before


def _edit(state: Amended, event: Acted, me: bool) -> Amended:
    mentions = tuple(event.content.get("mentions", ()))
    return replace(state, text=event.content["text"], mentions=mentions, edited=event.time, edits=state.edits + 1)


def _recall(state: Amended, event: Acted, me: bool) -> Amended:
    """Nothing is left of it but its place, and its thread."""
    by = By(event.sender or "", event.time)
    return Amended(state.seq, state.at, recalled=by, replies=state.replies, reply_seq=state.reply_seq)


def _pin(state: Amended, event: Acted, me: bool) -> Amended:
    return replace(state, pinned=By(event.sender or "", event.time))


def _unpin(state: Amended, event: Acted, me: bool) -> Amended:
    return replace(state, pinned=None)


def _close(state: Amended, event: Acted, me: bool) -> Amended:
    return replace(state, closed=True)


def _react(state: Amended, event: Acted, me: bool) -> Amended:
    return replace(state, reactions=_counted(state.reactions, event.content["emoji"], 1, me))


def _unreact(state: Amended, event: Acted, me: bool) -> Amended:
    return replace(state, reactions=_counted(state.reactions, event.content["emoji"], -1, me))


def _vote(state: Amended, event: Acted, me: bool) -> Amended:
    """The event says what was chosen, and what by the same person before."""
    votes = state.votes
    for option in event.content.get("was", ()):
        votes = _counted(votes, str(option), -1, me)
    for option in event.content.get("options", ()):
        votes = _counted(votes, str(option), 1, me)
    return replace(state, votes=votes)


def _counted(tallies: dict[str, Tally], key: str, by: int, me: bool) -> dict[str, Tally]:
    before = tallies.get(key, Tally(0))
    after = {**tallies, key: Tally(before.count + by, by > 0 if me else before.mine)}
    if after[key].count <= 0:
        del after[key]
    return after


_FOLDS = {
    "edit": _edit,
    "recall": _recall,
    "pin": _pin,
    "unpin": _unpin,
    "close": _close,
    "react": _react,
    "unreact": _unreact,
    "vote": _vote,
}
