"""A message that is the address of a file, and nothing else."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from hongyan.client.search import Hit

_JOINERS = str.maketrans("", "", "\u200c\u200d")
"""They hold emoji together."""


def file_of(content: Mapping[str, Any]) -> str | None:
    """`📎 name`; None when it is a text like any other. A name that is none, or would show another, stays as it is."""
    text = content.get("text")
    if content.get("oob") is not True or not isinstance(text, str):
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    last = next((part for part in reversed(parts.path.split("/")) if part), parts.netloc)
    try:
        name = unquote(last, errors="strict")
    except UnicodeDecodeError:
        name = last
    fits = name.strip() and name.translate(_JOINERS).isprintable() and "/" not in name
    return f"📎 {name if fits else last}"


def in_hit(hit: Hit) -> str:
    """What a search shows of a message."""
    edited = hit.amended is not None and hit.amended.get("text") is not None
    return (None if edited else file_of(hit.event.content)) or hit.snippet.text.replace("\n", " ")
