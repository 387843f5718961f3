"""Clients of a real server, and what they were handed."""

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hongyan.client import Backoff, Client, Event, Ladder, Link

from ..serving import PASSWORD, Server

_numbers = itertools.count(1)
SOON = 20.0


def names(server: Server, *stems: str) -> list[str]:
    """New accounts with these stems; a test that shares its server meets nobody else's people."""
    made = [f"{stem}{next(_numbers)}" for stem in stems]
    server.add(*made)
    return made


def open_client(url: str, state: Path | None = None, **more: Any) -> Client:
    """Impatient: waits and climbs are short."""
    options: dict[str, Any] = {
        "poll_pause": 0.05,
        "longpoll_wait": 5,
        "backoff": lambda: Backoff(first=0.05, most=0.4),
        "ladder": Ladder(climb_after=1.2, climb_most=1.5),
    }
    client = Client(url, state=state, **options | more)
    client._socket._answer_within = 0.5
    client._transports["sse"]._first = 0.5  # type: ignore[attr-defined]
    return client


class Reader:
    """Collects what a client hands over."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.events: list[Event] = []
        self.links: list[Link] = []
        self.reloads = 0
        client.on_event(self.events.append)
        client.on_state(self.links.append)
        client.on_reload(self._reloaded)

    def _reloaded(self, _: object) -> None:
        self.reloads += 1

    def texts(self, conversation: str) -> list[str]:
        return [event.text for event in self.events if event.type == "message" and event.conversation == conversation]

    @property
    def transports(self) -> list[str]:
        """Those that were opened, one after the other."""
        return [link.transport for link in self.links if link.connection == "online"]


async def joined(server: Server, name: str, *, url: str | None = None, state: Path | None = None, **more: Any) -> Reader:
    """A client that is logged in and follows."""
    client = open_client(url or server.url, state, **more)
    reader = Reader(client)
    try:
        if not client.has_token:
            await client.login(name, PASSWORD, "test")
        await client.start()
    except BaseException:
        await client.close()
        raise
    return reader


async def until(condition: Callable[[], Any], within: float = SOON) -> None:
    """Wait for a condition in real time."""
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.005)


def left_running() -> set[str]:
    """Tasks besides the test's own."""
    return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}
