"""What nodes tell each other of who is there, as a play: attendances on a bus that loses what it is told to lose."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from hongyan.bus import Beat, Device, NodeInfo, NodePresence, Roster, Signal, TellMe
from hongyan.messaging import attendance as module
from hongyan.messaging.attendance import Attendance
from tests.messaging.test_nodes import Air, Voice

LANES = ("lane",)


class NoStore:
    """Everybody's only small conversation is `lane`."""

    async def read(self, fn: Any) -> dict[str, list[str]]:
        return {user: ["lane"] for user in fn.__defaults__[0]}


class Place:
    """One node."""

    def __init__(self, air: Air, id: str) -> None:
        self.id = id
        self.voice = Voice(air, id)
        self.now = 100.0
        self.signals: list[Signal] = []
        self.attendance = Attendance(NoStore(), self.voice, id, self.signals.append, ticks=lambda: self.now)  # type: ignore[arg-type]

    def tell(self, user: str, *devices: str, status: Any = "online", text: str | None = None) -> None:
        self.attendance.tell(user, status, text, tuple(Device(name, "websocket", status, 1) for name in devices), LANES)

    def beat(self) -> Beat:
        return Beat(NodeInfo(self.id, self.id, "1", {}, 0, 0, 0, 0, True), self.attendance.changes)

    def statuses(self, user: str) -> list[str]:
        return [signal.body["status"] for signal in self.signals if signal.user == user]

    def said(self, kind: type) -> list[Any]:
        return [one for one in self.voice.said if isinstance(one, kind)]


@pytest.fixture
def places() -> Callable[..., list[Place]]:
    def make(*ids: str) -> list[Place]:
        air = Air()
        return [Place(air, id) for id in ids]

    return make


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_one_tells_is_news_on_every_node_once(places: Any) -> None:
    a, b = places("a", "b")
    b.attendance.on_beat(a.beat())
    for _ in range(3):
        a.tell("ann", "laptop")
    for place in (a, b):
        assert place.statuses("ann") == ["online"]
        assert place.attendance.nodes_of("ann") == ["a"]
    a.tell("ann")
    for place in (a, b):
        assert place.statuses("ann") == ["online", "offline"]
        assert place.attendance.users() == []
    assert [told.number for told in a.said(NodePresence)] == [1, 2]


async def test_who_was_never_there_is_not_told_as_gone(places: Any) -> None:
    (a,) = places("a")
    a.tell("ann")
    assert a.voice.said == []


async def test_several_nodes_are_one_summary(places: Any) -> None:
    a, b = places("a", "b")
    for place, other in ((a, b), (b, a)):
        place.attendance.on_beat(other.beat())
    a.tell("ann", "laptop", status="away")
    b.tell("ann", "phone", status="busy", text="开会")
    for place in (a, b):
        assert place.statuses("ann") == ["away", "busy"]
        assert place.signals[-1].body["text"] == "开会"
        assert [device["device"] for device in place.signals[-1].body["devices"]] == ["laptop", "phone"]
    b.tell("ann")
    for place in (a, b):
        assert place.statuses("ann")[-1] == "away", "on one node still"


async def test_number_that_was_missed_is_asked_for_and_the_roster_sets_it_right(places: Any) -> None:
    a, b = places("a", "b")
    b.attendance.on_beat(a.beat())
    await settled()
    a.tell("ann", "laptop")
    a.voice.cut = True
    a.tell("ann")
    a.tell("bob", "laptop")
    a.voice.cut = False
    asked = len(b.said(TellMe))
    b.now += 10
    a.tell("cai", "laptop")
    assert len(b.said(TellMe)) == asked + 1
    await settled()
    assert sorted(b.attendance.users()) == ["bob", "cai"]
    assert b.statuses("ann") == ["online", "offline"]
    assert b.statuses("bob") == ["online"]


async def test_last_number_that_was_missed_shows_in_the_next_beat_and_is_asked_for_now_and_then(places: Any) -> None:
    a, b = places("a", "b")
    b.attendance.on_beat(a.beat())
    b.now += 10
    a.voice.cut = True
    a.tell("ann", "laptop")
    asked = len(b.said(TellMe))
    for _ in range(5):
        b.attendance.on_beat(a.beat())
    assert len(b.said(TellMe)) == asked + 1, "the answer is on its way"
    b.now += 2
    a.voice.cut = False
    b.attendance.on_beat(a.beat())
    await settled()
    assert b.statuses("ann") == ["online"]


async def test_roster_in_parts_counts_when_it_is_whole(places: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PART_BYTES", 7_000)
    a, b = places("a", "b")
    a.voice.cut = True
    for number in range(25):
        a.tell(f"u{number:02}", "laptop")
    a.voice.cut = False
    parts: list[Roster] = []
    a.voice.listen(Roster, lambda roster: None)
    b.voice.listen(Roster, parts.append)
    b.now += 10
    b.attendance.on_beat(a.beat())
    assert [(part.part, part.parts, len(part.people)) for part in parts] == [(0, 3, 10), (1, 3, 10), (2, 3, 5)]
    take = b.attendance._on_roster
    for part in (parts[0], parts[2], parts[1]):
        take(part)
    assert len(b.attendance) == 0, "a part was missing when the last came"
    for part in parts:
        take(part)
    assert len(b.attendance) == 25
    await settled()
    assert b.statuses("u07") == ["online"]


async def test_old_roster_changes_nothing(places: Any) -> None:
    a, b = places("a", "b")
    b.attendance.on_beat(a.beat())
    b.attendance._on_roster(Roster("a", 0, (), 0, 1))
    a.tell("ann", "laptop")
    b.attendance._on_roster(Roster("a", 0, (), 0, 1))
    assert b.attendance.users() == ["ann"]


async def test_people_of_a_lost_node_are_offline_unless_they_are_elsewhere(places: Any) -> None:
    a, b, c = places("a", "b", "c")
    for place in (a, b, c):
        for other in (a, b, c):
            if other is not place:
                place.attendance.on_beat(other.beat())
    b.tell("ann", "laptop")
    b.tell("bob", "laptop")
    c.tell("bob", "phone")
    a.attendance.lost("b")
    await settled()
    assert a.statuses("ann") == ["online", "offline"]
    assert a.statuses("bob")[-1] == "online"
    assert a.attendance.nodes_of("bob") == ["c"]
    a.attendance.lost("b")
    await settled()
    assert a.statuses("ann") == ["online", "offline"]


async def test_node_that_comes_back_is_asked_for_everything(places: Any) -> None:
    a, b = places("a", "b")
    b.attendance.on_beat(a.beat())
    a.tell("ann", "laptop")
    b.attendance.lost("a")
    await settled()
    b.now += 10
    b.attendance.on_beat(a.beat())
    await settled()
    assert b.statuses("ann") == ["online", "offline", "online"]


async def test_what_comes_from_a_node_after_its_end_is_swept_away(places: Any) -> None:
    """The bus may bring a node's last word after the news that it is gone: it would be there for ever."""
    a, b = places("a", "b")
    a.attendance.on_beat(b.beat())
    a.attendance.lost("b")
    devices = (Device("x", "sse", "online", 1),)
    a.attendance._on_roster(Roster("b", 1, (NodePresence("b", 1, "ann", "online", None, devices, ()),), 0, 1))
    await settled()
    assert a.attendance.users() == ["ann"]
    a.attendance.sweep({"b"})
    assert a.attendance.users() == ["ann"], "the node is there"
    a.attendance.sweep(())
    await settled()
    assert a.attendance.users() == []
    assert a.statuses("ann") == ["online", "offline"]
