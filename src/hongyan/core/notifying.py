"""Who is told of a message, and why: the one place that decides it, for the web client and for push alike."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from hongyan.core.content import ADMINS, ALL
from hongyan.core.own import Level
from hongyan.core.preferences import Preferences, is_quiet
from hongyan.core.text import folded

Reason = Literal["mention", "direct", "keyword", "all", "own", "nothing", "muted", "level", "dnd", "quiet"]
"""The first four are reasons for it, the others against it."""


class Said(msgspec.Struct, frozen=True):
    """A message, as far as it is decided on."""

    sender: str | None
    text: str = ""
    mentions: Sequence[str] = ()
    """As in the content: ids, `@all`, `@admins`."""


class Reader(msgspec.Struct, frozen=True):
    """Who might be told, and what they wish: of this conversation, and of all."""

    user: str
    role: str = "member"
    level: Level = "all"
    muted_until: int | None = None
    preferences: Preferences = Preferences()


class Decision(msgspec.Struct, frozen=True):
    notify: bool
    why: Reason


def notifies(said: Said, kind: str, reader: Reader, now: int) -> Decision:
    """`kind` is the conversation's. Do-not-disturb and quiet hours let nothing through; a mute lets mentions through."""
    if said.sender == reader.user:
        return Decision(False, "own")
    if reader.level == "nothing":
        return Decision(False, "nothing")
    why = _reason(said, kind, reader)
    if why != "mention" and reader.muted_until is not None and now < reader.muted_until:
        return Decision(False, "muted")
    if reader.level == "mentions" and why not in ("mention", "keyword"):
        return Decision(False, "level")
    if reader.preferences.dnd_until is not None and now < reader.preferences.dnd_until:
        return Decision(False, "dnd")
    if reader.preferences.quiet is not None and is_quiet(reader.preferences.quiet, now):
        return Decision(False, "quiet")
    return Decision(True, why)


def mentions(who: Sequence[str], user: str, role: str) -> bool:
    """Whether these name this user, in this role."""
    return user in who or ALL in who or (ADMINS in who and role in ("owner", "admin"))


def says(text: str, keyword: str) -> bool:
    """Whether a text has this word, whatever its case and width. Latin letters and digits beside it make it another word."""
    said, word = folded(text), folded(keyword)
    at = said.find(word) if word else -1
    while at >= 0:
        before, after = said[at - 1 : at], said[at + len(word) : at + len(word) + 1]
        if not (_joins(before, word[0]) or _joins(word[-1], after)):
            return True
        at = said.find(word, at + 1)
    return False


def _reason(said: Said, kind: str, reader: Reader) -> Reason:
    if mentions(said.mentions, reader.user, reader.role):
        return "mention"
    if kind == "direct":
        return "direct"
    if any(says(said.text, word) for word in reader.preferences.keywords):
        return "keyword"
    return "all"


def _joins(one: str, other: str) -> bool:
    return all(char.isascii() and char.isalnum() for char in (one, other)) if one and other else False
