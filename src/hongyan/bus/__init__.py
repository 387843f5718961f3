"""The bus: how nodes wake one another. It may lose anything at any time; the store is the truth.

What every bus guarantees: what one node publishes arrives at each node (its own included) at most once and in that node's
order; a callback is called in the loop's thread and never inside `publish_*`... unless the bus is `local`, which calls at
once. Batches of the log carry their first and last position, so that a follower sees what is missing and reads it from the
store. Signals (typing, presence, others' read marks) are not in the log: a lost one is lost.
"""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from hongyan.core.model import Batch


class Signal(msgspec.Struct, frozen=True, gc=False):
    """Something that is true now and may be lost: for the readers of `lanes`, except the user it is about."""

    type: str
    """`typing`, `presence`, `read`."""
    user: str
    lanes: tuple[str, ...]
    body: dict[str, Any]
    """The map for readers, without `op`."""


class Bus(Protocol):
    async def start(self, on_batch: Callable[[Batch], None], on_signal: Callable[[Signal], None]) -> None: ...

    async def close(self) -> None: ...

    def publish_batch(self, batch: Batch) -> None: ...

    def publish_signal(self, signal: Signal) -> None: ...
