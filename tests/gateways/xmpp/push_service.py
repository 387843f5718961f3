"""A push service (XEP-0357): a component of another server, by slixmpp, that answers as the test wants."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from tests.counterparts.prosody import Prosody
from tests.gateways.xmpp.site import SECONDS

PUBSUB = "{http://jabber.org/protocol/pubsub}"
DATA = "{jabber:x:data}"


class Notification:
    def __init__(self, iq: slixmpp.Iq) -> None:
        self.sender = str(iq["from"])
        publish = iq.xml.find(f"{PUBSUB}pubsub/{PUBSUB}publish")
        self.node: str = publish.get("node")
        form = publish.find(f"{PUBSUB}item/{{urn:xmpp:push:0}}notification/{DATA}x")
        self.said = _said(form)
        options = iq.xml.find(f"{PUBSUB}pubsub/{PUBSUB}publish-options/{DATA}x")
        self.options = _said(options) if options is not None else {}


def _said(form: Any) -> dict[str, str]:
    return {field.get("var"): field.findtext(f"{DATA}value") for field in form.iter(f"{DATA}field")}


class PushService(slixmpp.ComponentXMPP):
    def __init__(self, server: Prosody) -> None:
        super().__init__(f"push.{server.domain}", server.password, "127.0.0.1", server.component_port)
        self.received: list[Notification] = []
        self.silent = False
        """It answers nothing."""
        self.errors: list[tuple[str, str]] = []
        """Type and condition of what it answers next."""
        self.started = asyncio.Event()
        self.add_event_handler("session_start", lambda _: self.started.set())
        path = f"{{jabber:component:accept}}iq/{PUBSUB}pubsub"
        self.register_handler(Callback("published", MatchXPath(path), self._published))

    def _published(self, iq: slixmpp.Iq) -> None:
        self.received.append(Notification(iq))
        if self.silent:
            return
        answer = iq.reply()
        if self.errors:
            answer.error()
            answer["error"]["type"], answer["error"]["condition"] = self.errors.pop(0)
        answer.send()

    def of(self, node: str) -> list[Notification]:
        return [one for one in self.received if one.node == node]

    async def told(self, node: str, count: int = 1) -> Notification:
        """Until this node was told so often, and no more; the last one."""
        await self.until(lambda: len(self.of(node)) >= count)
        assert len(self.of(node)) == count
        return self.of(node)[-1]

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(SECONDS):
            while not condition():
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def push_service(server: Prosody) -> AsyncIterator[PushService]:
    service = PushService(server)
    service.connect()
    try:
        async with asyncio.timeout(SECONDS):
            await service.started.wait()
        yield service
    finally:
        with contextlib.suppress(asyncio.TimeoutError):
            await service.disconnect(wait=1.0)
