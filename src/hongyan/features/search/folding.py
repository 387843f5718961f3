"""The form in which texts are compared: compatibility forms, case, and traditional against simplified characters do not count."""

import re
from functools import cache
from importlib.resources import files
from unicodedata import category, is_normalized, normalize

_NOTHING = re.compile("[\u00ad\u200b-\u200d\u2060\ufe0e\ufe0f\ufeff]")
"""Characters of no width: they part nothing and are not searched."""
_JOINING = re.compile("[\u1160-\u11ff\uff9e\uff9f]")
"""Later letters of a Hangul syllable, and the marks of half-width kana."""


@cache
def _simplified() -> dict[int, str]:
    traditional, simplified = files(__package__).joinpath("simplified.txt").read_text("utf-8").splitlines()
    return {ord(old): new for old, new in zip(traditional, simplified, strict=True)}


@cache
def variants() -> dict[str, tuple[str, ...]]:
    """By a simplified character all that are folded to it, itself first."""
    found: dict[str, tuple[str, ...]] = {}
    for old, new in _simplified().items():
        found[new] = (*found.get(new, (new,)), chr(old))
    return found


def simplified(text: str) -> str:
    """Character for character."""
    return text if text.isascii() else text.translate(_simplified())


def folded(text: str) -> str:
    """A whole text in the form that is compared."""
    return simplified(normalize("NFKC", normalize("NFKC", _NOTHING.sub("", text)).casefold()))


def plain(text: str) -> tuple[str, list[int] | None]:
    """NFKC without what has no width, and for each of its characters, and its end, the place in `text`; None: the same places."""
    if text.isascii():
        return text, None
    if not _NOTHING.search(text):
        if is_normalized("NFKC", text):
            return text, None
        whole = normalize("NFKC", text)
        if len(whole) == len(text) and all(
            old == new or normalize("NFKC", old) == new for old, new in zip(text, whole, strict=True)
        ):  # as most Chinese texts are, for their punctuation
            return whole, None
    made: list[str] = []
    places: list[int] = []
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and _joins(text[end]):
            end += 1
        part = normalize("NFKC", _NOTHING.sub("", text[at:end]))
        made.append(part)
        places += [at] * len(part)
        at = end
    places.append(len(text))
    return "".join(made), places


def _joins(char: str) -> bool:
    """It may become one character with what is before it."""
    return not char.isascii() and (category(char)[0] == "M" or _JOINING.match(char) is not None)
