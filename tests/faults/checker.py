"""Holds a history to the promises of the server. Pure: a history in, a list of violations out.

The order of each conversation is the same for everybody because each device is held to the log, which is one.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence

from tests.faults.delivery import deliveries
from tests.faults.history import Acknowledged, Attempt, Chunk, Event, History, PutOff, Reading, Refused
from tests.faults.times import Times
from tests.faults.truth import FOREVER, Truth
from tests.faults.violations import Kind, Violation

Key = tuple[str, str]
"""Sender and client id."""
_NOT_A_MEMBER = ("not-found", "forbidden")


def check(history: History, *, limited_allowed: bool = False) -> list[Violation]:
    """Everything that is wrong with it. `limited_allowed` after a restored backup, when a server may refuse its old cursors."""
    truth = Truth(history)
    return [
        *_readings(truth),
        *_log(truth),
        *_sends(history, truth),
        *deliveries(history, truth, limited_allowed=limited_allowed),
    ]


def _readings(truth: Truth) -> Iterator[Violation]:
    """Everybody who is in a conversation at the end has read it on every node, and all read the same."""
    read = {(reading.node, reading.person, reading.conversation) for reading in truth.readings}
    for conversation in truth.log:
        for node, person in itertools.product(truth.run.nodes, truth.members(conversation)):
            if person in truth.run.people and (node, person, conversation) not in read:
                yield Violation(Kind.NOT_READ, f"{person} did not read {conversation} on {node}")
    for reading in truth.readings:
        log = truth.log[reading.conversation]
        if log and log[0].type == "create":
            first = truth.first[reading.conversation].get(reading.person)
            if reading.person not in truth.members(reading.conversation):
                yield Violation(Kind.LOGS_DIFFER, f"{_reading(reading)} was given to somebody who is not in it")
                continue
            log = [event for event in log if first is None or event.seq >= first]
        if list(reading.events) != list(log):
            yield Violation(Kind.LOGS_DIFFER, f"{_reading(reading)} {_difference(reading.events, log)}")


def _reading(reading: Reading) -> str:
    return f"{reading.conversation} as {reading.person} read it on {reading.node}"


def _difference(events: Sequence[Event], log: Sequence[Event]) -> str:
    for event, other in itertools.zip_longest(events, log):
        if event != other:
            return f"has {event} where most have {other}"
    return "is the same"


def _log(truth: Truth) -> Iterator[Violation]:
    """Seqs without a gap, positions that rise and belong to one event each, every message once and of a member."""
    owners: dict[int, Event] = {}
    for conversation, log in truth.log.items():
        for before, event in itertools.pairwise(log):
            if event.seq != before.seq + 1:
                yield Violation(Kind.HOLE_IN_LOG, f"{conversation} has {event.seq} after {before.seq}")
            if event.position <= before.position:
                yield Violation(
                    Kind.POSITIONS_DISORDER, f"{conversation} has {event.seq} at {event.position} after {before.position}"
                )
        for event in log:
            if (owner := owners.setdefault(event.position, event)) is not event:
                yield Violation(Kind.POSITIONS_DISORDER, f"position {event.position} belongs to {owner} and to {event}")
            if event.type == "message" and not truth.inside(event.sender, event):
                yield Violation(Kind.FROM_STRANGER, f"{event.sender} was not in {conversation} at {event.position}: {event}")
    for (sender, client_id), events in truth.stored.items():
        if len(events) > 1:
            yield Violation(Kind.STORED_TWICE, f"{client_id} of {sender} is at {[event.position for event in events]}")


def _sends(history: History, truth: Truth) -> Iterator[Violation]:
    sends: dict[Key, list[Attempt]] = defaultdict(list)
    for attempt in history.of(Attempt):
        sends[attempt.sender, attempt.client_id].append(attempt)
    for key, events in truth.stored.items():
        if key not in sends:
            yield Violation(Kind.GHOST, f"nobody sent {events[0]}")
    seen = _first_seen(history)
    times = Times(history, truth)
    for key, attempts in sends.items():
        stored = truth.stored.get(key, [])
        yield from _answers(key, attempts, stored)
        yield from _denials(key, attempts, stored, seen.get(key))
        yield from _wrongly_refused(key, attempts, truth, times)
        if stored:
            yield from _content(key, attempts, stored)
            yield from _against_time(key, attempts, stored[0], times)


def _answers(key: Key, attempts: Sequence[Attempt], stored: Sequence[Event]) -> Iterator[Violation]:
    name = _send(key)
    places = {(one.answer.seq, one.answer.position): one for one in attempts if isinstance(one.answer, Acknowledged)}
    if len(places) > 1:
        yield Violation(Kind.TWO_ANSWERS, f"{name} got {sorted(places)}")
    for where, attempt in places.items():
        if not stored:
            yield Violation(
                Kind.LOST, f"{name} was acknowledged by {attempt.node} as seq and position {where} and is not in the log"
            )
        elif where not in [(event.seq, event.position) for event in stored]:
            yield Violation(
                Kind.WRONG_ACK,
                f"{name} was acknowledged by {attempt.node} as {where} and is {stored[0].seq, stored[0].position} in the log",
            )
    if not places and not any(isinstance(one.answer, Refused) for one in attempts):
        last = max(attempts, key=lambda one: one.answered)
        yield Violation(Kind.UNDECIDED, f"{name} after {len(attempts)} attempts, the last on {last.node}: {last.answer}")


def _content(key: Key, attempts: Sequence[Attempt], stored: Sequence[Event]) -> Iterator[Violation]:
    sent = attempts[0]
    for event in stored:
        if event.conversation != sent.conversation or event.content != {"type": "text", "text": sent.text}:
            yield Violation(Kind.CHANGED, f"{_send(key)} was {sent.text!r} to {sent.conversation}, stored is {event}")


def _denials(key: Key, attempts: Sequence[Attempt], stored: Sequence[Event], seen: float | None) -> Iterator[Violation]:
    """`seen` is when it was first known to be stored; before that something must have been asked that was not denied."""
    if seen is None and stored:
        seen = float("inf")
    if seen is None:
        return
    asked = [one for one in attempts if one.invoked < seen]
    refused = [one for one in asked if isinstance(one.answer, Refused)]
    if asked and all(isinstance(one.answer, Refused | PutOff) for one in asked):
        kind = Kind.REFUSED_YET_STORED if refused else Kind.PUT_OFF_YET_STORED
        answers = [f"{one.node}: {one.answer}" for one in asked]
        yield Violation(kind, f"{_send(key)} was known to be stored at {seen:.3f} with no other answers before than {answers}")
    for one in attempts:
        if one.invoked >= seen and isinstance(one.answer, Refused):
            yield Violation(
                Kind.REFUSED_AFTER_STORED, f"{_send(key)}, stored before {seen:.3f}, was sent again to {one.node}: {one.answer}"
            )


def _wrongly_refused(key: Key, attempts: Sequence[Attempt], truth: Truth, times: Times) -> Iterator[Violation]:
    """They were let in before they asked, and not removed before they were answered."""
    for one in attempts:
        if isinstance(one.answer, Refused) and one.answer.code in _NOT_A_MEMBER:
            for first, last in truth.spans.get(one.conversation, {}).get(one.sender, ()):
                if first <= times.known(one.invoked) and (last == FOREVER or times.earliest(last) > one.answered):
                    since = f"in {one.conversation} since position {first}"
                    yield Violation(Kind.REFUSED_A_MEMBER, f"{_send(key)}, {since}, was told {one.answer} by {one.node}")


def _against_time(key: Key, attempts: Sequence[Attempt], stored: Event, times: Times) -> Iterator[Violation]:
    known = times.known(min(attempt.invoked for attempt in attempts))
    if known >= stored.position:
        yield Violation(Kind.AGAINST_TIME, f"{_send(key)} was sent when {known} was known, and stored at {stored.position}")


def _first_seen(history: History) -> dict[Key, float]:
    """When each message was first known to be stored: acknowledged, or given to somebody."""
    found: dict[Key, float] = {}
    for record in history.records:
        if isinstance(record, Chunk):
            for event in record.events:
                if event.type == "message" and event.sender is not None and event.client_id is not None:
                    key = event.sender, event.client_id
                    found[key] = min(record.at, found.get(key, record.at))
        elif isinstance(record, Attempt) and isinstance(record.answer, Acknowledged):
            key = record.sender, record.client_id
            found[key] = min(record.answered, found.get(key, record.answered))
    return found


def _send(key: Key) -> str:
    return f"{key[1]} of {key[0]}"
