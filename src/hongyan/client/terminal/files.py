"""A message that is the address of a file, and nothing else."""

from collections.abc import Mapping
from typing import Any

from hongyan.client.search import Hit
from hongyan.core.addresses import addresses_file, file_name


def file_of(content: Mapping[str, Any]) -> str | None:
    """`📎 name`; None when it is a text like any other."""
    text = content.get("text")
    if content.get("oob") is not True or not isinstance(text, str) or not addresses_file(text):
        return None
    return f"📎 {file_name(text)}"


def in_hit(hit: Hit) -> str:
    """What a search shows of a message."""
    edited = hit.amended is not None and hit.amended.get("text") is not None
    return (None if edited else file_of(hit.event.content)) or hit.snippet.text.replace("\n", " ")
