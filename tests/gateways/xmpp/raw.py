"""A client that says exactly what the test wants, byte by byte."""

import asyncio
import contextlib
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator

from tests.gateways.xmpp.site import DOMAIN, SECONDS, Site
from tests.serving import PASSWORD

HEAD = (
    f"<?xml version='1.0'?><stream:stream to='{DOMAIN}' version='1.0' xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams'>"
)
STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
BIND = "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{}</resource></bind></iq>"


class Raw:
    def __init__(self, site: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._site = site
        self._reader = reader
        self._writer = writer
        self.seen = ""
        """What came and was not asked for yet."""

    async def say(self, data: str | bytes) -> None:
        self._writer.write(data.encode() if isinstance(data, str) else data)
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    async def until(self, words: str) -> str:
        """Everything up to and with these words."""
        async with asyncio.timeout(SECONDS):
            while words not in self.seen:
                data = await self._reader.read(65_536)
                assert data, f"the stream has ended, without {words!r}: {self.seen!r}"
                self.seen += data.decode()
        found, _, self.seen = self.seen.partition(words)
        return found + words

    async def end(self) -> str:
        """Everything until the server closes."""
        async with asyncio.timeout(SECONDS):
            with contextlib.suppress(ConnectionError):
                while data := await self._reader.read(65_536):
                    self.seen += data.decode()
        return self.seen

    async def encrypt(self, context: ssl.SSLContext) -> None:
        await self._writer.start_tls(context, server_hostname=DOMAIN)

    def binding(self, type: str) -> bytes:
        """Of the channel of TLS."""
        found: bytes = self._writer.get_extra_info("ssl_object").get_channel_binding(type)
        return found

    async def start_tls(self) -> None:
        await self.say(HEAD)
        await self.until("</stream:features>")
        await self.say(STARTTLS)
        await self.until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        await self.encrypt(self._site.trust)

    async def log_in(self, user: str, resource: str = "raw") -> None:
        await self.start_tls()
        await self.say(HEAD)
        await self.until("</stream:features>")
        await self.say(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain(user)}</auth>")
        await self.until("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'></success>")
        await self.say(HEAD)
        await self.until("</stream:features>")
        await self.say(BIND.format(resource))
        await self.until("</iq>")

    def abort(self) -> None:
        self._writer.transport.abort()


def plain(user: str, password: str = PASSWORD) -> str:
    return b64encode(f"\0{user}\0{password}".encode()).decode()


@contextlib.asynccontextmanager
async def connected(site: Site) -> AsyncIterator[Raw]:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    raw = Raw(site, reader, writer)
    try:
        yield raw
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def logged_in(site: Site, user: str, resource: str = "raw") -> AsyncIterator[Raw]:
    async with connected(site) as raw:
        await raw.log_in(user, resource)
        yield raw
