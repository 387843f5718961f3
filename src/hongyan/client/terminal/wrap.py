"""Lines for a terminal of so many columns: Latin text breaks between words, Chinese between any two characters.

After UAX #14, as far as chat needs it: a closing mark does not begin a line, an opening one does not end it. What is longer
than a line (an address, say) is left whole for the terminal to break, so that it can be copied.
"""

from prompt_toolkit.utils import get_cwidth

_CLOSING = set("，。！？、；：）】》〉」』”’…—％,.!?;:)]}%")
_OPENING = set("（【《〈「『“‘([{")
_JOINER = "\u200d"
_SKINS = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"


def wrapped(text: str, columns: int, begin: int = 0, indent: int = 0) -> str:
    """Break at `columns`. The first line has `begin` columns less; every further one is indented, also after a newline."""
    margin = "\n" + " " * indent
    lines = []
    for number, line in enumerate(text.split("\n")):
        lines.append(margin.join(_broken(line, columns - (indent if number else begin), columns - indent)))
    return margin.join(lines)


def _broken(line: str, first: int, columns: int) -> list[str]:
    rows: list[str] = []
    row, room = "", first
    for piece in _pieces(line):
        if get_cwidth(row) + get_cwidth(piece.rstrip()) > room and row:
            rows.append(row.rstrip())
            row, room = "", columns
        row += piece
    return [*rows, row]


def _pieces(line: str) -> list[str]:
    """What must stay on one line: a word with the spaces behind it, or a wide character."""
    pieces: list[str] = []
    for character in line:
        if pieces and _sticks(pieces[-1], character):
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def _sticks(before: str, character: str) -> bool:
    last = before[-1]
    if character in _CLOSING or last in _OPENING or character == " ":
        return True
    if last == _JOINER or character in _SKINS or get_cwidth(character) == 0:
        return True
    return last != " " and get_cwidth(character) == 1 and get_cwidth(last) <= 1 and not _wide(before)


def _wide(piece: str) -> bool:
    return any(get_cwidth(character) == 2 for character in piece)
