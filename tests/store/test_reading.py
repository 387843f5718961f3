"""The reading functions against a model that looks at every event."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, delete, event, insert

from hongyan.core.model import Event
from hongyan.core.policy import Span
from hongyan.store import reading
from hongyan.store.schema import events, metadata

LANES = ["room", "会话", "user:alice", "quiet"]
MESSAGE = b'{"type":"text","text":"hi"}'


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as open_:
        metadata.create_all(
            open_, tables=[table for table in metadata.sorted_tables if table.name in ("events", "lanes", "meta")]
        )
        yield open_
    engine.dispose()


def fill(connection: Connection, entries: list[tuple[str, str, str | None]]) -> list[Event]:
    """A log of these lanes, types and senders."""
    log: list[Event] = []
    seqs: dict[str, int] = {}
    for number, (lane, type_, sender) in enumerate(entries, 1):
        seqs[lane] = seqs.get(lane, 0) + 1
        log.append(Event(number, lane, seqs[lane], type_, sender, number, None, MESSAGE))
    connection.execute(delete(events))
    names = [column.name for column in events.columns]
    if log:
        connection.execute(insert(events), [{name: getattr(one, name) for name in names} for one in log])
    return log


kinds = st.sampled_from(["message", "message", "member"])
senders = st.sampled_from(["alice", "bob", None])
whatever = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@st.composite
def logs(draw: st.DrawFn) -> list[tuple[str, str, str | None]]:
    """Lanes, types and senders; long enough, more often than not, that something is before and behind any place."""
    size = draw(st.integers(0, 60))
    lanes = LANES[: draw(st.integers(1, 3))]
    return draw(st.lists(st.tuples(st.sampled_from(lanes), kinds, senders), min_size=size, max_size=size))


def visible(log: list[Event], spans: list[tuple[str, Span]], position: int, upto: int) -> list[Event]:
    """A look at every event."""
    return [
        one
        for one in log
        if position < one.position <= upto and any(lane == one.lane and span.shows(one.seq) for lane, span in spans)
    ]


@settings(whatever, max_examples=500)
@given(entries=logs(), data=st.data())
def test_visible_after_is_what_a_look_at_every_event_finds(
    connection: Connection, entries: list[tuple[str, str, str | None]], data: st.DataObject
) -> None:
    log = fill(connection, entries)
    longest = max((one.seq for one in log), default=0)
    seqs = st.integers(0, longest + 1)
    span = st.builds(Span, since_seq=seqs, last_seq=st.none() | seqs)
    spans = data.draw(st.lists(st.tuples(st.sampled_from([*LANES, "empty"]), span), max_size=8))
    position = data.draw(st.integers(0, len(log)))
    upto = data.draw(st.just(len(log)) | st.integers(0, len(log) + 2))
    limit = data.draw(st.just(100) | st.integers(0, 10))
    assert reading.visible_after(connection, spans, position, upto, limit) == visible(log, spans, position, upto)[:limit]


def test_part_of_a_lane_that_was_left_ends_where_it_was_left(connection: Connection) -> None:
    log = fill(connection, [("room", "message", "bob")] * 10)
    spans = [("room", Span(2, 3)), ("room", Span(7, 8))]
    assert reading.visible_after(connection, spans, 0, 10, 100) == [log[1], log[2], log[6], log[7]]
    assert reading.visible_after(connection, spans, 2, 7, 100) == [log[2], log[6]]


@settings(whatever, max_examples=300)
@given(entries=logs(), lane=st.sampled_from(LANES), data=st.data())
def test_each_other_function_is_what_a_look_at_every_event_finds(
    connection: Connection, entries: list[tuple[str, str, str | None]], lane: str, data: st.DataObject
) -> None:
    log = fill(connection, entries)
    mine = [one for one in log if one.lane == lane]
    position = data.draw(st.integers(0, len(log) + 1))
    seq = data.draw(st.integers(0, len(mine) + 1))
    other = data.draw(st.integers(0, len(mine) + 2))
    limit = data.draw(st.just(100) | st.integers(0, 10))
    assert reading.head(connection) == len(log)
    assert reading.lane_head(connection, lane) == len(mine)
    assert reading.after(connection, position, limit) == log[position:][:limit]
    assert reading.newest(connection, limit) == log[max(len(log) - limit, 0) :]
    assert reading.lane_after(connection, lane, seq, limit) == mine[seq:][:limit]
    readable = [one for one in mine if one.seq >= seq]
    assert reading.lane_before(connection, lane, seq, None, limit) == readable[max(len(readable) - limit, 0) :]
    below = [one for one in readable if one.seq < other]
    assert reading.lane_before(connection, lane, seq, other, limit) == below[max(len(below) - limit, 0) :]


class Cost:
    """Counts the statements, and the rows of events that were read."""

    def __init__(self, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
        self.statements = self.rows = 0
        event.listen(connection, "before_cursor_execute", self._executed)
        plain = reading.lane_after

        def counting(*given: Any) -> list[Event]:
            page = plain(*given)
            self.rows += len(page)
            return page

        monkeypatch.setattr(reading, "lane_after", counting)

    def _executed(self, *_: object) -> None:
        self.statements += 1


@pytest.fixture
def cost(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cost]:
    counted = Cost(connection, monkeypatch)
    yield counted
    event.remove(connection, "before_cursor_execute", counted._executed)


def many(connection: Connection, lanes: int, each: int) -> list[tuple[str, Span]]:
    fill(connection, [(f"room{number % lanes}", "message", "bob") for number in range(lanes * each)])
    return [(f"room{number}", Span(1)) for number in range(lanes)]


def test_two_thousand_lanes_with_nothing_new_cost_one_statement(connection: Connection, cost: Cost) -> None:
    mine = many(connection, 2_000, 3)
    cost.statements = 0
    assert reading.visible_after(connection, mine, 6_000, 6_100, 1_000) == []
    assert (cost.statements, cost.rows) == (1, 0)


def test_what_was_missed_is_found_with_few_statements_and_rows(connection: Connection, cost: Cost) -> None:
    mine = many(connection, 20, 1_000)
    cost.statements = 0
    found = reading.visible_after(connection, mine, 10_000, 20_000, 100)
    assert [one.position for one in found] == list(range(10_001, 10_101))
    assert cost.rows <= 300
    assert cost.statements <= 80


def test_one_busy_lane_among_many_costs_about_the_limit(connection: Connection, cost: Cost) -> None:
    mine = many(connection, 500, 1)
    fill(connection, [(f"room{number}", "message", "bob") for number in range(500)] + [("room7", "message", "bob")] * 5_000)
    cost.statements = 0
    found = reading.visible_after(connection, mine, 500, 10_000, 1_000)
    assert len(found) == 1_000
    assert cost.rows <= 1_100
    assert cost.statements <= 40


def test_only_lanes_whose_turn_comes_are_read(connection: Connection, cost: Cost) -> None:
    mine = many(connection, 300, 10)
    found = reading.visible_after(connection, mine, 0, 3_000, 10)
    assert [one.lane for one in found] == [f"room{number}" for number in range(10)]
    assert cost.rows <= 40


@pytest.mark.parametrize("statement", ["TOPS", "PLACES"])
def test_search_uses_the_index_alone(connection: Connection, statement: str) -> None:
    plans: list[str] = []

    def explain(_: object, cursor: Any, sql: str, parameters: Any, *more: object) -> None:
        plans.extend(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}", parameters))

    event.listen(connection, "before_cursor_execute", explain)
    connection.execute(getattr(reading, statement)["sqlite"], {"list": "[]"})
    event.remove(connection, "before_cursor_execute", explain)
    about_events = [plan for plan in plans if "events" in plan]
    assert about_events
    assert all("SEARCH" in plan and "COVERING INDEX ix_events_lane_seq" in plan for plan in about_events)
