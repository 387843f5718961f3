"""The bus: how nodes wake one another. It may lose anything at any time; the store is the truth.

What every bus guarantees: what one node publishes arrives at each node (its own included) at most once, and in that node's
order as long as nothing is lost; what is sent to one node arrives there only. Who listens is called in the loop's thread. To
one's own node a message comes at once, inside `publish`, whether the others can be reached or not. Batches of the log carry
their first and last position, so that a follower sees what is missing and reads it from the store. Everything else is true
now and may be lost, or is told again.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

from hongyan.bus.messages import Beat, Device, Gone, Message, NodeInfo, NodePresence, Passed, Roster, Signal, TellMe
from hongyan.core.model import Batch

__all__ = [
    "Batch",
    "Beat",
    "Bus",
    "Counts",
    "Device",
    "Gone",
    "Message",
    "NodeInfo",
    "NodePresence",
    "Passed",
    "Roster",
    "Signal",
    "TellMe",
]

M = TypeVar("M", bound=Message)


class Counts(msgspec.Struct):
    """What went to other nodes and came from them, in messages."""

    sent: int = 0
    received: int = 0
    lost: int = 0
    """Not sent, or not taken, because there was no room or no connection."""
    refused: int = 0
    """That no node of this cluster sent."""


class Bus(Protocol):
    """`listen` and `start` before anything is published."""

    @property
    def counts(self) -> Counts: ...

    @property
    def trouble(self) -> str | None:
        """Why other nodes cannot be reached now; None when they can, or when there can be none."""
        ...

    @property
    def doubtful(self) -> bool:
        """Other nodes may be unreachable, and their silence says nothing about them."""
        ...

    @property
    def alone(self) -> bool:
        """There can be no other node."""
        ...

    def listen(self, kind: type[M], heard: Callable[[M], None]) -> None:
        """Call `heard` for each message of this kind."""
        ...

    async def start(self, epoch: str, key: bytes, node: str) -> None:
        """Begin. Only nodes of the same `epoch` that know the store's `key` hear each other; `node` is this one's id.

        Returns also when nobody can be reached yet: then `trouble` says so.
        """
        ...

    async def close(self) -> None: ...

    def publish(self, message: Message, to: str | None = None) -> None:
        """To every node, or to the one named. Never waits and never fails: what cannot be sent is lost."""
        ...
