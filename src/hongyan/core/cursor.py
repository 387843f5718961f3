"""Cursors: where a reader is in the log. One number with the epoch of the log it counts in.

The text form is opaque to clients and URL-safe. A new epoch begins with a new log and with every restored backup, so a
cursor from another history is recognised instead of being continued in the wrong place.
"""

import re

import msgspec

from hongyan.core.errors import InvalidCursor

_FORM = re.compile(r"([0-9a-z]{1,16})\.([0-9]{1,18})", re.ASCII)


class Cursor(msgspec.Struct, frozen=True):
    """A place in the log: everything up to and including `position` has been given to the reader."""

    epoch: str
    position: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.position}"


def parse_cursor(text: str) -> Cursor:
    """Read the text form. Raises InvalidCursor for anything that was never a cursor of any server."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise InvalidCursor("A cursor is a string that this server gave out, unchanged")
    return Cursor(match[1], int(match[2]))
