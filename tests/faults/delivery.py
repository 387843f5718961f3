"""What each device was given, held against the log: everything its cursors claim, once, in order, unchanged, and nothing else."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from tests.e2e.devices import place
from tests.faults.history import Chunk, Denied, Event, History, Switch
from tests.faults.truth import DIRECTORY, Truth
from tests.faults.violations import Kind, Violation

_PASSING = (401, 408, 429)
"""Refusals that a device gets over by trying again."""


def deliveries(history: History, truth: Truth, *, limited_allowed: bool) -> Iterator[Violation]:
    steps: dict[str, list[Switch | Chunk]] = defaultdict(list)
    people: dict[str, str] = {}
    for record in history.records:
        if isinstance(record, Switch | Chunk):
            steps[record.device].append(record)
            people[record.device] = record.person
    for device, ways in steps.items():
        yield from _Device(device, people[device], truth, limited_allowed).check(ways)
    for denied in history.of(Denied):
        if denied.status // 100 == 4 and denied.status not in _PASSING:
            how = f"on {denied.transport} of {denied.node} with cursor {denied.cursor}"
            yield Violation(Kind.DENIED, f"{denied.device} {how}: {denied.status} {denied.code}")


class _Device:
    """Goes through what one device was given."""

    def __init__(self, name: str, person: str, truth: Truth, limited_allowed: bool) -> None:
        self._name = name
        self._person = person
        self._truth = truth
        self._visible = truth.visible(person)
        self._limited_allowed = limited_allowed
        self._cursor: str | None = None
        self._given: set[int] = set()
        self._last = -1
        """The greatest position that was given."""

    def check(self, steps: Sequence[Switch | Chunk]) -> Iterator[Violation]:
        for step in steps:
            if isinstance(step, Switch):
                yield from self._goes_on(step.cursor, f"when it went to {step.node}")
                self._cursor = self._cursor or step.cursor
                continue
            yield from self._goes_on(step.before, f"for what it was given by {step.node}")
            if step.limited is None:
                yield from self._chunk(step)
            else:
                yield from self._begin_anew(step)
            self._cursor = step.after
        head = self._truth.last(self._person)
        if self._cursor is None or place(self._cursor) < head:
            yield self._say(Kind.NEVER_REACHED, f"it ended at {self._cursor}, and the last event it may see is at {head}")

    def _say(self, kind: Kind, sentence: str) -> Violation:
        return Violation(kind, f"{self._name}: {sentence}")

    def _goes_on(self, cursor: str | None, when: str) -> Iterator[Violation]:
        if cursor != self._cursor and self._cursor is not None:
            yield self._say(Kind.BROKEN_RECORD, f"it was at {self._cursor} and used {cursor} {when}")

    def _begin_anew(self, chunk: Chunk) -> Iterator[Violation]:
        if not self._limited_allowed:
            yield self._say(Kind.LIMITED, f"{chunk.node} could not continue from {chunk.before}: {chunk.limited}")
        if chunk.events:
            yield self._say(Kind.SKIPPED, f"{chunk.node} could not continue from {chunk.before} and gave events all the same")
        self._given.clear()
        self._last = -1

    def _chunk(self, chunk: Chunk) -> Iterator[Violation]:
        how = f"by {chunk.transport} of {chunk.node}, {chunk.before} to {chunk.after}"
        if chunk.before is None:  # from now on, wherever that is
            before = chunk.events[0].position - 1 if chunk.events else place(chunk.after)
        else:
            before = place(chunk.before)
            if _epoch(chunk.before) != _epoch(chunk.after):
                yield self._say(Kind.OTHER_EPOCH, how)
                return
        after = place(chunk.after)
        if after < before:
            yield self._say(Kind.CURSOR_BACK, how)
        for event in chunk.events:
            yield from self._event(event, before, after, how)
        for position in self._truth.between(self._person, before, after):
            if position not in self._given:
                yield self._say(Kind.SKIPPED, f"{_name(self._visible[position])} was not given {how}")

    def _event(self, event: Event, before: int, after: int, how: str) -> Iterator[Violation]:
        at = event.position
        expected = self._visible.get(at)
        if expected is None:
            yield self._unexpected(event, how)
        elif expected != event:
            yield self._say(Kind.GIVEN_CHANGED, f"{_name(event)} is in truth {_name(expected)}: {event} for {expected}, {how}")
        if at in self._given:
            yield self._say(Kind.GIVEN_TWICE, f"{_name(event)}, the second time {how}")
        elif at <= max(self._last, before):
            yield self._say(Kind.DISORDER, f"{_name(event)} came after {max(self._last, before)}, {how}")
        if at > after:
            yield self._say(Kind.PAST_CURSOR, f"{_name(event)} {how}")
        self._given.add(at)
        self._last = max(self._last, at)

    def _unexpected(self, event: Event, how: str) -> Violation:
        theirs = event.conversation in (DIRECTORY, f"user:{self._person}")
        inside = self._truth.inside(self._person, event)
        if theirs or inside or self._truth.at.get(event.position, event) != event:
            return self._say(Kind.GIVEN_GHOST, f"{_name(event)} is not in the log, {how}")
        return self._say(Kind.GIVEN_TO_STRANGER, f"{_name(event)} is not for {self._person}, {how}")


def _name(event: Event) -> str:
    return f"{event.type} {event.client_id or ''} of {event.sender} ({event.conversation} {event.seq}, position {event.position})"


def _epoch(cursor: str) -> str:
    return cursor.rpartition(".")[0]
