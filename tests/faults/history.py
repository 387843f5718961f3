"""The record of a run: what was asked, what was answered, what every device was given, and what the log was in the end.

Times are seconds of one clock that never goes back (that of the process that ran the workload), so that it is known what
was over before something else began. Cursors are kept as they were given; who judges looks into them, clients must not.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec

from tests.e2e.devices import place

T = TypeVar("T")


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """As docs/protocol.md has it."""

    cursor: str
    conversation: str
    seq: int
    type: str
    sender: str | None
    time: int
    content: dict[str, Any]
    client_id: str | None = None

    @property
    def position(self) -> int:
        return place(self.cursor)


class Acknowledged(msgspec.Struct, frozen=True, tag="acknowledged"):
    seq: int
    position: int


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """For good (4xx): nothing was stored, and nothing will be."""

    status: int
    """0 on a WebSocket."""
    code: str


class PutOff(msgspec.Struct, frozen=True, tag="put-off"):
    """Not now, and nothing was stored: overloaded, rate-limited, the store away, the token not known."""

    status: int
    code: str
    """A 401 counts as one because a node that has just come back may not know the token yet. It has to know it later."""


class Unknown(msgspec.Struct, frozen=True, tag="unknown"):
    """A time-out, a lost connection, a 5xx: stored or not."""

    why: str


Answer = Acknowledged | Refused | PutOff | Unknown


class Run(msgspec.Struct, frozen=True, tag="run"):
    """What is to be read again at the end: by everybody on every node."""

    seed: int
    nodes: tuple[str, ...]
    people: tuple[str, ...]


class Conversation(msgspec.Struct, frozen=True, tag="conversation"):
    id: str
    title: str
    members: tuple[str, ...]
    """At the start."""


class Attempt(msgspec.Struct, frozen=True, tag="attempt"):
    """One request to send. A message has one or more, all with its client id."""

    sender: str
    conversation: str
    client_id: str
    text: str
    node: str
    way: str
    """`rest`, or the subprotocol of a WebSocket."""
    invoked: float
    answered: float
    answer: Answer


class Switch(msgspec.Struct, frozen=True, tag="switch"):
    """A device connects."""

    at: float
    device: str
    person: str
    node: str
    transport: str
    cursor: str | None
    """With which it goes on; None is from now on."""
    why: str
    """How the connection before ended."""


class Denied(msgspec.Struct, frozen=True, tag="denied"):
    """A device was not let in, or a poll not answered."""

    at: float
    device: str
    node: str
    transport: str
    cursor: str | None
    status: int
    code: str


class Chunk(msgspec.Struct, frozen=True, tag="chunk"):
    """What a device was given at once, and its cursor before and after."""

    at: float
    device: str
    person: str
    node: str
    transport: str
    before: str | None
    after: str
    events: tuple[Event, ...]
    limited: str | None = None
    """Why the cursor before could not be continued."""


class Reading(msgspec.Struct, frozen=True, tag="reading"):
    """The log of a conversation as a member read it at the end on one node, from the first event they may read."""

    at: float
    node: str
    person: str
    conversation: str
    events: tuple[Event, ...]


class Fault(msgspec.Struct, frozen=True, tag="fault"):
    """For who reads the history; no rule depends on it."""

    began: float
    ended: float
    name: str


Record = Run | Conversation | Attempt | Switch | Denied | Chunk | Reading | Fault

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Record).decode


class History:
    """Records in the order in which they were made. Those of one device, too, are in their order."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self.records: list[Record] = list(records)

    def add(self, record: Record) -> None:
        self.records.append(record)

    def of(self, kind: type[T]) -> list[T]:
        return [record for record in self.records if isinstance(record, kind)]

    def write(self, path: Path) -> None:
        """One record a line, as JSON."""
        with path.open("wb") as file:
            file.writelines(_encode(record) + b"\n" for record in self.records)

    @classmethod
    def read(cls, path: Path) -> Self:
        with path.open("rb") as file:
            return cls(_decode(line) for line in file)

    def figures(self) -> dict[str, int]:
        """How much was done, so that a run that did nothing is seen."""
        attempts, chunks = self.of(Attempt), self.of(Chunk)
        return {
            "messages": len({(one.sender, one.client_id) for one in attempts}),
            "acknowledged": len({(one.sender, one.client_id) for one in attempts if isinstance(one.answer, Acknowledged)}),
            "refused": sum(isinstance(one.answer, Refused) for one in attempts),
            "put off": sum(isinstance(one.answer, PutOff) for one in attempts),
            "unknown": sum(isinstance(one.answer, Unknown) for one in attempts),
            "receipts": sum(len(chunk.events) for chunk in chunks),
            "chunks": len(chunks),
            "connections": len(self.of(Switch)),
            "readings": len(self.of(Reading)),
            "faults": len(self.of(Fault)),
        }
