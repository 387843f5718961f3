"""The part of a text that shows what was found in it."""

from collections.abc import Sequence

from hongyan.features.search.model import Snippet

_BEFORE = 30
_LENGTH = 160


def snippet(text: str, ranges: Sequence[tuple[int, int]]) -> Snippet:
    """About 160 code points, from a little before the first range on. Ranges that meet become one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    begin = _at_word(text, max(merged[0][0] - _BEFORE, 0)) if merged else 0
    end = min(begin + _LENGTH, len(text))
    begin = max(min(begin, end - _LENGTH), 0)
    shown = [(max(one, begin) - begin, min(other, end) - begin) for one, other in merged if one < end and other > begin]
    return Snippet(text[begin:end], shown, begin > 0, end < len(text))


def _at_word(text: str, begin: int) -> int:
    """Forward to the start of a word, if one is near."""
    if begin == 0:
        return 0
    for at in range(begin, min(begin + _BEFORE // 2, len(text))):
        if text[at - 1].isspace() or not text[at - 1].isascii():
            return at
    return begin
