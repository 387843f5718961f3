"""Faults on the way to a device."""

import random
from typing import Any

from msgspec.structs import replace

from tests.e2e.devices import place
from tests.faults.edits import (
    chunks,
    goes_on_with,
    instead,
    invisible,
    log_of,
    next_of,
)
from tests.faults.history import Chunk, Denied, Event, Switch
from tests.faults.seeds import Records, Seeds
from tests.faults.violations import Kind

SEEDS = Seeds()


@SEEDS.called(Kind.SKIPPED)
def event_not_given(records: Records, dice: random.Random) -> Records | None:
    known = {event.cursor for event in log_of(records)}
    found = [chunk for chunk in chunks(records) if chunk.before is not None and chunk.events and chunk.events[-1].cursor in known]
    if not found:
        return None
    chunk = dice.choice(found)
    at = dice.choice([n for n, event in enumerate(chunk.events) if event.cursor in known])
    return instead(records, chunk, replace(chunk, events=chunk.events[:at] + chunk.events[at + 1 :]))


@SEEDS.called(Kind.SKIPPED)
def event_of_the_own_lane_given_to_one_of_two(records: Records, dice: random.Random) -> Records | None:
    for chunk in dice.sample(chunks(records), len(chunks(records))):
        for at, event in enumerate(chunk.events):
            others = [one for one in chunks(records) if one.device != chunk.device and event in one.events]
            if event.type == "read" and chunk.before is not None and others:
                return instead(records, chunk, replace(chunk, events=chunk.events[:at] + chunk.events[at + 1 :]))
    return None


@SEEDS.called(Kind.SKIPPED)
def cursor_claims_what_the_next_would_have_given(records: Records, dice: random.Random) -> Records | None:
    known = {event.cursor for event in log_of(records)}
    found = [(one, other) for one in chunks(records) if one.before and (other := next_of(records, one)) and other.events]
    found = [(one, other) for one, other in found if other.events[0].cursor in known]
    if not found:
        return None
    one, other = dice.choice(found)
    return goes_on_with(records, one, other.after, events=())


@SEEDS.called(Kind.GIVEN_TWICE)
def event_given_again(records: Records, dice: random.Random) -> Records | None:
    found = [(one, other) for one in chunks(records) if one.events and (other := next_of(records, one))]
    if not found:
        return None
    one, other = dice.choice(found)
    again = dice.choice(one.events)
    if dice.random() < 0.5:
        return instead(records, one, replace(one, events=(*one.events, again)))
    return instead(records, other, replace(other, events=(again, *other.events)))


@SEEDS.called(Kind.DISORDER)
def two_events_exchanged(records: Records, dice: random.Random) -> Records | None:
    found = [chunk for chunk in chunks(records) if chunk.before is not None and len(chunk.events) > 1]
    if not found:
        return None
    chunk = dice.choice(found)
    at = dice.randrange(len(chunk.events) - 1)
    one, other = chunk.events[at : at + 2]
    return instead(records, chunk, replace(chunk, events=(*chunk.events[:at], other, one, *chunk.events[at + 2 :])))


@SEEDS.called(Kind.DISORDER, Kind.SKIPPED)
def event_given_late(records: Records, dice: random.Random) -> Records | None:
    found = [(one, other) for one in chunks(records) if one.before and one.events and (other := next_of(records, one))]
    if not found:
        return None
    one, other = dice.choice(found)
    changed = instead(records, one, replace(one, events=one.events[:-1]))
    return instead(changed, other, replace(other, events=(one.events[-1], *other.events)))


@SEEDS.called(Kind.PAST_CURSOR, Kind.AGAINST_TIME, Kind.REFUSED_A_MEMBER)
def event_that_its_cursor_does_not_claim(records: Records, dice: random.Random) -> Records | None:
    found = [(one, other) for one in chunks(records) if one.before and (other := next_of(records, one)) and other.events]
    if not found:
        return None
    one, other = dice.choice(found)
    changed = instead(records, one, replace(one, events=(*one.events, other.events[0])))
    return instead(changed, other, replace(other, events=other.events[1:]))


