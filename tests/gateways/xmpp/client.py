"""A client that we did not write: slixmpp, with what a test asks of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from tests.gateways.xmpp.neighbours import Neighbours
from tests.gateways.xmpp.site import DOMAIN, SECONDS, Site
from tests.serving import PASSWORD


class Client(slixmpp.ClientXMPP):
    """Keeps every message that comes."""

    def __init__(self, address: str, password: str, authority: Path, plugins: tuple[str, ...]) -> None:
        super().__init__(address, password)
        self.ca_certs = str(authority)
        for plugin in ("xep_0030", "xep_0199", *plugins):
            self.register_plugin(plugin)
        self.messages: list[Any] = []
        self.every: list[Any] = []
        """Also messages without a body."""
        self.failed: list[Any] = []
        self.answers: dict[str, Any] = {}
        """Of queries that the test has written itself, by id."""
        self.presences: list[Any] = []
        self._changed = asyncio.Event()
        self.started = asyncio.Event()
        self.add_event_handler("session_start", lambda _: self.started.set())
        for event in ("message", "message_error"):
            self.add_event_handler(event, self._keep)
        self.add_event_handler("presence", self.presences.append)
        self.register_handler(Callback("every message", MatchXPath("{jabber:client}message"), self._keep_every))
        self.add_event_handler("failed_auth", self.failed.append)
        self.add_filter("in", self._answered)

    def _keep_every(self, message: Any) -> None:
        self.every.append(message)
        self._changed.set()

    def _keep(self, message: Any) -> None:
        self.messages.append(message)
        self._changed.set()

    def _answered(self, stanza: Any) -> Any:
        if isinstance(stanza, slixmpp.Iq) and stanza["type"] in ("result", "error"):
            self.answers[stanza["id"]] = stanza
            self._changed.set()
        return stanza

    async def until(self, condition: Callable[[], Any]) -> Any:
        """The first true value that it gives, looked at whenever something may have come."""
        async with asyncio.timeout(SECONDS):
            while not (found := condition()):
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), 0.05)
            return found

    @property
    def texts(self) -> list[str]:
        return [message["body"] for message in self.messages if message["body"] and message["type"] != "error"]

    async def has(self, *texts: str) -> None:
        """Until these have come, in this order, and nothing else."""
        await self.until(lambda: len(self.texts) >= len(texts))
        assert self.texts == list(texts)

    async def error(self) -> Any:
        """The first message that came back."""
        return await self.until(lambda: next((one for one in self.messages if one["type"] == "error"), None))


@contextlib.asynccontextmanager
async def client(
    site: Site, user: str, resource: str = "desk", *, plugins: tuple[str, ...] = (), present: bool = True
) -> AsyncIterator[Client]:
    """Connected over STARTTLS, logged in, and available if `present`."""
    one = Client(f"{user}@{DOMAIN}/{resource}", PASSWORD, site.certificate, plugins)
    async with _connected(one, site.port, present):
        yield one


@contextlib.asynccontextmanager
async def neighbour(near: Neighbours, user: str, *, plugins: tuple[str, ...] = ()) -> AsyncIterator[Client]:
    """The same at the other server."""
    one = Client(f"{user}@{near.other.domain}/desk", near.other.password, near.authority, plugins)
    async with _connected(one, near.other.client_port, True):
        yield one


async def asks(near: Neighbours, who: str, whom: str) -> None:
    """Somebody of theirs comes, asks to see somebody of ours, and goes."""
    ours = f"{whom}@{DOMAIN}"
    async with neighbour(near, who) as one:
        await one.get_roster()
        one.send_presence_subscription(ours, ptype="subscribe")
        await one.until(lambda: one.client_roster.has_jid(ours) and one.client_roster[ours]["pending_out"])


@contextlib.asynccontextmanager
async def _connected(one: Client, port: int, present: bool) -> AsyncIterator[None]:
    one.connect("127.0.0.1", port)
    try:
        async with asyncio.timeout(SECONDS):
            await one.started.wait()
        if present:
            one.send_presence()
        yield
    finally:
        with contextlib.suppress(asyncio.TimeoutError):
            await one.disconnect(wait=1.0)
