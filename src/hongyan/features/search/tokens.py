"""Text into what is searched, the same for every store: pure functions.

A text is a row of units: a word of letters and digits, one character of a script that puts no spaces between words, one symbol.
The index knows each unit, each two characters that touch, and the parts of a word (`getUserName`, `gpt4`). Whether a message is a
hit is decided on its units: the index only brings candidates.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from hongyan.features.search.folding import plain, simplified

VERSION = "1"
"""Another one makes every index be built anew: change it with whatever changes the tokens of a text."""

# Han, kana, hangul, bopomofo, and the scripts of South-East Asia that are written without spaces.
_DENSE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30fa\u30fc-\u30ff\u3100-\u318f\u31a0-\u31bf"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U000323af"
)
_SYMBOLS = "\u2190-\u2bff\u3297\u3299\U0001f000-\U0001f3fa\U0001f400-\U0001faff"
_BETWEEN = f"(?:_|[^\\w{_DENSE}{_SYMBOLS}])*+"
"""What may stand between two units: nothing that is a unit itself, and no way back, or a phrase of symbols takes for ever."""
_RUNS = re.compile(f"([{_DENSE}]+)|([^\\W_{_DENSE}{_SYMBOLS}]+)|([{_SYMBOLS}])")
_SIMPLE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LONGEST = 64
"""Characters of a word that are in the index; a hit is decided on all of them."""


class Unit(msgspec.Struct, frozen=True, gc=False):
    text: str
    start: int
    """Code points in the text as it was written."""
    end: int
    dense: bool
    touches: bool
    """Nothing is between it and the unit before."""
    parts: tuple[str, ...] = ()


def index_tokens(text: str) -> set[str]:
    """What the index knows of a text."""
    found: set[str] = set()
    for match in _RUNS.finditer(plain(text)[0]):
        if match.lastindex == 1:
            run = simplified(match[1])
            found.update(run)
            found.update(map("".join, pairwise(run)))
        elif match.lastindex == 2:
            found.add(_word(match[2])[:_LONGEST])
            found.update(part[:_LONGEST] for part in _parts(match[2]))
        else:
            found.add(match[3])
    return found


def units(text: str) -> list[Unit]:
    """The whole text in order."""
    form, places = plain(text)
    return [unit for unit in _units(form, places)]


def _units(form: str, places: list[int] | None) -> Iterator[Unit]:
    last = -1
    for match in _RUNS.finditer(form):
        start, end = match.span()
        if match.lastindex == 1:
            for at, char in enumerate(simplified(match[1]), start):
                begin, behind = (at, at + 1) if places is None else (places[at], _behind(places, at + 1))
                yield Unit(char, begin, behind, True, at == last)
                last = at + 1
        else:
            begin, behind = (start, end) if places is None else (places[start], _behind(places, end))
            word = match.lastindex == 2
            text = _word(match[2]) if word else match[3]
            yield Unit(text, begin, behind, False, start == last, _parts(match[2]) if word else ())
        last = end


def _behind(places: Sequence[int], at: int) -> int:
    """Where the character before `at` ends: one character may have become several."""
    while at < len(places) - 1 and places[at] == places[at - 1]:
        at += 1
    return places[at]


def _word(word: str) -> str:
    return word.lower() if word.isascii() else simplified(plain(word.casefold())[0])


def _parts(word: str) -> tuple[str, ...]:
    if not word.isascii() or _SIMPLE.fullmatch(word):
        return ()
    return tuple(part.lower() for part in _PARTS.findall(word))


class Term(msgspec.Struct, frozen=True):
    """Units that have to follow one another. Two characters that touch in the question have to touch in the text."""

    units: tuple[Unit, ...]

    def tokens(self) -> list[str]:
        """The index has all of them for every text that has the term."""
        found: list[str] = []
        paired = False
        for at, unit in enumerate(self.units):
            following = self.units[at + 1] if at + 1 < len(self.units) else None
            if unit.dense and following is not None and _pair(unit, following):
                found.append(unit.text + following.text)
                paired = True
                continue
            if not paired:
                found.append(unit.text[:_LONGEST])
            paired = False
        return found

    def pattern(self) -> re.Pattern[str] | None:
        """What every text has, folded, in which a term of several units is: far quicker than looking at the units."""
        if len(self.units) == 1:
            return None
        return re.compile(_BETWEEN.join(re.escape(unit.text) for unit in self.units))

    def found_in(self, text: Sequence[Unit]) -> list[tuple[int, int]]:
        """Where it begins and ends, in code points."""
        first, *others = self.units
        ranges: list[tuple[int, int]] = []
        if not others:
            return [(unit.start, unit.end) for unit in text if unit.text == first.text or first.text in unit.parts]
        for at in range(len(text) - len(others)):
            if text[at].text == first.text and all(
                text[at + more].text == unit.text and (text[at + more].touches or not _must_touch(self.units[more - 1], unit))
                for more, unit in enumerate(others, 1)
            ):
                ranges.append((text[at].start, text[at + len(others)].end))
        return ranges


def _pair(one: Unit, other: Unit) -> bool:
    return one.dense and other.dense and other.touches


_must_touch = _pair


def terms(words: str, *, phrase: bool) -> list[Term]:
    """Of a part of a question without spaces, or of a phrase in quotes, which stays one term."""
    found = units(words)
    if phrase:
        return [Term(tuple(found))] if found else []
    groups: list[list[Unit]] = []
    for unit in found:
        if not groups or (unit.dense and groups[-1][-1].dense and not unit.touches):
            groups.append([])
        groups[-1].append(unit)
    return [Term(tuple(group)) for group in groups]
