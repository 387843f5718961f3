"""Who is told of many messages at once: the work grows with subscriptions, and what is sent is made once."""

from collections import namedtuple

import msgspec

from hongyan.core.model import Event
from hongyan.features.push import recipients
from hongyan.features.push.recipients import Known, Page, Telling

Row = namedtuple("Row", "conversation user id role first_seq read_seq level muted_until content")


def row(user: str, level: str | None = None) -> Row:
    return Row("g", user, f"t-{user}", "member", 1, 0, level, None, None)


def said(seq: int, *mentions: str) -> Event:
    content = msgspec.json.encode({"type": "text", "text": f"say {seq}", "mentions": mentions})
    return Event(position=seq, lane="g", seq=seq, type="message", sender="alice", time=1, client_id=None, content=content)


def telling(*events: Event) -> Telling:
    return Telling(events, Known({"g": recipients._Room("group", "项目组")}, {"alice": "Alice"}))


def page(*rows: Row) -> Page:
    return Page(list(rows), {one.user: {one.id} for one in rows}, set(), None)


def nobody_is_reached(row: Row, devices: object) -> bool:
    return False


def test_of_a_conversation_each_is_told_of_the_newest_the_same_for_each_reason() -> None:
    people = [row(f"u{number}") for number in range(200)]
    asked = page(*people, row("bob", "mentions"), row("carol", "nothing"))
    told = telling(*(said(seq, *(("bob",) if seq == 5 else ())) for seq in range(1, 101)))
    found = told.decide(asked, {one.user: () for one in asked.rows}, 1, nobody_is_reached)
    assert [(one.user, told.event.seq) for one, told in found] == [("bob", 5), *((one.user, 100) for one in people)]
    assert len({id(told) for _, told in found}) == 2


def test_who_is_reached_anyway_is_not_told() -> None:
    asked = page(row("bob"), row("carol"))
    found = telling(said(1)).decide(asked, {one.user: () for one in asked.rows}, 1, lambda row, devices: row.user == "bob")
    assert [one.user for one, _ in found] == ["carol"]
