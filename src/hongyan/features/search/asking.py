"""A question as people type it, read into words and filters. Pure."""

import re
from datetime import UTC, date, datetime, timedelta
from unicodedata import normalize

import msgspec

from hongyan.core.errors import Invalid
from hongyan.features.search.documents import HAS
from hongyan.features.search.tokens import Term, terms

_PIECES = re.compile(r'(?:(from|in|before|after|on|has|mentions):)?(?:"([^"]*)"?|([^\s"]+))', re.IGNORECASE)
_QUOTES = str.maketrans('“”„«»「」', '"""""""')  # fmt: skip
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_MONTH = re.compile(r"(\d{4})[-/.年](\d{1,2})月?")
_YEAR = re.compile(r"(\d{4})年?")
_AGO = {"today": 0, "今天": 0, "yesterday": 1, "昨天": 1, "前天": 2}


class Question(msgspec.Struct, frozen=True):
    """All of it has to hold; of several in `senders` and of several in `places` one."""

    terms: tuple[Term, ...] = ()
    senders: tuple[str, ...] = ()
    """Ids or names, as they were typed."""
    places: tuple[str, ...] = ()
    """Ids or titles of conversations."""
    mentions: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    since: int | None = None
    """Milliseconds since 1970 UTC: at that time or later."""
    until: int | None = None
    """Earlier than that."""


class Fields(msgspec.Struct, frozen=True):
    """Filters that a program gives apart from the text; each as it would be typed."""

    sender: str | None = None
    place: str | None = None
    before: str | None = None
    after: str | None = None
    has: str | None = None


_LONGEST_FILTER = 100


def read(text: str, fields: Fields, now: datetime, *, most_length: int, most_terms: int) -> Question:
    """Dates are days where `now` is. Raises Invalid with what is wrong."""
    if len(text) > most_length:
        raise Invalid(f"A question may have {most_length} characters")
    pieces: list[tuple[str, str, bool]] = []
    for match in _PIECES.finditer(normalize("NFKC", text).translate(_QUOTES)):
        quoted = match[2] is not None
        pieces.append(((match[1] or "").lower(), match[2] if quoted else match[3], quoted))
    given = (
        ("from", fields.sender), ("in", fields.place), ("before", fields.before), ("after", fields.after), ("has", fields.has)
    )  # fmt: skip
    pieces += [(name, normalize("NFKC", value), True) for name, value in given if value]
    if sum(bool(name) for name, _, _ in pieces) > most_terms:
        raise Invalid(f"A question may have {most_terms} filters")
    question = _gathered(pieces, now)
    if len(question.terms) > most_terms:
        raise Invalid(f"A question may have {most_terms} words")
    if question == Question():
        raise Invalid("Type a word, or a filter such as from: or has:")
    return question


def _gathered(pieces: list[tuple[str, str, bool]], now: datetime) -> Question:
    words: list[Term] = []
    filters: dict[str, list[str]] = {"from": [], "in": [], "mentions": [], "has": []}
    since: list[int] = []
    until: list[int] = []
    for name, value, quoted in pieces:
        if not name:
            words += terms(value, phrase=quoted)
            continue
        if not value or "\0" in value:
            raise Invalid(f"After {name}: something is missing")
        if len(value) > _LONGEST_FILTER:
            raise Invalid(f"After {name}: up to {_LONGEST_FILTER} characters")
        if name in filters:
            filters[name].append(value)
            continue
        begin, end = _span(value, now)
        if name in ("on", "before"):
            until.append(end if name == "on" else begin)
        if name in ("on", "after"):
            since.append(begin if name == "on" else end)
    has = [what.lower() for what in filters["has"]]
    for what in has:
        if what not in HAS:
            raise Invalid(f"has: takes one of {', '.join(HAS)}")
    return Question(
        tuple(dict.fromkeys(words)),
        tuple(filters["from"]),
        tuple(filters["in"]),
        tuple(filters["mentions"]),
        tuple(dict.fromkeys(has)),
        max(since, default=None),
        min(until, default=None),
    )


def _span(value: str, now: datetime) -> tuple[int, int]:
    """The first millisecond of a day, a month or a year, and the first one behind it. Raises Invalid."""
    value = value.lower()
    try:
        if value in _AGO:
            begin = now.date() - timedelta(days=_AGO[value])
            end = begin + timedelta(days=1)
        elif match := _DAY.fullmatch(value):
            begin = date(*map(int, match.groups()))
            end = begin + timedelta(days=1)
        elif match := _MONTH.fullmatch(value):
            begin = date(int(match[1]), int(match[2]), 1)
            end = (begin + timedelta(days=31)).replace(day=1)
        elif match := _YEAR.fullmatch(value):
            begin = date(int(match[1]), 1, 1)
            end = date(begin.year + 1, 1, 1)
        else:
            raise ValueError(value)
        return _milliseconds(begin, now), _milliseconds(end, now)
    except (ValueError, OverflowError):
        raise Invalid("A date is 2024-05-31, 2024-05, 2024, today or yesterday") from None


def _milliseconds(day: date, now: datetime) -> int:
    if not 1970 <= day.year <= 9000:
        raise ValueError(day)
    return int(datetime(day.year, day.month, day.day, tzinfo=now.tzinfo or UTC).timestamp() * 1000)
