"""A connection between two servers: elements in, XML out, with TLS begun at any moment. What is not taken stops the reading."""

import asyncio
from collections import deque
from collections.abc import Mapping

from OpenSSL import SSL

from hongyan.gateways.door.peers import address_of
from hongyan.gateways.xmpp.codec import Element, Parser, quote
from hongyan.gateways.xmpp.faults import STREAM_ERRORS, StreamFault
from hongyan.gateways.xmpp.s2s.tls import Tls, TlsFault
from hongyan.gateways.xmpp.stream import STREAMS

DIALBACK = "jabber:server:dialback"
_DRAIN_SECONDS = 30.0
_WAITING = 64
_WAITING_BYTES = 262_144


class LinkLost(Exception):
    """The connection is gone, or the stream has ended."""


class Link(asyncio.Protocol):
    """`next` gives what comes, the head of a stream first. Raises LinkLost and StreamFault."""

    def __init__(self, stanza_bytes: int, write_buffer: int) -> None:
        self._stanza_bytes = stanza_bytes
        self._write_buffer = write_buffer
        self._parser = Parser(stanza_bytes)
        self._transport: asyncio.Transport | None = None
        self._tls: Tls | None = None
        self._found: deque[Element | StreamFault | None] = deque()
        self._bytes = 0
        """Of those."""
        self._something = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._established = asyncio.Event()
        self._lost = False
        self._begun = False
        self.address = "unknown"

    @property
    def secure(self) -> bool:
        return self._tls is not None and self._tls.established

    @property
    def lost(self) -> bool:
        """What is written goes nowhere."""
        return self._lost or (self._transport is not None and self._transport.is_closing())

    def proves(self, domain: str) -> bool:
        """The certificate of the other side is this domain's, and believed."""
        return self._tls is not None and self._tls.proves(domain)

    async def next(self, seconds: float) -> Element:
        """Raises TimeoutError, too."""
        async with asyncio.timeout(seconds):
            while not self._found:
                if self._lost:
                    raise LinkLost
                self._something.clear()
                await self._something.wait()
        found = self._found.popleft()
        if isinstance(found, Element):
            self._bytes -= found.size
        few = len(self._found) < _WAITING // 2 and self._bytes < _WAITING_BYTES // 2
        if few and self._transport is not None and not self._lost:
            self._transport.resume_reading()
        if found is None:
            raise LinkLost
        if isinstance(found, StreamFault):
            raise found
        return found

    def open(self, attributes: Mapping[str, str]) -> None:
        """Begin the stream, or begin it anew: `next` gives the head of the other side's."""
        self._begun = True
        said = "".join(f" {name}='{quote(value)}'" for name, value in attributes.items())
        self.write(
            f"<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:db='{DIALBACK}' xmlns:stream='{STREAMS}'{said}>"
        )

    def restart(self) -> None:
        self._parser = Parser(self._stanza_bytes)

    def proven(self, stanza_bytes: int) -> None:
        """From now on stanzas of so many bytes are taken."""
        self._stanza_bytes = self._parser.stanza_bytes = stanza_bytes

    def write(self, xml: str) -> None:
        data = xml.encode()
        if self._transport is None or self._transport.is_closing():
            return
        if self._tls is None:
            self._transport.write(data)
            return
        try:
            self._tls.send(data)
        except TlsFault:
            self.abort()
            return
        self._transport.write(self._tls.outgoing())

    async def drained(self) -> None:
        """When what was written may be followed by more. Raises TimeoutError when the other side takes nothing for long."""
        async with asyncio.timeout(_DRAIN_SECONDS):
            await self._room.wait()

    async def start_tls(self, context: SSL.Context, *, calls: str | None, seconds: float = 10.0) -> None:
        """Raises LinkLost, TimeoutError. What came in the clear and was not taken is dropped."""
        self._found.clear()
        self._bytes = 0
        self.restart()
        self._tls = Tls(context, calls=calls)
        self._decrypt(b"")
        async with asyncio.timeout(seconds):
            while not self.secure:
                if self._lost:
                    raise LinkLost
                await self._established.wait()

    def fail(self, fault: StreamFault) -> None:
        if not self._begun:
            self.open({})
        text = f"<text xmlns='{STREAM_ERRORS}'>{quote(fault.text)}</text>" if fault.text else ""
        self.write(f"<stream:error><{fault.condition} xmlns='{STREAM_ERRORS}'/>{text}</stream:error>")
        self.close()

    def close(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            if self._begun:
                self.write("</stream:stream>")
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self.address = address_of(transport)
        transport.set_write_buffer_limits(high=self._write_buffer)

    def data_received(self, data: bytes) -> None:
        if self._tls is None:
            self._parse(data)
        else:
            self._decrypt(data)

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = True
        for event in (self._something, self._room, self._established):
            event.set()

    def _decrypt(self, data: bytes) -> None:
        if self._tls is None or self._transport is None:
            return
        try:
            said = self._tls.receive(data)
        except TlsFault:
            self._transport.write(self._tls.outgoing())
            self._transport.close()
            return
        if made := self._tls.outgoing():
            self._transport.write(made)
        if self._tls.established:
            self._established.set()
        if said:
            self._parse(said)

    def _parse(self, data: bytes) -> None:
        found = self._parser.feed(data)
        self._found += found
        self._bytes += sum(one.size for one in found if isinstance(one, Element))
        self._something.set()
        if (len(self._found) > _WAITING or self._bytes > _WAITING_BYTES) and self._transport is not None:
            self._transport.pause_reading()
