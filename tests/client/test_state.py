"""The fold: snapshot(t0) and the events from t0 to t1 are snapshot(t1), against a plain model of the protocol."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hongyan.client import state as state_module
from hongyan.client import unread as unread_module
from hongyan.client.model import Conversation, Event, Me, Member, Snapshot
from hongyan.client.state import State
from hongyan.client.unread import Unread

from .model import EPOCH, PEOPLE, Model

LISTED, MOST, KEPT = 3, 4, 6


@pytest.fixture(autouse=True, scope="module")
def _small_bounds() -> Iterator[None]:
    """So that a few steps reach them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state_module, "MEMBERS_LISTED", LISTED)
        patch.setattr(unread_module, "MOST", MOST)
        patch.setattr(unread_module, "_KEPT", KEPT)
        yield


def person(draw: int) -> str:
    return PEOPLE[draw % len(PEOPLE)]


def step(model: Model, kind: str, a: int, b: int, c: int) -> None:
    by, other, rooms = person(a), person(b), list(model.rooms)
    others = [person(b), person(c), person(b + c)][: 1 + c % 3]
    if kind == "create" or not rooms:
        model.create(by, "direct" if b % 4 == 0 else "group", others[:1] if b % 4 == 0 else others, ("joined", "all")[c % 2])
        return
    room = rooms[c % len(rooms)]
    inside = list(model.rooms[room].people)
    if inside and a < 25:  # mostly somebody who may
        by = inside[a % len(inside)]
        other = inside[b % len(inside)] if b < 20 else other
    match kind:
        case "message":
            model.message(room, by)
        case "add":
            model.add(room, by, others)
        case "part":
            model.part(room, by, other if c % 2 else by)
        case "role":
            model.role(room, by, other, ("member", "admin", "owner")[c % 3])
        case "settings":
            model.settings(room, by, [{"title": f"t{c}"}, {"history": "all"}, {"title": "x", "history": "joined"}][c % 3])
        case "read":
            model.read(room, model.viewer if a % 3 else by, 1 + b % model.head(room))
        case "rename":
            model.rename(by, f"name {c}")


KINDS = st.sampled_from(["create", *["message"] * 6, "add", "add", "part", "role", "settings", *["read"] * 3, "rename"])
DRAW = st.integers(0, 29)
STEPS = st.lists(st.tuples(KINDS, DRAW, DRAW, DRAW), min_size=20, max_size=60)


def history_of(steps: list[tuple[str, int, int, int]]) -> Model:
    """Begins with a group of three that ann owns."""
    model = Model("ann", LISTED, MOST)
    model.create("ann", "group", ["bob", "cai"], "all")
    for one in steps:
        step(model, *one)
    return model


def known(state: State, position: int) -> Snapshot:
    """What the fold says, in the form of a snapshot."""
    assert state.user is not None
    return Snapshot(f"{EPOCH}.{position}", state.user, sorted(state.conversations, key=lambda one: one.id))


def expected(model: Model, position: int) -> Snapshot:
    snapshot = model.snapshots[position]
    return Snapshot(snapshot.cursor, snapshot.user, sorted(snapshot.conversations, key=lambda one: one.id))


def load(state: State, model: Model, position: int) -> None:
    for id in state.to_load:
        found = model.conversation(id, position)
        if found is None:
            state.forget_conversation(id)
        else:
            state.apply_conversation(found)


@settings(max_examples=200, deadline=None)
@given(STEPS, st.data())
def test_snapshot_and_events_are_the_later_snapshot(steps: list[tuple[str, int, int, int]], data: Any) -> None:
    model = history_of(steps)
    head = len(model.log)
    begin = data.draw(st.one_of(st.integers(0, head), st.sampled_from([0, 1])))
    state = State()
    state.apply_snapshot(model.snapshots[begin])
    ahead = data.draw(st.sampled_from(["exact", "head", "some"]))
    for event in model.seen:
        if event.position <= begin:
            continue
        state.apply_event(event)
        if state.to_load:
            low, high = {"exact": (event.position,) * 2, "head": (head,) * 2, "some": (event.position, head)}[ahead]
            if data.draw(st.booleans()):  # sometimes the answer fails, and the next one must do
                load(state, model, data.draw(st.integers(low, high)))
    load(state, model, head)
    assert state.to_load == []
    assert known(state, head) == expected(model, head)
    for conversation in state.conversations:
        assert all(state.name(member.id) == model.names[member.id] for member in conversation.members or ())


