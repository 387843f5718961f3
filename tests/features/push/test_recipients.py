"""Who is told of many messages at once: the work grows with subscriptions, and what is sent is made once."""

from collections import namedtuple

import msgspec
import pytest

from hongyan.core.model import Event
from hongyan.features.push import recipients
from hongyan.features.push.recipients import Known, Page, Telling

Row = namedtuple("Row", "conversation user token endpoint public auth role first_seq read_seq level muted_until content")


def row(user: str, level: str | None = None) -> Row:
    return Row("g", user, f"t-{user}", f"https://push.example/{user}", b"", b"", "member", 1, 0, level, None, None)


def said(seq: int, *mentions: str) -> Event:
    content = msgspec.json.encode({"type": "text", "text": f"say {seq}", "mentions": mentions})
    return Event(position=seq, lane="g", seq=seq, type="message", sender="alice", time=1, client_id=None, content=content)


def telling(*events: Event) -> Telling:
    return Telling(events, Known({"g": recipients._Room("group", "项目组")}, {"alice": "Alice"}))


def page(*rows: Row) -> Page:
    return Page(list(rows), {one.user: {one.token} for one in rows}, set(), None)


def test_of_a_conversation_each_is_told_of_the_newest_which_is_made_once_for_each_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = []
    notice = recipients._notice
    monkeypatch.setattr(recipients, "_notice", lambda event, *more: made.append(event.seq) or notice(event, *more))
    people = [row(f"u{number}") for number in range(200)]
    asked = page(*people, row("bob", "mentions"), row("carol", "nothing"))
    told = telling(*(said(seq, *(("bob",) if seq == 5 else ())) for seq in range(1, 101)))
    found = told.decide(asked, {one.user: () for one in asked.rows}, 1)
    assert [msgspec.json.decode(one.payload)["seq"] for one in found] == [100] * 200 + [5]
    assert sorted(made) == [5, 100]
    assert len({id(one.payload) for one in found}) == 2
