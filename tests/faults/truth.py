"""What really happened, as far as a history tells: the log, who was in which conversation at each position, who may see what.

The log is what members read at the end. Where they read different things the opinion of most is taken for the truth, so that
one wrong reading is one violation and not a hundred.
"""

import bisect
from collections import defaultdict
from collections.abc import Iterable, Sequence

from tests.faults.history import Chunk, Conversation, Event, History, Reading, Run

FOREVER = 2**63
DIRECTORY = "directory"
Span = tuple[int, int]
"""First and last position at which somebody is in a conversation: the event that lets them in and the one that ends it."""


class Truth:
    def __init__(self, history: History) -> None:
        self.run = next(iter(history.of(Run)), Run(0, (), ()))
        self.conversations = {one.id: one for one in history.of(Conversation)}
        self.readings = history.of(Reading)
        self.log: dict[str, Sequence[Event]] = {}
        """By conversation, in the order of seq."""
        self.spans: dict[str, dict[str, list[Span]]] = {}
        """By conversation and person."""
        self.first: dict[str, dict[str, int]] = {}
        """By conversation and person: the first seq that a member of the end may read."""
        for id in {**self.conversations, **dict.fromkeys(reading.conversation for reading in self.readings)}:
            self.log[id] = _of_most([reading.events for reading in self.readings if reading.conversation == id])
            self._fold(id)
        self.at: dict[int, Event] = {event.position: event for log in self.log.values() for event in log}
        self.stored: dict[tuple[str | None, str | None], list[Event]] = defaultdict(list)
        """Messages by sender and client id. More than one is a violation."""
        for log in self.log.values():
            for event in log:
                if event.type == "message":
                    self.stored[event.sender, event.client_id].append(event)
        self._own = _own_lanes(history.of(Chunk))
        self._visible: dict[str, tuple[list[int], dict[int, Event]]] = {}

    def members(self, conversation: str) -> list[str]:
        """Those of the end."""
        return [person for person, spans in self.spans[conversation].items() if spans[-1][1] == FOREVER]

    def inside(self, person: str | None, event: Event) -> bool:
        """Whether the person may be given this event."""
        return any(
            first <= event.position <= last for first, last in self.spans.get(event.conversation, {}).get(person or "", ())
        )

    def visible(self, person: str) -> dict[int, Event]:
        """All that a person's devices are to be given, by position.

        No history shows the person's own lane and the directory: what any device was given of them is to be given to all.
        """
        return self._seen(person)[1]

    def between(self, person: str, after: int, upto: int) -> list[int]:
        """The positions of what is visible above `after`, up to `upto`."""
        positions = self._seen(person)[0]
        return positions[bisect.bisect_right(positions, after) : bisect.bisect_right(positions, upto)]

    def last(self, person: str) -> int:
        """The position of the last event of the log that the person may see."""
        return max((event.position for log in self.log.values() for event in log if self.inside(person, event)), default=0)

    def _seen(self, person: str) -> tuple[list[int], dict[int, Event]]:
        if person not in self._visible:
            found = {event.position: event for log in self.log.values() for event in log if self.inside(person, event)}
            for lane in (f"user:{person}", DIRECTORY):
                for position, event in self._own[lane].items():
                    found.setdefault(position, event)
            self._visible[person] = sorted(found), found
        return self._visible[person]

    def _fold(self, id: str) -> None:
        """Who came and went, from the `create` and `member` events."""
        spans: dict[str, list[Span]] = defaultdict(list)
        first: dict[str, int] = {}
        log, policy = self.log[id], ""
        if not log or log[0].type != "create":  # then the beginning is not known, and the workload has to be believed
            for person in self.conversations[id].members if id in self.conversations else ():
                spans[person].append((0, FOREVER))
        for event in log:
            content = event.content
            if event.type == "create":
                policy = content["history"]
            elif event.type == "settings":
                policy = content.get("history", policy)
            for person in _entering(event):
                if not spans[person] or spans[person][-1][1] != FOREVER:
                    spans[person].append((event.position, FOREVER))
                    first[person] = 1 if policy == "all" else event.seq
            for person in _leaving(event):
                if spans[person]:
                    spans[person][-1] = (spans[person][-1][0], event.position)
        self.spans[id] = {person: parts for person, parts in spans.items() if parts}
        self.first[id] = first


def _of_most(readings: Sequence[Sequence[Event]]) -> Sequence[Event]:
    """The reading that most agree on, of those that begin first; the longest of several."""
    whole = [events for events in readings if events]
    begin = min((events[0].seq for events in whole), default=1)
    votes: list[tuple[Sequence[Event], int]] = []
    for events in whole:
        if events[0].seq == begin:
            for number, (other, count) in enumerate(votes):
                if other == events:
                    votes[number] = other, count + 1
                    break
            else:
                votes.append((events, 1))
    return max(votes, key=lambda vote: (vote[1], len(vote[0])), default=((), 0))[0]


def _entering(event: Event) -> list[str]:
    if event.type == "create":
        return [person["id"] for person in event.content["members"]]
    if event.type == "member" and event.content["action"] == "add":
        return [person["id"] for person in event.content["users"]]
    return []


def _leaving(event: Event) -> list[str]:
    if event.type == "member" and event.content["action"] in ("remove", "leave"):
        return [person["id"] for person in event.content["users"]]
    return []


def _own_lanes(chunks: Iterable[Chunk]) -> dict[str, dict[int, Event]]:
    """What was given of the directory and to people of their own lane, by lane and position."""
    found: dict[str, dict[int, Event]] = defaultdict(dict)
    for chunk in chunks:
        for event in chunk.events:
            if event.conversation in (DIRECTORY, f"user:{chunk.person}"):
                found[event.conversation].setdefault(event.position, event)
    return found
