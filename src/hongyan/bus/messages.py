"""What nodes tell each other."""

from collections.abc import Mapping
from typing import Any

import msgspec

from hongyan.core.model import Batch, Status, TransportName
from hongyan.core.own import StatusText


class Signal(msgspec.Struct, frozen=True, gc=False, tag_field="is", tag=1, array_like=True):
    """Something that is true now and may be lost: for the readers of `lanes`, except the user it is about."""

    type: str
    """`typing`, `read`."""
    user: str
    lanes: tuple[str, ...]
    body: dict[str, Any]
    """The map for readers, without `op`."""


class NodeInfo(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A node, as the others and administrators see it."""

    id: str
    """Another one after each start."""
    name: str
    version: str
    addresses: Mapping[str, str]
    """HOST:PORT by the name of a gateway: `http`."""
    started: int
    """Milliseconds since 1970 UTC, by that node's clock."""
    sessions: int
    users: int
    """People who are on it."""
    position: int
    """Where it is in the log."""
    ready: bool
    """It takes clients: it is neither stopping nor cut off from the store."""
    reason: str = ""
    """Why not."""


class Beat(msgspec.Struct, frozen=True, tag_field="is", tag=2, array_like=True):
    """Every second: a node is there."""

    node: NodeInfo
    changes: int
    """NodePresence messages that it has published so far: who has heard fewer asks for a Roster."""
    asks: bool = False
    """It has just come and wants to hear from everybody."""


class Gone(msgspec.Struct, frozen=True, tag_field="is", tag=3, array_like=True):
    """A node has stopped."""

    node: str


class Device(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A device that is connected, on one node."""

    device: str
    transport: TransportName
    status: Status
    since: int
    """Milliseconds since 1970 UTC."""
    token_id: str = ""
    """For the server alone: no reader is shown it."""
    detail: str = ""
    """What its gateway says of it to the same gateway on other nodes."""


class NodePresence(msgspec.Struct, frozen=True, tag_field="is", tag=4, array_like=True):
    """Who somebody is on one node; without devices they are not on it any more."""

    node: str
    number: int
    """1, 2, 3, ... of that node."""
    user: str
    status: Status
    text: str | None
    devices: tuple[Device, ...]
    lanes: tuple[str, ...]
    """Whose readers want to know."""
    status_text: StatusText | None = None
    asleep: tuple[str, ...] = ()
    """Token ids of devices that do not answer, and may come back."""


class TellMe(msgspec.Struct, frozen=True, tag_field="is", tag=5, array_like=True):
    """To one node: send me your Roster."""

    node: str
    """Who asks."""


class Roster(msgspec.Struct, frozen=True, tag_field="is", tag=6, array_like=True):
    """Everybody who is on a node, in one or more parts: true when it had published `changes` NodePresence messages."""

    node: str
    changes: int
    people: tuple[NodePresence, ...]
    part: int
    parts: int


class Passed(msgspec.Struct, frozen=True, gc=False, tag_field="is", tag=9, array_like=True):
    """To one node: something for clients of somebody that are connected there, by the gateway that it came from."""

    gateway: str
    user: str
    body: str


class Range(msgspec.Struct, frozen=True, tag_field="is", tag=7, array_like=True):
    """A batch that is too large for one message: it is in the store."""

    first: int
    last: int


class News(msgspec.Struct, frozen=True, tag_field="is", tag=8, array_like=True):
    """A batch of the log on its way."""

    batch: Batch


Message = Batch | Signal | Beat | Gone | NodePresence | TellMe | Roster | Passed
OnTheWire = Signal | Beat | Gone | NodePresence | TellMe | Roster | Range | News | Passed
