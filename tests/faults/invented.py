"""Invented runs: a cluster in memory that never does anything wrong, and people who use it, for the tests of the checker.

Everything that may happen in a good run does happen: answers that are lost, twins, retries elsewhere and late, refusals,
people who are removed and added again, own lanes, devices that change node and transport, chunks of any size, claims
without events.
"""

import random
from typing import Any

from tests.e2e.devices import TRANSPORTS, place
from tests.faults.history import (
    Acknowledged,
    Answer,
    Attempt,
    Chunk,
    Conversation,
    Event,
    History,
    PutOff,
    Reading,
    Refused,
    Run,
    Switch,
    Unknown,
)

EPOCH = "abc"
_CODES = (PutOff(503, "overloaded"), PutOff(401, "not-authenticated"), PutOff(429, "rate-limited"))


class Device:
    def __init__(self, name: str, person: str) -> None:
        self.name = name
        self.person = person
        self.node = self.transport = ""
        self.cursor: str | None = None


class Invented:
    """`history` is complete after `run`. `limited` lets a device be told so now and then."""

    def __init__(self, seed: int, *, limited: bool = False) -> None:
        self._dice = dice = random.Random(seed)
        self._limited = limited
        self._now = 0.0
        self._log: list[Event] = []
        self._seqs: dict[str, int] = {}
        self._inside: dict[str, set[str]] = {}
        self._visible: dict[str, list[Event]] = {}
        self._numbers = 0
        self.nodes = [f"node{number}" for number in range(dice.randint(1, 4))]
        self.people = [f"p{number}" for number in range(dice.randint(2, 6))]
        self.history = History([Run(seed, tuple(self.nodes), tuple(self.people))])
        self._visible = {person: [] for person in self.people}
        self._devices = [Device(f"{person}/{n}", person) for person in self.people for n in range(dice.randint(1, 2))]

    def run(self) -> History:
        dice = self._dice
        for device in self._devices:
            device.cursor = dice.choice([f"{EPOCH}.0", None])
            self._connect(device, "start")
        for number in range(dice.randint(1, 5)):
            self._create(f"c{number}")
        for _ in range(dice.randint(20, 150)):
            self._now += dice.random()
            deeds = [
                self._send,
                self._send,
                self._give,
                self._give,
                self._give,
                self._refuse,
                self._member,
                self._read,
                self._move,
            ]
            dice.choice(deeds)()
        self._create("last")  # so that there is always somebody to whom something can be done
        for person in self.people:
            self._message(person, "last")
        for device in self._devices:
            while device.cursor is None or place(device.cursor) < len(self._log):
                self._chunk(device)
        for conversation in self._seqs:
            self._read_again(conversation)
        return self.history

    def _append(self, conversation: str, type: str, sender: str | None, content: dict[str, Any], client_id: str | None) -> Event:
        seq = self._seqs[conversation] = self._seqs.get(conversation, 0) + 1
        event = Event(f"{EPOCH}.{len(self._log) + 1}", conversation, seq, type, sender, int(self._now), content, client_id)
        self._log.append(event)
        return event

    def _show(self, event: Event) -> None:
        for person in self._inside[event.conversation]:
            self._visible[person].append(event)

    def _create(self, id: str) -> None:
        dice, history = self._dice, self._dice.choice(["joined", "all"])
        members = self.people if id == "last" else dice.sample(self.people, dice.randint(1, len(self.people)))
        self._inside[id] = set(members)
        people = [{"id": person, "name": person, "role": "member"} for person in members]
        content = {"kind": "group", "title": id, "history": history, "members": people}
        self._show(self._append(id, "create", members[0], content, None))
        self.history.add(Conversation(id, id, tuple(members)))

    def _member(self) -> None:
        """The first who made it stays."""
        id = self._dice.choice(list(self._inside))
        if id == "last":
            return
        person = self._dice.choice(self.people[1:])
        if self._log and person == next(event.sender for event in self._log if event.conversation == id):
            return
        content = {"users": [{"id": person, "name": person, "role": "member"}]}
        if person in self._inside[id]:
            self._show(self._append(id, "member", None, {"action": "remove"} | content, None))
            self._inside[id].discard(person)
        else:
            self._inside[id].add(person)
            self._show(self._append(id, "member", None, {"action": "add"} | content, None))

    def _read(self) -> None:
        person = self._dice.choice(self.people)
        event = self._append(f"user:{person}", "read", person, {"conversation": "c0", "seq": 1}, None)
        self._visible[person].append(event)

    def _send(self) -> None:
        places = [(person, id) for id, inside in self._inside.items() for person in sorted(inside)]
        if places:
            self._message(*self._dice.choice(places))

    def _message(self, sender: str, conversation: str) -> None:
        """Some attempts before it is stored, and some after."""
        dice, client_id = self._dice, self._new_client_id()
        text = f"{client_id} 话 {dice.randint(0, 9)}"
        for _ in range(dice.choice([0, 0, 0, 1, 2])):
            invoked = self._now
            self._now += dice.random()
            answer: Answer = dice.choice([*_CODES, Unknown("the connection was lost")])  # type: ignore[assignment]
            self._attempt(sender, conversation, client_id, text, invoked, self._now, answer)
        invoked = self._now - dice.random()  # while other things went on
        self._now += dice.random()
        event = self._append(conversation, "message", sender, {"type": "text", "text": text}, client_id)
        self._show(event)
        self._now += dice.random() / 1000
        acknowledged = Acknowledged(event.seq, event.position)
        if dice.random() < 0.2:
            unheard = Unknown("no answer within 3 s")
            self._attempt(sender, conversation, client_id, text, invoked, self._now + 3, unheard)
            self._now += dice.random()
            invoked = self._now
        for _ in range(dice.choice([1, 1, 1, 2])):
            self._attempt(sender, conversation, client_id, text, invoked, self._now + dice.random(), acknowledged)
            invoked = dice.choice([invoked, self._now])

    def _refuse(self) -> None:
        """Somebody sends where they are not; perhaps after an attempt that came to nothing."""
        dice = self._dice
        sender, conversation = dice.choice(self.people), dice.choice(list(self._inside))
        if sender not in self._inside[conversation]:
            client_id = self._new_client_id()
            before: list[Answer] = dice.choice([[], [Unknown("cut")], [_CODES[0]]])
            for answer in [*before, Refused(404, "not-found")]:
                self._attempt(sender, conversation, client_id, "x", self._now, self._now + 1, answer)
                self._now += 1

    def _new_client_id(self) -> str:
        self._numbers += 1
        return f"m{self._numbers}"

    def _attempt(
        self, sender: str, conversation: str, client_id: str, text: str, invoked: float, answered: float, answer: Answer
    ) -> None:
        node, way = self._dice.choice(self.nodes), self._dice.choice(["rest", "json", "msgpack"])
        self.history.add(Attempt(sender, conversation, client_id, text, node, way, invoked, answered, answer))

    def _connect(self, device: Device, why: str) -> None:
        device.node, device.transport = self._dice.choice(self.nodes), self._dice.choice(TRANSPORTS)
        self.history.add(Switch(self._now, device.name, device.person, device.node, device.transport, device.cursor, why))

    def _move(self) -> None:
        self._connect(self._dice.choice(self._devices), "told to")

    def _give(self) -> None:
        device = self._dice.choice(self._devices)
        if self._limited and self._dice.random() < 0.1:
            self._tell(device, (), f"{EPOCH}.{self._dice.randint(0, len(self._log))}", "ahead")
        else:
            self._chunk(device)

    def _chunk(self, device: Device) -> None:
        """Some of what comes next; or all of it, with a claim that may go beyond the last event."""
        head, dice = len(self._log), self._dice
        after = place(device.cursor) if device.cursor else dice.randint(0, head)
        events = [event for event in self._visible[device.person] if event.position > after]
        some = events[: dice.choice([1, 3, 100])]
        upto = some[-1].position if some else after
        beyond = events[len(some)].position - 1 if len(some) < len(events) else head
        self._tell(device, tuple(some), f"{EPOCH}.{dice.choice([upto, beyond])}", None)

    def _tell(self, device: Device, events: tuple[Event, ...], after: str, limited: str | None) -> None:
        where = device.node, device.transport
        self.history.add(Chunk(self._now, device.name, device.person, *where, device.cursor, after, events, limited))
        device.cursor = after

    def _read_again(self, id: str) -> None:
        log = [event for event in self._log if event.conversation == id]
        for node in self.nodes:
            for person in sorted(self._inside.get(id, ())):
                self.history.add(Reading(self._now, node, person, id, tuple(log[self._first(log, person) - 1 :])))

    def _first(self, log: list[Event], person: str) -> int:
        """The seq of the event that let the person in last; or 1 where everything may be read."""
        entered = 1
        for event in log:
            if event.type == "member" and event.content["action"] == "add" and event.content["users"][0]["id"] == person:
                entered = event.seq
        return 1 if log[0].content["history"] == "all" else entered
