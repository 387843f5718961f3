"""Who is told of a message, and why."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from hongyan.core.content import ADMINS, ALL
from hongyan.core.notifying import Decision, Reader, Said, notifies, says
from hongyan.core.preferences import Preferences, Quiet, is_quiet

NOW = 1_700_000_000_000
PLAIN, TO_ME = Said("bob", "晚饭吃什么"), Said("bob", "看这里", ("alice",))
DEPLOY = Said("bob", "Ｄeploy 今晚上线")
WORDS = Preferences(keywords=("deploy",))
LATER, BEFORE = NOW + 1, NOW


def at(when: str, zone: str = "Asia/Shanghai") -> int:
    return int(datetime.fromisoformat(when).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("said", "kind", "reader", "notify", "why"),
    [
        (PLAIN, "group", Reader("alice"), True, "all"),
        (PLAIN, "direct", Reader("alice"), True, "direct"),
        (PLAIN, "group", Reader("bob"), False, "own"),
        (TO_ME, "group", Reader("alice"), True, "mention"),
        (Said("bob", "", (ALL,)), "group", Reader("alice"), True, "mention"),
        (Said("bob", "", (ADMINS,)), "group", Reader("alice", "admin"), True, "mention"),
        (Said("bob", "", (ADMINS,)), "group", Reader("alice", level="mentions"), False, "level"),
        (PLAIN, "group", Reader("alice", level="mentions"), False, "level"),
        (PLAIN, "direct", Reader("alice", level="mentions"), False, "level"),
        (TO_ME, "group", Reader("alice", level="mentions"), True, "mention"),
        (TO_ME, "group", Reader("alice", level="nothing"), False, "nothing"),
        (DEPLOY, "group", Reader("alice", preferences=WORDS), True, "keyword"),
        (DEPLOY, "group", Reader("alice", level="mentions", preferences=WORDS), True, "keyword"),
        (DEPLOY, "group", Reader("alice", level="nothing", preferences=WORDS), False, "nothing"),
        (DEPLOY, "group", Reader("alice", muted_until=LATER, preferences=WORDS), False, "muted"),
        (PLAIN, "group", Reader("alice", muted_until=LATER), False, "muted"),
        (PLAIN, "group", Reader("alice", muted_until=BEFORE), True, "all"),
        (PLAIN, "direct", Reader("alice", muted_until=LATER), False, "muted"),
        (TO_ME, "group", Reader("alice", muted_until=LATER), True, "mention"),
        (TO_ME, "group", Reader("alice", level="nothing", muted_until=LATER), False, "nothing"),
        (TO_ME, "direct", Reader("alice", preferences=Preferences(dnd_until=LATER)), False, "dnd"),
        (TO_ME, "direct", Reader("alice", preferences=Preferences(dnd_until=BEFORE)), True, "mention"),
    ],
)
def test_who_is_told_and_why(said: Said, kind: str, reader: Reader, notify: bool, why: str) -> None:
    assert notifies(said, kind, reader, NOW) == Decision(notify, why)  # type: ignore[arg-type]


def test_quiet_hours_let_nothing_through() -> None:
    reader = Reader("alice", preferences=Preferences(quiet=Quiet("22:00", "07:00", "Asia/Shanghai")))
    assert notifies(TO_ME, "direct", reader, at("2026-11-28 23:30")) == Decision(False, "quiet")
    assert notifies(TO_ME, "direct", reader, at("2026-11-28 12:00")) == Decision(True, "mention")


@pytest.mark.parametrize(
    ("quiet", "when", "is_so"),
    [
        (Quiet("22:00", "07:00", "Asia/Shanghai"), at("2026-11-28 22:00"), True),
        (Quiet("22:00", "07:00", "Asia/Shanghai"), at("2026-11-29 06:59"), True),
        (Quiet("22:00", "07:00", "Asia/Shanghai"), at("2026-11-29 07:00"), False),
        (Quiet("22:00", "07:00", "Asia/Shanghai"), at("2026-11-28 15:00", "Europe/Berlin"), True),
        (Quiet("12:00", "13:30", "Asia/Shanghai"), at("2026-11-28 13:29"), True),
        (Quiet("12:00", "13:30", "Asia/Shanghai"), at("2026-11-28 13:30"), False),
        (Quiet("08:00", "08:00", "Asia/Shanghai", (5,)), at("2026-11-28 08:00"), True),  # 28 November 2026 is a Saturday
        (Quiet("08:00", "08:00", "Asia/Shanghai", (5,)), at("2026-11-29 07:59"), True),
        (Quiet("08:00", "08:00", "Asia/Shanghai", (5,)), at("2026-11-29 08:00"), False),
        (Quiet("22:00", "07:00", "Asia/Shanghai", (4,)), at("2026-11-28 03:00"), True),
        (Quiet("22:00", "07:00", "Asia/Shanghai", (4,)), at("2026-11-28 23:00"), False),
        (Quiet("02:00", "04:00", "Europe/Berlin"), at("2026-03-29 03:30", "Europe/Berlin"), True),  # the clock has skipped 02:xx
        (Quiet("22:00", "07:00", "Nowhere/Land"), at("2026-11-28 23:00"), False),
    ],
)
def test_quiet_hours_by_the_clock_of_the_place(quiet: Quiet, when: int, is_so: bool) -> None:
    assert is_quiet(quiet, when) is is_so


@pytest.mark.parametrize(
    ("text", "keyword", "is_so"),
    [
        ("今晚服务器上线", "服务器", True),
        ("今晚服务", "服务器", False),
        ("start now", "art", False),
        ("state of the art.", "art", True),
        ("art starts", "Art", True),
        ("starts art", "art", True),
        ("用Python写", "python", True),
        ("ＰＹＴＨＯＮ", "python", True),
        ("C++ 好", "c++", True),
        ("anything", "", False),
    ],
)
def test_keywords_are_words(text: str, keyword: str, is_so: bool) -> None:
    assert says(text, keyword) is is_so
