"""The four ways in which events come. Each is a stream of batches after a cursor, and says how it ended.

A stream first gives a batch with `opened` when the connection stands, then what the server says. It ends with StreamEnded (the
server's verdict), with a refusal of `hongyan.core.errors`, with Unreachable (no server there) or with TransportBroken.
Nothing is kept between two streams: the follower holds the cursor.
"""

from collections.abc import AsyncGenerator
from typing import Protocol

from hongyan.client.model import Batch, TransportName


class Transport(Protocol):
    """One way."""

    @property
    def name(self) -> TransportName: ...

    def stream(self, cursor: str) -> AsyncGenerator[Batch, None]:
        """Batches after the cursor, until the consumer closes it or it ends with an error."""
