"""Searching, and what it answers."""

import msgspec

from hongyan.client.model import Event, Json
from hongyan.client.rest import Rest


class Snippet(msgspec.Struct, frozen=True):
    """The part of a message around what was found; `ranges` are the places in `text` to mark, in code points."""

    text: str
    ranges: list[tuple[int, int]] = []
    before: bool = False
    """The message has more before it."""
    after: bool = False


class Hit(msgspec.Struct, frozen=True):
    event: Event
    """As it was sent."""
    snippet: Snippet
    amended: Json | None = None
    """What was done to it."""
    title: str | None = None
    """Of the conversation; None between two."""


class Found(msgspec.Struct, frozen=True):
    hits: list[Hit]
    next: str | None = None
    """The `page` to ask the same question for next."""
    complete: bool = True
    """False while newer messages may be missing."""


async def search(
    rest: Rest,
    text: str,
    *,
    conversation: str | None = None,
    sender: str | None = None,
    before: str | None = None,
    after: str | None = None,
    has: str | None = None,
    order: str | None = None,
    limit: int | None = None,
    page: str | None = None,
) -> Found:
    query = {
        "q": text, "in": conversation, "from": sender, "before": before, "after": after, "has": has,
        "order": order, "limit": limit, "page": page,
    }  # fmt: skip
    return await rest.call("GET", "/v1/search", answer=Found, query=query)
