"""Names and media types that somebody gave a file, made harmless. They are shown; the disk never sees them."""

import re
import unicodedata

_MOST_BYTES = 200
_JOINER = "\u200d"
"""Holds emoji together; all else that is not printable goes, with what turns the direction of writing around."""
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")
UNKNOWN = "application/octet-stream"
_RUNS = re.compile(r"html|xml|xsl|css|script")
"""In a type that a browser runs, or draws with: the ten names of JavaScript (text/ecmascript, text/jscript, ...) have it too."""
_SHOWN = ("image/", "audio/", "video/", "text/")
_ALSO = frozenset(("application/pdf", "application/zip", "application/json"))


def safe_name(given: str) -> str:
    """One part of a path, of at most 200 bytes of UTF-8; its end, which says what it is, is kept."""
    last = unicodedata.normalize("NFC", given.replace("\\", "/").rpartition("/")[2])
    clean = "".join(c if c.isprintable() or c == _JOINER else "_" for c in last).strip().strip(".").strip() or "file"
    stem, dot, end = clean.rpartition(".")
    if not stem or len(end.encode()) > 20:
        stem, dot, end = clean, "", ""
    room = _MOST_BYTES - len((dot + end).encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + end


def safe_type(given: str) -> str:
    """As it is, without parameters; `application/octet-stream` where it is none."""
    told = given.partition(";")[0].strip().lower()
    return told if _TYPE.fullmatch(told) else UNKNOWN


def served_type(media_type: str) -> str:
    """What a browser is told: nothing that it would run, or give to a program that does."""
    known = (media_type.startswith(_SHOWN) and not _RUNS.search(media_type)) or media_type in _ALSO
    return media_type if known else UNKNOWN