@settings(max_examples=50, deadline=None)
@given(STEPS, st.data())
def test_events_from_before_the_snapshot_change_nothing(steps: list[tuple[str, int, int, int]], data: Any) -> None:
    """A client that goes on from an older cursor is given them; the snapshot has them already."""
    model = history_of(steps)
    begin = data.draw(st.integers(0, len(model.log)))
    state = State()
    state.apply_snapshot(model.snapshots[begin])
    for event in model.seen:
        if event.position <= begin:
            state.apply_event(event)
            assert state.to_load == []
            assert known(state, begin) == expected(model, begin)


def test_answer_from_before_what_was_applied_is_not_taken() -> None:
    """A node that lags behind answered: the conversation stays wanted."""
    model = Model("ann", LISTED, MOST)
    model.create("bob", "group", ["cai"], "all")
    state = State()
    state.apply_snapshot(model.snapshots[1])
    model.add("room0", "bob", ["ann"])
    model.message("room0", "bob")
    for event in model.seen:
        state.apply_event(event)
    assert state.to_load == ["room0"]
    old = model.conversation("room0", 2)
    assert old is not None
    state.apply_conversation(old)
    assert state.to_load == ["room0"]
    load(state, model, 3)
    assert known(state, 3) == expected(model, 3)


def test_who_is_removed_before_the_answer_came_needs_it_no_more() -> None:
    model = Model("ann", LISTED, MOST)
    model.create("bob", "group", ["cai"], "all")
    state = State()
    state.apply_snapshot(model.snapshots[1])
    model.add("room0", "bob", ["ann"])
    model.part("room0", "bob", "ann")
    for event, wanted in zip(model.seen, [["room0"], []], strict=True):
        state.apply_event(event)
        assert state.to_load == wanted


def test_new_snapshot_forgets_what_was_to_be_loaded() -> None:
    model = Model("ann", LISTED, MOST)
    model.create("bob", "group", ["cai"], "all")
    state = State()
    state.apply_snapshot(model.snapshots[1])
    model.add("room0", "bob", ["ann"])
    state.apply_event(model.seen[-1])
    assert state.to_load == ["room0"]
    state.apply_snapshot(model.snapshots[1])
    assert state.to_load == []


def test_unknown_types_lanes_and_torn_contents_change_nothing() -> None:
    state = State()
    state.apply_snapshot(
        Snapshot("m.1", Me("ann", "Ann"), [Conversation("lobby", "group", "大厅", members=[Member("ann", "Ann")])])
    )
    before = state.conversations
    for at, (lane, kind, content) in enumerate(
        [
            ("lobby", "poll", {"question": "?"}),
            ("elsewhere", "message", {}),
            ("user:ann", "read", {"conversation": 7, "seq": "x"}),
            ("user:ann", "draft", {}),
            ("directory", "profile", {"id": 1}),
            ("directory", "department", {}),
            ("new", "create", {"members": "everybody"}),
            ("new", "member", {"action": "add", "users": [{"id": 5}]}),
            ("lobby", "member", {"action": "promote", "users": None}),
        ],
        2,
    ):
        state.apply_event(Event(f"m.{at}", lane, at, kind, "bob", 0, content))
    assert [(one.id, one.title, one.members, one.unread) for one in state.conversations] == [
        (one.id, one.title, one.members, one.unread) for one in before
    ]
    assert state.to_load == []


def test_conversations_are_listed_by_their_last_message() -> None:
    model = Model("ann", LISTED, MOST)
    for _ in range(3):
        model.create("ann", "group", ["bob"], "all")
    for room in ("room1", "room2", "room0"):
        model.message(room, "bob")
    state = State()
    state.apply_snapshot(model.snapshots[-1])
    assert [one.id for one in state.conversations] == ["room0", "room2", "room1"]
    assert state.unread == 3
    assert state.name("bob") == "Bob"
    assert state.name("nobody") == "nobody"
    assert (state.conversation("room1") or Conversation("", "")).unread == 1
    assert state.conversation("elsewhere") is None


@given(st.lists(st.one_of(*[st.just("arrived")] * 6, st.integers(0, 40)), min_size=15, max_size=80))
def test_unread_count_is_exact_or_asked_for(steps: list[str | int]) -> None:
    unread, head, mark, places, asked = Unread(0, 0, 0), 0, 0, list[int](), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unread_module, "MOST", 30)
        for one in steps:
            if one == "arrived":
                head += 1
                unread.arrived(head)
                places.append(head)
            else:
                seq = min(int(one), head)
                kept = [place for place in places if place > max(mark, seq)]
                if not unread.read(seq):
                    assert len(places) > KEPT // 2, "few enough to know them all"
                    asked += 1
                    unread = Unread(min(30, len(kept)), max(mark, seq), head)
                mark, places = max(mark, seq), kept
            assert unread.read_seq == mark
            assert unread.count == min(30, len(places))
