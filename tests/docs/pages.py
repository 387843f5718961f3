"""Read the reference pages: the rows of their tables, and what is set in code in the first cell of each."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"

_CODE = re.compile(r"`([^`]+)`")
_SEPARATOR = re.compile(r"^[\s|:-]+$")


def cells(line: str) -> list[str]:
    r"""The cells of a table's row. `\|` is a bar inside a cell."""
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def rows(page: str, heading: str | None = None) -> list[list[str]]:
    """All rows of all tables of a reference page, without their heads; only those under `heading` when it is given."""
    lines = (REFERENCE / page).read_text(encoding="utf-8").splitlines()
    found: list[list[str]] = []
    under = ""
    for number, line in enumerate(lines):
        if line.startswith("#"):
            under = line.lstrip("#").strip()
        elif line.startswith("|") and (heading is None or under == heading):
            head = number + 1 < len(lines) and _SEPARATOR.match(lines[number + 1])
            if not head and not _SEPARATOR.match(line):
                found.append(cells(line))
    return found


def code(cell: str) -> str:
    """What a cell says in code; an empty string when it says nothing so."""
    found = _CODE.search(cell)
    return found.group(1) if found else ""


def headings(page: str) -> list[str]:
    text = (REFERENCE / page).read_text(encoding="utf-8")
    return re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
