"""Addresses of files, as they stand in texts."""

import re
from urllib.parse import unquote, urlsplit

_FILE = re.compile(r"https?://[^\s/]+/\S+")


def addresses_file(text: str) -> bool:
    """It may be the address of a file, and is nothing else."""
    try:
        urlsplit(text)
    except ValueError:
        return False
    return _FILE.fullmatch(text) is not None


_JOINERS = str.maketrans("", "", "\u200c\u200d")
"""They hold emoji together."""


def file_name(address: str) -> str:
    """What the file is called whose address this is. A name that is none, or would show another, stays as it stands there."""
    parts = urlsplit(address)
    last = next((part for part in reversed(parts.path.split("/")) if part), parts.netloc)
    try:
        name = unquote(last, errors="strict")
    except UnicodeDecodeError:
        return last
    fits = name.strip() and name.translate(_JOINERS).isprintable() and "/" not in name
    return name if fits else last
