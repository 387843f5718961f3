"""What a person prefers, everywhere and on all devices: when not to be disturbed, and which words are worth it."""

import re
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from hongyan.core.errors import Invalid
from hongyan.core.text import folded

Clock = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""Hours and minutes."""
Day = Annotated[int, Meta(ge=0, le=6)]
"""0 is Monday."""
EVERY_DAY: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
MOST_KEYWORDS = 100
_KEYWORD = 64
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")


class Quiet(msgspec.Struct, frozen=True, omit_defaults=True, rename={"start": "from", "end": "to"}):
    """The hours of each day in which one is not disturbed, by the clock of a place. Equal times are the whole day."""

    start: Clock
    end: Clock
    zone: Annotated[str, Meta(min_length=1, max_length=64)]
    """A name of the IANA time zone database, as `Asia/Shanghai`."""
    days: Annotated[tuple[Day, ...], Meta(min_length=1, max_length=7)] = EVERY_DAY
    """Those on which they begin: hours over midnight belong to the day before."""


class Preferences(msgspec.Struct, frozen=True, omit_defaults=True):
    """All of them; the server keeps the newest."""

    dnd_until: Annotated[int, Meta(ge=0, le=2**53 - 1)] | None = None
    """Do not disturb until then (milliseconds since 1970 UTC)."""
    quiet: Quiet | None = None
    keywords: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=_KEYWORD)], ...], Meta(max_length=MOST_KEYWORDS)] = ()
    """Words that are worth a notification wherever they are said."""


def check_preferences(preferences: Preferences, now: int) -> Preferences:
    """As they are stored: keywords once each, what is over taken out. Raises Invalid."""
    keywords: dict[str, str] = {}
    for word in preferences.keywords:
        plain = " ".join(word.split())
        if not plain or not plain.isprintable():
            raise Invalid("A keyword needs something that can be seen")
        keywords.setdefault(folded(plain), plain)
    quiet = preferences.quiet
    if quiet is not None:
        zone(quiet.zone)
        quiet = msgspec.structs.replace(quiet, days=tuple(sorted(set(quiet.days))))
    until = preferences.dnd_until
    return Preferences(until if until is not None and until > now else None, quiet, tuple(keywords.values()))


def zone(name: str) -> ZoneInfo:
    """The time zone of this name. Raises Invalid."""
    try:
        if _ZONE.fullmatch(name):
            return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        pass
    raise Invalid(f"There is no time zone {name!r}; take a name as Asia/Shanghai")


def is_quiet(quiet: Quiet, now: int) -> bool:
    """Whether it is one of the quiet hours. A zone that this machine does not know has none."""
    try:
        local = datetime.fromtimestamp(now / 1000, zone(quiet.zone))
    except Invalid:
        return False
    at, today = f"{local:%H:%M}", local.weekday()
    if quiet.start < quiet.end:
        return quiet.start <= at < quiet.end and today in quiet.days
    return (at >= quiet.start and today in quiet.days) or (at < quiet.end and (today - 1) % 7 in quiet.days)
