"""A stream over TCP (RFC 6120, section 4), with STARTTLS (section 5) or encrypted from the first byte (XEP-0368)."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hongyan.gateways.door.lists import Lists
from hongyan.gateways.door.peers import address_of
from hongyan.gateways.door.progress import progress
from hongyan.gateways.xmpp.codec import Element, Parser, quote
from hongyan.gateways.xmpp.faults import StreamFault
from hongyan.gateways.xmpp.stream import STREAMS, TLS, Stream
from hongyan.gateways.xmpp.wire import UNIQUE

if TYPE_CHECKING:
    from hongyan.gateways.door.tls import Certificate
    from hongyan.gateways.xmpp.house import House

_REST_SECONDS = 5.0
"""Of silence after which a parser is freed."""
_PROMPT_BYTES = 65_536
"""More is not gathered before it is written."""


class TcpStream(asyncio.Protocol):
    """`trusted`: what is not encrypted may log in, too."""

    __slots__ = (
        "_asked", "_begun", "_certificate", "_closing", "_encrypted", "_headed", "_heard", "_house", "_lists", "_loop", "_out",
        "_parser", "_paused", "_since", "_size", "_stream", "_switching", "_transport", "_trusted", "address",
    )  # fmt: skip

    def __init__(self, house: "House", lists: Lists, certificate: "Certificate | None", *, direct: bool, trusted: bool) -> None:
        self._house = house
        self._lists = lists
        self._loop = asyncio.get_running_loop()
        self._certificate = certificate
        self._encrypted = direct
        self._trusted = trusted
        self._stream = Stream(house, self)
        self._parser = Parser(house.settings.xmpp.stranger_bytes)
        self._begun = self._headed = False
        """Its own head was written; the other's has come."""
        self._asked = self._closing = self._paused = self._switching = False
        self._out: list[str] = []
        self._size = 0
        self._since = self._heard = self._loop.time()
        self.address = "unknown"

    # Wire

    @property
    def secure(self) -> bool:
        return self._encrypted or self._trusted

    @property
    def tls_offered(self) -> bool:
        return self._certificate is not None and not self._encrypted

    @property
    def bindings(self) -> Mapping[str, bytes]:
        if not self._encrypted or self._certificate is None:
            return {}
        found = {"tls-server-end-point": self._certificate.end_point}
        unique = self._transport.get_extra_info("ssl_object").get_channel_binding("tls-unique")
        return {**found, UNIQUE: unique} if unique else found

    def open(self, attributes: Mapping[str, str]) -> None:
        self._begun = True
        said = "".join(f" {name}='{quote(value)}'" for name, value in attributes.items())
        self.write(f"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='{STREAMS}'{said}>")

    def write(self, xml: str) -> None:
        if self._closing:
            return
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(xml)
        self._size += len(xml)
        if self._size >= _PROMPT_BYTES:
            self._flush()

    def start_tls(self) -> None:
        if self._certificate is None:
            return
        self.write(f"<proceed xmlns='{TLS}'/>")
        self._flush()
        self._transport.pause_reading()
        self._switching = True
        self._house.task(self._switch(self._certificate))

    def restart(self) -> None:
        self._headed = False
        self._parser = Parser(self._parser.stanza_bytes)

    def logged_in(self) -> None:
        self._lists.logged_in(self)
        self._parser.stanza_bytes = self._house.settings.xmpp.stanza_bytes

    def pause(self) -> None:
        self._paused = True
        self._transport.pause_reading()

    def resume(self) -> None:
        self._paused = False
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        if self._closing:
            return
        if self._begun:
            self.write("</stream:stream>")
        self._flush()
        self._closing = True
        if not self._switching:
            self._lists.closing(self)
            self._transport.close()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self.address = address_of(transport)
        transport.set_write_buffer_limits(high=self._house.settings.limits.write_buffer)
        if not self._lists.admit(self):
            self._stream.fail(StreamFault("resource-constraint", "There are as many connections as there may be"))

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        self._asked = False
        if self._switching:  # behind starttls and not encrypted: somebody in between may have put it there
            self._closing = True
            self._transport.abort()
            return
        for found in self._parser.feed(data):
            if self._deaf:
                return
            self._one(found)

    @property
    def _deaf(self) -> bool:
        return self._switching or self._closing

    def _one(self, found: Element | StreamFault | None) -> None:
        if found is None:
            self._stream.ended()
        elif isinstance(found, StreamFault):
            self._stream.fail(found)
        elif self._headed:
            self._stream.received(found)
        else:
            self._headed = True
            self._stream.head(found)

    def pause_writing(self) -> None:
        self._lists.full(self)
        self._stream.full()

    def resume_writing(self) -> None:
        self._lists.not_full(self)
        self._stream.room()

    def connection_lost(self, error: Exception | None) -> None:
        self._closing = True
        self._lists.gone(self)
        self._stream.lost()

    def _flush(self) -> None:
        if self._out and not self._transport.is_closing():
            data = "".join(self._out).encode()
            self._out.clear()
            self._size = 0
            self._transport.write(data)
        else:
            self._out.clear()

    async def _switch(self, certificate: "Certificate") -> None:
        transport: asyncio.Transport | None = None
        with contextlib.suppress(OSError):  # of TLS, too
            transport = await self._loop.start_tls(
                self._transport, self, certificate.context, server_side=True, ssl_handshake_timeout=10.0
            )
        if transport is None or self._closing:
            self._transport.abort()
            return
        self._transport = transport
        self._switching = False
        self._encrypted = True
        self._begun = self._headed = False
        self._parser = Parser(self._house.settings.xmpp.stranger_bytes)
        transport.set_write_buffer_limits(high=self._house.settings.limits.write_buffer)
        if not self._paused:
            transport.resume_reading()

    # For the timer

    def tick(self, now: float) -> None:
        xmpp, silent = self._house.settings.xmpp, now - self._heard
        if not self._stream.bound:
            if now - self._since > xmpp.login_seconds:
                self._stream.fail(StreamFault("connection-timeout", "Log in sooner"))
            return
        if silent > _REST_SECONDS:
            self._parser.rest()
        if silent > 2 * xmpp.idle_seconds:
            self._transport.abort()
        elif silent > xmpp.idle_seconds and not self._asked:
            self._asked = True
            self._stream.ask()

    def progress(self) -> object:
        return progress(self._transport)

    def stuck(self) -> None:
        self._transport.abort()

    def dismiss(self, reason: str, detail: str) -> None:
        self._stream.fail(StreamFault("system-shutdown" if reason == "stopping" else "resource-constraint", detail))

    def settled(self) -> bool:
        return True

    def drop(self) -> None:
        self._transport.abort()
