"""A client of raw sockets, for what no library does: cut a connection anywhere, and go on with a stream over another."""

import asyncio
import contextlib
import itertools
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Self

from hongyan.gateways.xmpp.codec import Element, Parser
from tests.gateways.xmpp.site import DOMAIN, SECONDS, Site
from tests.serving import PASSWORD

SM = "urn:xmpp:sm:3"
_STREAM = f"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='{DOMAIN}' version='1.0'>"
_names = itertools.count(1)


class Wired:
    """One stream with stream management: what it has sent and is not acknowledged is sent again when it goes on."""

    def __init__(self, site: Site, user: str) -> None:
        self.port = site.port
        self.user = user
        self.jid = f"{user}@{DOMAIN}"
        self.resource = f"wired{next(_names)}"
        self.previd = ""
        self.taken = 0
        """Stanzas that came: our `h`."""
        self.silent = False
        """It acknowledges nothing."""
        self.sent = 0
        self.unacknowledged: list[str] = []
        self.came: list[Element] = []
        self.nonzas: list[Element] = []
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.connect()
        await self.bind()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    # Connections

    async def connect(self) -> None:
        """Up to the features of somebody who has logged in."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._new_parser()
        self._task = asyncio.create_task(self._read())
        self.raw(_STREAM)
        await self.nonza("features")
        told = b64encode(f"\0{self.user}\0{PASSWORD}".encode()).decode()
        self.raw(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{told}</auth>")
        await self.nonza("success")
        self._new_parser()
        self.raw(_STREAM)
        await self.nonza("features")

    async def bind(self) -> None:
        bind = f"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{self.resource}</resource></bind>"
        self.raw(f"<iq type='set' id='bind'>{bind}</iq>")
        await self.stanza(lambda one: one.get("id") == "bind")
        self.raw(f"<enable xmlns='{SM}' resume='true'/>")
        self.previd = (await self.nonza("enabled")).get("id")
        self.taken = self.sent = 0
        self.unacknowledged.clear()
        self.came.clear()
        self.send("<presence/>")

    async def resume(self) -> int:
        """Go on; gives the `h` of the server."""
        self.raw(f"<resume xmlns='{SM}' previd='{self.previd}' h='{self.taken}'/>")
        handled = int((await self.nonza("resumed")).get("h"))
        self.acknowledged(handled)
        for stanza in self.unacknowledged:
            self.raw(stanza)
        return handled

    async def cut(self) -> None:
        """Now, with whatever is on its way."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):  # it may have been cut by the other end, too
                await self._task
            self._task = None
            self.writer.transport.abort()

    # What it says

    def raw(self, xml: str) -> None:
        self.writer.write(xml.encode())

    def send(self, stanza: str, *, upto: int | None = None) -> None:
        """One stanza, or only so many bytes of it before it is cut."""
        self.sent += 1
        self.unacknowledged.append(stanza)
        self.writer.write(stanza.encode()[:upto])

    def say(self, to: str, text: str, id: str, *, upto: int | None = None) -> None:
        self.send(f"<message to='{to}@{DOMAIN}' type='chat' id='{id}'><body>{text}</body></message>", upto=upto)

    def acknowledged(self, handled: int) -> None:
        """The server has these: they are forgotten."""
        before = self.sent - len(self.unacknowledged)
        assert before <= handled <= self.sent, f"{handled} acknowledged of {before} to {self.sent}"
        del self.unacknowledged[: handled - before]

    # What it hears

    @property
    def texts(self) -> list[str]:
        return [body for one in self.came if (body := one.said("jabber:client body")) is not None]

    async def until(self, condition: Callable[[], Any]) -> Any:
        async with asyncio.timeout(SECONDS):
            while not (found := condition()):
                self._changed.clear()
                await self._changed.wait()
            return found

    async def stanza(self, wanted: Callable[[Element], bool]) -> Element:
        found: Element = await self.until(lambda: next((one for one in self.came if wanted(one)), None))
        return found

    async def nonza(self, local: str) -> Element:
        def found() -> Element | None:
            at = next((number for number, one in enumerate(self.nonzas) if one.local == local), None)
            return self.nonzas.pop(at) if at is not None else None

        told: Element = await self.until(found)
        return told

    def _new_parser(self) -> None:
        self._parser, self._headed = Parser(1_000_000), False

    async def _read(self) -> None:
        while data := await self.reader.read(65_536):
            for element in self._parser.feed(data):
                if element is not None and self._headed:
                    self._came(element)
                self._headed = True
            self._changed.set()

    def _came(self, element: Element) -> None:
        if element.space == "jabber:client":
            self.taken += 1
            self.came.append(element)
        elif element.name == f"{SM} r":
            if self.silent:
                return
            self.raw(f"<a xmlns='{SM}' h='{self.taken}'/>")
        elif element.name == f"{SM} a":
            self.acknowledged(int(element.get("h")))
        else:
            self.nonzas.append(element)
