"""Buses that hear one another, and what each has heard."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest

from hongyan.bus import Beat, Gone, NodePresence, Roster, Signal, TellMe
from hongyan.bus.local import LocalBus
from hongyan.bus.nats import NatsBus
from hongyan.core.model import Batch

EPOCH = "epoch1"
KEY = b"k" * 32


class Node:
    """A bus and everything it has heard, in order."""

    def __init__(self, name: str, bus: Any) -> None:
        self.name = name
        self.bus = bus
        self.heard: list[Any] = []
        kinds: tuple[Any, ...] = (Batch, Signal, Beat, Gone, NodePresence, TellMe, Roster)
        for kind in kinds:
            bus.listen(kind, self.heard.append)


async def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


Join = Callable[..., Awaitable[Node]]


@pytest.fixture
async def join() -> AsyncIterator[Join]:
    """A node on NATS, which leaves at the end."""
    async with contextlib.AsyncExitStack() as stack:

        async def joining(name: str, url: str, *, epoch: str = EPOCH, key: bytes = KEY, start: bool = True) -> Node:
            async def servers() -> Sequence[str]:
                return [url]

            node = Node(name, NatsBus(servers))
            if start:
                await node.bus.start(epoch, key, name)
                stack.push_async_callback(node.bus.close)
            return node

        yield joining


@pytest.fixture(params=["local", "nats of two", "nats of three"])
async def nodes(request: pytest.FixtureRequest, join: Join) -> AsyncIterator[list[Node]]:
    """Every bus, with all the nodes that it can have."""
    if request.param == "local":
        node = Node("n1", LocalBus())
        await node.bus.start(EPOCH, KEY, "n1")
        yield [node]
        await node.bus.close()
        return
    url: str = request.getfixturevalue("nats_url")
    epoch = f"e{secrets.token_hex(4)}"  # NATS is the session's
    yield [await join(f"n{number}", url, epoch=epoch) for number in range(1, 3 if "two" in request.param else 4)]
