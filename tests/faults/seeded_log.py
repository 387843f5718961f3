"""Faults in the log that is read at the end."""

import random

from msgspec.structs import replace

from tests.faults.edits import (
    added_to_log,
    attempts_of,
    everywhere,
    instead,
    log_of,
    messages,
)
from tests.faults.history import Acknowledged, Attempt, Event, Reading, Refused, Unknown
from tests.faults.seeds import Records, Seeds
from tests.faults.violations import Kind

SEEDS = Seeds()


@SEEDS.called(Kind.LOST, Kind.HOLE_IN_LOG, Kind.GIVEN_GHOST, Kind.GIVEN_CHANGED, Kind.NEVER_REACHED)
def message_missing_from_the_log(records: Records, dice: random.Random) -> Records:
    lost = dice.choice(messages(records)).cursor
    return everywhere(records, lambda event: None if event.cursor == lost else event, devices=dice.choice([False, True]))


@SEEDS.called(Kind.HOLE_IN_LOG)
def seq_left_out(records: Records, dice: random.Random) -> Records | None:
    gap = dice.choice(messages(records))

    def change(event: Event) -> Event:
        later = event.conversation == gap.conversation and event.seq >= gap.seq
        return replace(event, seq=event.seq + 1) if later else event

    changed = everywhere(records, change, devices=True)
    return [
        replace(one, answer=replace(one.answer, seq=one.answer.seq + 1))
        if isinstance(one, Attempt)
        and isinstance(one.answer, Acknowledged)
        and one.conversation == gap.conversation
        and one.answer.seq >= gap.seq
        else one
        for one in changed
    ]


@SEEDS.called(
    Kind.POSITIONS_DISORDER,
    Kind.GIVEN_CHANGED,
    Kind.WRONG_ACK,
    Kind.AGAINST_TIME,
    Kind.FROM_STRANGER,
    Kind.REFUSED_A_MEMBER,
)
def positions_exchanged_in_the_log(records: Records, dice: random.Random) -> Records | None:
    one = dice.choice(messages(records))
    others = [event for event in messages(records) if event.conversation == one.conversation and event.seq != one.seq]
    if not others:
        return None
    other = dice.choice(others)
    cursors = {one.cursor: other.cursor, other.cursor: one.cursor}
    return everywhere(records, lambda event: replace(event, cursor=cursors.get(event.cursor, event.cursor)), devices=False)


@SEEDS.called(Kind.STORED_TWICE, Kind.NEVER_REACHED)
def message_stored_twice(records: Records, dice: random.Random) -> Records:
    return added_to_log(records, dice.choice([event for event in messages(records) if event.conversation == "last"]))


@SEEDS.called(Kind.GHOST, Kind.NEVER_REACHED)
def message_that_nobody_sent(records: Records, dice: random.Random) -> Records:
    like = dice.choice([event for event in messages(records) if event.conversation == "last"])
    return added_to_log(records, like, client_id=dice.choice(["ghost", None]))


@SEEDS.called(Kind.FROM_STRANGER, Kind.NEVER_REACHED)
def message_of_a_stranger(records: Records, dice: random.Random) -> Records | None:
    like = dice.choice(messages(records))
    sent = replace(attempts_of(records, like)[0], sender="stranger", answer=Unknown("lost"), invoked=1e6, answered=1e6)
    refused = replace(sent, answer=Refused(404, "not-found"))
    return [*added_to_log(records, like, sender="stranger"), sent, refused]


@SEEDS.called(Kind.CHANGED)
def other_words_stored(records: Records, dice: random.Random) -> Records:
    old = dice.choice(messages(records)).cursor
    new = {"type": "text", "text": "something else"}
    return everywhere(records, lambda event: replace(event, content=new) if event.cursor == old else event, devices=True)


@SEEDS.called(Kind.LOGS_DIFFER)
def one_reads_another_log(records: Records, dice: random.Random) -> Records | None:
    one = dice.choice([record for record in records if isinstance(record, Reading)])
    begin = one.events[0].seq
    same = [other for other in records if isinstance(other, Reading) and other.conversation == one.conversation]
    if sum(other.events[0].seq == begin for other in same) < 3:
        return None
    at = dice.randrange(len(one.events))
    event = one.events[at]
    other = dice.choice(
        [
            (),
            (replace(event, client_id="other"),),
            (replace(event, time=event.time + 1),),
            (event, event),
            (event, *one.events[: at + 1]),
        ]
    )
    return instead(records, one, replace(one, events=(*one.events[:at], *other, *one.events[at + 1 :])))


@SEEDS.called(Kind.LOGS_DIFFER)
def one_node_stopped_reading(records: Records, dice: random.Random) -> Records | None:
    """It shows an old log to everybody."""
    readings = [record for record in records if isinstance(record, Reading) and record.conversation == "last"]
    nodes = {reading.node for reading in readings}
    if len(nodes) < 3:
        return None
    node = dice.choice(sorted(nodes))
    return [replace(one, events=one.events[:1]) if one in readings and one.node == node else one for one in records]


@SEEDS.called(Kind.LOGS_DIFFER)
def somebody_reads_what_was_before_them(records: Records, dice: random.Random) -> Records | None:
    found = [record for record in records if isinstance(record, Reading) and record.events[0].seq > 1]
    if not found:
        return None
    one = dice.choice(found)
    log = [event for event in log_of(records) if event.conversation == one.conversation]
    return instead(records, one, replace(one, events=tuple(log[dice.randrange(one.events[0].seq - 1) :])))


@SEEDS.called(Kind.NOT_READ)
def nobody_asked_one_node(records: Records, dice: random.Random) -> Records | None:
    one = dice.choice([record for record in records if isinstance(record, Reading)])
    others = [record for record in records if isinstance(record, Reading) and record.conversation == one.conversation]
    begin = min(other.events[0].seq for other in others)
    if not any(other is not one and other.events[0].seq == begin for other in others):
        return None
    return [record for record in records if record is not one]
