"""A stream over a WebSocket (RFC 7395): each message is one element, whole and with its namespaces."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hongyan.gateways.door.lent import Link
from hongyan.gateways.door.lists import Lists
from hongyan.gateways.xmpp.codec import parse, quote
from hongyan.gateways.xmpp.faults import StreamFault
from hongyan.gateways.xmpp.stream import Stream

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.house import House

FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"


def declared(xml: str) -> str:
    """An element as it stands alone: what is in `jabber:client` says so."""
    end = xml.index(">")
    head = xml[:end]
    if " xmlns='" in head or head.startswith("<stream:"):
        return xml
    name = head.partition(" ")[0].rstrip("/")
    return f"{name} xmlns='jabber:client'{xml[len(name) :]}"


class FramedStream:
    """A Wire over a borrowed WebSocket."""

    __slots__ = ("_asked", "_closing", "_headed", "_heard", "_house", "_link", "_lists", "_loop", "_since", "_stream", "address",
                 "most", "secure")  # fmt: skip

    tls_offered = False
    bindings: Mapping[str, bytes] = {}

    def __init__(self, house: "House", lists: Lists, link: Link, address: str, *, secure: bool) -> None:
        self._house = house
        self._lists = lists
        self._link = link
        self.address = address
        self.secure = secure
        self._loop = asyncio.get_running_loop()
        self._since = self._heard = self._loop.time()
        self._headed = self._asked = self._closing = False
        self.most = house.settings.xmpp.stranger_bytes
        self._stream = Stream(house, self)
        if not lists.admit(self):
            self._stream.fail(StreamFault("resource-constraint", "There are as many connections as there may be"))

    # Wire

    def open(self, attributes: Mapping[str, str]) -> None:
        said = "".join(f" {name}='{quote(value)}'" for name, value in attributes.items())
        self._link.write(f"<open xmlns='{FRAMING}'{said}/>")

    def write(self, xml: str) -> None:
        if not self._closing:
            self._link.write(declared(xml))

    def start_tls(self) -> None:
        """It is never offered."""

    def restart(self) -> None:
        self._headed = False

    def logged_in(self) -> None:
        self._lists.logged_in(self)
        self.most = self._house.settings.xmpp.stanza_bytes

    def pause(self) -> None:
        self._link.pause()

    def resume(self) -> None:
        self._link.resume()

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        self._lists.closing(self)
        self._link.write(f"<close xmlns='{FRAMING}'/>")
        self._link.close()

    # Talker

    def message(self, data: bytes) -> None:
        self._heard = self._loop.time()
        self._asked = False
        try:
            element = parse(data, self.most)
        except StreamFault as fault:
            self._stream.fail(fault)
            return
        if element.name == f"{FRAMING} close":
            self._stream.ended()
        elif self._headed and element.name != f"{FRAMING} open":
            self._stream.received(element)
        else:
            self._headed = True
            self._stream.head(element)

    def full(self) -> None:
        self._lists.full(self)
        self._stream.full()

    def room(self) -> None:
        self._lists.not_full(self)
        self._stream.room()

    def gone(self) -> None:
        self._closing = True
        self._lists.gone(self)
        self._stream.lost()

    # Listed

    def tick(self, now: float) -> None:
        xmpp = self._house.settings.xmpp
        if not self._stream.bound:
            if now - self._since > xmpp.login_seconds:
                self._stream.fail(StreamFault("connection-timeout", "Log in sooner"))
        elif now - self._heard > 2 * xmpp.idle_seconds:
            self._link.abort()
        elif now - self._heard > xmpp.idle_seconds and not self._asked:
            self._asked = True
            self._stream.ask()

    def progress(self) -> object:
        return self._link.progress()

    def stuck(self) -> None:
        self._link.abort()

    def dismiss(self, reason: str, detail: str) -> None:
        self._stream.fail(StreamFault("system-shutdown" if reason == "stopping" else "resource-constraint", detail))

    def settled(self) -> bool:
        return True

    def drop(self) -> None:
        self._link.abort()