@SEEDS.called(Kind.CURSOR_BACK, Kind.PAST_CURSOR, Kind.SKIPPED)
def cursor_goes_back(records: Records, dice: random.Random) -> Records | None:
    found = [chunk for chunk in chunks(records) if chunk.before and place(chunk.before) > 0 and next_of(records, chunk)]
    if not found:
        return None
    chunk = dice.choice(found)
    epoch, _, position = (chunk.before or "").rpartition(".")
    return goes_on_with(records, chunk, f"{epoch}.{dice.randrange(int(position))}")


@SEEDS.called(Kind.OTHER_EPOCH)
def cursor_of_another_log(records: Records, dice: random.Random) -> Records | None:
    found = [chunk for chunk in chunks(records) if chunk.before and next_of(records, chunk)]
    if not found:
        return None
    chunk = dice.choice(found)
    return goes_on_with(records, chunk, f"xyz.{place(chunk.after)}")


@SEEDS.called(Kind.GIVEN_CHANGED)
def event_changed_on_the_way(records: Records, dice: random.Random) -> Records | None:
    known = {event.cursor for event in log_of(records)}
    found = [(chunk, event) for chunk in chunks(records) for event in chunk.events if event.cursor in known]
    if not found:
        return None
    chunk, event = dice.choice(found)
    members: list[dict[str, Any]] = [
        {"content": {"type": "text", "text": "?"}},
        {"sender": "somebody"},
        {"seq": event.seq + 1},
        {"client_id": "other"},
        {"type": "note"},
        {"time": event.time + 1},
    ]
    other = replace(event, **dice.choice(members))
    return instead(records, chunk, replace(chunk, events=tuple(other if one is event else one for one in chunk.events)))


@SEEDS.called(Kind.GIVEN_GHOST)
def ghost_given(records: Records, dice: random.Random) -> Records | None:
    found = invisible(records)
    if not found:
        return None
    chunk, event = dice.choice(found)
    return instead(records, chunk, replace(chunk, events=_inserted(chunk, replace(event, client_id="ghost"))))


@SEEDS.called(Kind.GIVEN_TO_STRANGER)
def event_of_others_given(records: Records, dice: random.Random) -> Records | None:
    found = invisible(records)
    if not found:
        return None
    chunk, event = dice.choice(found)
    return instead(records, chunk, replace(chunk, events=_inserted(chunk, event)))


@SEEDS.called(Kind.LIMITED)
def device_told_to_begin_anew(records: Records, dice: random.Random) -> Records | None:
    found = [chunk for chunk in chunks(records) if next_of(records, chunk)]
    if not found:
        return None
    chunk = dice.choice(found)
    at = next(number for number, record in enumerate(records) if record is chunk)
    limited = replace(chunk, before=chunk.after, events=(), limited="ahead")
    return [*records[: at + 1], limited, *records[at + 1 :]]


@SEEDS.called(Kind.DENIED)
def device_refused_for_good(records: Records, dice: random.Random) -> Records:
    chunk = dice.choice(chunks(records))
    denied = Denied(chunk.at, chunk.device, chunk.node, chunk.transport, chunk.after, 400, "invalid-cursor")
    return [*records, denied]


@SEEDS.called(Kind.NEVER_REACHED)
def device_given_no_more(records: Records, dice: random.Random) -> Records:
    device = dice.choice(chunks(records)).device
    last = [event for event in log_of(records) if event.conversation == "last"][-1].position
    return [one for one in records if not (isinstance(one, Chunk) and one.device == device and place(one.after) >= last)]


@SEEDS.called(Kind.BROKEN_RECORD)
def other_cursor_used(records: Records, dice: random.Random) -> Records | None:
    found = [record for record in records if isinstance(record, Switch) and record.why != "start" and record.cursor is not None]
    if not found:
        return None
    switch = dice.choice(found)
    return instead(records, switch, replace(switch, cursor="abc.0" if switch.cursor != "abc.0" else "abc.1"))


def _inserted(chunk: Chunk, event: Event) -> tuple[Event, ...]:
    return tuple(sorted((*chunk.events, event), key=lambda one: one.position))
