"""Acts: what a member does to a message of a conversation. An act that is stored becomes an event of the same type and content
in the conversation's lane; `core/amending.py` folds these events.
"""

from typing import Annotated, get_args

import msgspec
from msgspec import Meta

from hongyan.core.content import Mentions, Seq
from hongyan.core.errors import Invalid
from hongyan.core.text import emoji


class _OnMessage(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=True):
    seq: Seq
    """The message."""


class Edit(_OnMessage, frozen=True, tag="edit"):
    """Another text, by its author. What it said before stays readable in its history."""

    text: Annotated[str, Meta(min_length=1, extra_json_schema={"pattern": r"\S"})]
    mentions: Mentions = ()


class Recall(_OnMessage, frozen=True, tag="recall"):
    """Take it back (撤回): its text leaves the log."""


class React(_OnMessage, frozen=True, tag="react"):
    emoji: Annotated[str, Meta(min_length=1, max_length=32)]


class Unreact(_OnMessage, frozen=True, tag="unreact"):
    emoji: Annotated[str, Meta(min_length=1, max_length=32)]


class Pin(_OnMessage, frozen=True, tag="pin"):
    """Keep it at hand for everybody."""


class Unpin(_OnMessage, frozen=True, tag="unpin"):
    pass


class Vote(_OnMessage, frozen=True, tag="vote"):
    """One's choice in a poll, instead of the one before; none takes it back."""

    options: Annotated[tuple[Annotated[int, Meta(ge=0, le=19)], ...], Meta(max_length=20)]


class Close(_OnMessage, frozen=True, tag="close"):
    """End a poll."""


Act = Edit | Recall | React | Unreact | Pin | Unpin | Vote | Close

TYPES: frozenset[str] = frozenset(kind.__struct_config__.tag for kind in get_args(Act))
"""Types of the events that acts become."""


def check(act: Act) -> Act:
    """As it is stored. Raises Invalid."""
    if isinstance(act, React | Unreact):
        return msgspec.structs.replace(act, emoji=emoji(act.emoji))
    if isinstance(act, Edit) and ("\0" in act.text or act.text.isspace()):
        raise Invalid("A message needs some text, without the character U+0000")
    if isinstance(act, Vote) and len(set(act.options)) < len(act.options):
        raise Invalid("Name each option once")
    return act
