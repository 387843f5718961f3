"""Faults in the answers to who sends."""

import random
from typing import Any

from msgspec.structs import replace

from tests.faults.edits import (
    acknowledged,
    attempts_of,
    chunks,
    instead,
    messages,
)
from tests.faults.history import Acknowledged, History, PutOff, Refused, Unknown
from tests.faults.seeds import Records, Seeds
from tests.faults.times import Times
from tests.faults.truth import FOREVER, Truth
from tests.faults.violations import Kind

SEEDS = Seeds()


@SEEDS.called(Kind.LOST)
def acknowledged_and_not_stored(records: Records, dice: random.Random) -> Records:
    attempt = dice.choice(acknowledged(records))
    return [*records, replace(attempt, client_id="lost", invoked=attempt.invoked + 1e6, answered=attempt.answered + 1e6)]


@SEEDS.called(Kind.WRONG_ACK, Kind.TWO_ANSWERS, Kind.AGAINST_TIME, Kind.REFUSED_A_MEMBER)
def acknowledged_with_another_place(records: Records, dice: random.Random) -> Records:
    attempt = dice.choice(acknowledged(records))
    answer: Any = attempt.answer
    other = dice.choice([replace(answer, seq=answer.seq + 1), replace(answer, position=answer.position + 1)])
    return instead(records, attempt, replace(attempt, answer=other))


@SEEDS.called(Kind.TWO_ANSWERS, Kind.WRONG_ACK)
def retry_acknowledged_with_another_place(records: Records, dice: random.Random) -> Records:
    attempt = dice.choice(acknowledged(records))
    answer = Acknowledged(attempt.answer.seq + 1, attempt.answer.position)
    return [*records, replace(attempt, answer=answer)]


def _all_answered(records: Records, dice: random.Random, answer: Any) -> Records:
    ours = attempts_of(records, dice.choice(messages(records)))
    return [replace(one, answer=answer) if one in ours else one for one in records]


@SEEDS.called(Kind.REFUSED_YET_STORED, Kind.REFUSED_AFTER_STORED, Kind.REFUSED_A_MEMBER)
def refused_yet_stored(records: Records, dice: random.Random) -> Records:
    return _all_answered(records, dice, Refused(403, "forbidden"))


@SEEDS.called(Kind.PUT_OFF_YET_STORED, Kind.UNDECIDED)
def put_off_yet_stored(records: Records, dice: random.Random) -> Records:
    return _all_answered(records, dice, PutOff(503, "store-unavailable"))


@SEEDS.called(Kind.UNDECIDED)
def never_decided(records: Records, dice: random.Random) -> Records:
    return _all_answered(records, dice, Unknown("no answer within 3 s"))


@SEEDS.called(Kind.PUT_OFF_YET_STORED)
def stored_by_what_was_put_off(records: Records, dice: random.Random) -> Records | None:
    """A retry was acknowledged, but somebody had been given the message before the retry was made."""
    first = dice.choice(messages(records))
    given = [chunk.at for chunk in chunks(records) if any(event.cursor == first.cursor for event in chunk.events)]
    ours = attempts_of(records, first)
    if not given:
        return None
    put_off = replace(ours[0], answer=PutOff(503, "overloaded"), answered=ours[0].invoked)
    later = replace(acknowledged(ours)[0], invoked=1e6, answered=1e6)
    return [*(record for record in records if record not in ours), put_off, later]


@SEEDS.called(Kind.REFUSED_AFTER_STORED, Kind.REFUSED_A_MEMBER)
def retry_refused_after_it_was_stored(records: Records, dice: random.Random) -> Records:
    attempt = dice.choice(acknowledged(records))
    return [*records, replace(attempt, answer=Refused(0, "not-found"), invoked=1e6, answered=1e6)]


@SEEDS.called(Kind.AGAINST_TIME, Kind.REFUSED_A_MEMBER)
def stored_before_what_was_known(records: Records, dice: random.Random) -> Records | None:
    """It was sent after something else had been acknowledged, and stands before it."""
    event = dice.choice(messages(records))
    if not any(attempt.answer.position > event.position for attempt in acknowledged(records)):
        return None
    ours = attempts_of(records, event)
    return [replace(one, invoked=1e6, answered=1e6) if one in ours else one for one in records]


@SEEDS.called(Kind.REFUSED_A_MEMBER)
def member_refused(records: Records, dice: random.Random) -> Records:
    attempt = dice.choice([one for one in acknowledged(records) if one.conversation == "last"])
    refused = Refused(*dice.choice([(404, "not-found"), (0, "not-found"), (403, "forbidden")]))
    return [*records, replace(attempt, client_id="other", answer=refused, invoked=1e6, answered=1e6)]


@SEEDS.called(Kind.REFUSED_A_MEMBER)
def member_refused_who_was_removed_later(records: Records, dice: random.Random) -> Records | None:
    """After they were let in, and before somebody sent what stands before their removal."""
    truth = Truth(History(records))
    times = Times(History(records), truth)
    for event in dice.sample(messages(records), len(messages(records))):
        sent = attempts_of(records, event)
        before = min(one.invoked for one in sent) - 1e-9
        for person, spans in truth.spans[event.conversation].items():
            first, last = spans[0]
            if first < event.position < last != FOREVER and times.known(before) >= first:
                refused = replace(sent[0], sender=person, client_id="other", answer=Refused(404, "not-found"))
                return [*records, replace(refused, invoked=before, answered=before)]
    return None
