"""What the index knows of a message: the tokens of its texts, and labels, so that filters are intersections of the index too."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

from hongyan.core.addresses import addresses_file, file_name
from hongyan.features.search.tokens import index_tokens

_LINK = re.compile(r"\b(?:https?://|www\.)\S", re.IGNORECASE)
_DAY = 86_400_000
_MOST_DAYS = 31
_MOST_MONTHS = 60
KINDS = ("forward", "poll")
"""Types of contents that `has:` finds by their own name: add those that features bring here, and their texts in `_texts`."""
HAS = ("link", "file", *KINDS)


class Document(msgspec.Struct, frozen=True):
    """A message as it is searched."""

    text: str
    has: tuple[str, ...]
    mentions: tuple[str, ...]


def document(content: bytes, text: str | None, mentions: str | None) -> Document | None:
    """From what the log has and what the message says now, if it was edited. None for a message that was taken back."""
    found = msgspec.json.decode(content)
    kind = found.get("type")
    if kind == "recalled":
        return None
    if text is not None:
        found["text"], found["mentions"], found["oob"] = text, (mentions or "").split(), False
    whole = "\n".join(_texts(found))
    has = [kind] if kind in KINDS else []
    if found.get("oob"):
        has.append("file")
    elif _LINK.search(whole):
        has.append("link")
    return Document(whole, tuple(has), tuple(found.get("mentions", ())))


def _texts(content: dict[str, Any]) -> list[str]:
    """What people read of a content, in their order."""
    match content.get("type"):
        case "poll":
            found = [content.get("question"), *content.get("options", ())]
        case "forward":
            parts = [text for item in content.get("items", ()) for text in _texts(item.get("content", {}))]
            found = [content.get("text"), *parts]
        case "encrypted":  # what it says without the key is the same for all
            found = []
        case _:
            text = content.get("text")
            found = [file_name(text), text] if content.get("oob") and isinstance(text, str) and addresses_file(text) else [text]
    return [text for text in found if isinstance(text, str) and text]


def tokens_of(one: Document, conversation: str, sender: str | None, time: int) -> str:
    """Everything that the index has of a message, with spaces between."""
    found = index_tokens(one.text)
    found.add(label("in", conversation))
    found.update(_labels_of_day(time // _DAY))
    if sender is not None:
        found.add(label("from", sender))
    found |= {label("has", what) for what in one.has}
    found |= {label("to", who) for who in one.mentions}
    return " ".join(found)


@lru_cache(1_000)
def _labels_of_day(number: int) -> tuple[str, str]:
    day = datetime.fromtimestamp(number * _DAY / 1000, UTC)
    return label("day", f"{day:%Y%m%d}"), label("month", f"{day:%Y%m}")


@lru_cache(20_000)
def label(kind: str, value: str) -> str:
    """A token that no text has. Ids have characters that part words in one index or another, so it is a hash of 40 bits."""
    return "§" + blake2b(f"{kind} {value}".encode(), digest_size=5).hexdigest()


def labels_of_time(since: int | None, until: int | None) -> Sequence[str]:
    """One of these is on every message of `since <= time < until` (milliseconds); none when that is too long, or open."""
    if since is None or until is None or until <= since:
        return ()
    first = datetime.fromtimestamp(since / 1000, UTC)
    last = datetime.fromtimestamp((until - 1) / 1000, UTC)
    days = (last.date() - first.date()).days + 1
    if days <= _MOST_DAYS:
        return [label("day", f"{first + timedelta(days=at):%Y%m%d}") for at in range(days)]
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    if months > _MOST_MONTHS:
        return ()
    begin = first.year * 12 + first.month - 1
    return [label("month", f"{at // 12:04}{at % 12 + 1:02}") for at in range(begin, begin + months)]
