"""Streams to the byte, over WebSocket and BOSH: for what no proper client does."""

import base64
import itertools
import ssl
from types import TracebackType
from typing import Any, Self
from xml.etree import ElementTree

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.gateways.xmpp.site import DOMAIN, SECONDS, Site
from tests.serving import PASSWORD

FRAMING = "{urn:ietf:params:xml:ns:xmpp-framing}"
CLIENT = "{jabber:client}"
SASL = "{urn:ietf:params:xml:ns:xmpp-sasl}"
SASL2 = "{urn:xmpp:sasl:2}"
BIND2 = "{urn:xmpp:bind:0}"
SM = "{urn:xmpp:sm:3}"
STREAM = "{http://etherx.jabber.org/streams}"
BOSH = "{http://jabber.org/protocol/httpbind}"
OPEN = f"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{DOMAIN}' version='1.0'/>"
BIND = "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"


def plain(user: str, password: str = PASSWORD) -> str:
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


def auth(user: str, password: str = PASSWORD) -> str:
    return f"<auth xmlns='{SASL[1:-1]}' mechanism='PLAIN'>{plain(user, password)}</auth>"


def authenticate(user: str, inside: str = "", *, password: str = PASSWORD) -> str:
    said = f"<initial-response>{plain(user, password)}</initial-response>"
    return f"<authenticate xmlns='{SASL2[1:-1]}' mechanism='PLAIN'>{said}{inside}</authenticate>"


def message(to: str, text: str) -> str:
    return f"<message xmlns='jabber:client' to='{to}@{DOMAIN}' type='chat'><body>{text}</body></message>"


class Socket:
    """A WebSocket."""

    def __init__(self, site: Site, *, trust: ssl.SSLContext | None = None, **more: Any) -> None:
        url = site.server.url.replace("http", "ws", 1) + "/xmpp/ws"
        options: dict[str, Any] = {"subprotocols": ["xmpp"], "open_timeout": SECONDS, "close_timeout": 1, "compression": None}
        self._opening = connect(url, ssl=trust, **(options | more))

    def __enter__(self) -> Self:
        self.connection: ClientConnection = self._opening.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._opening.__exit__(None, None, None)

    def say(self, *texts: str) -> None:
        for text in texts:
            self.connection.send(text)

    def hear(self) -> ElementTree.Element:
        """The next message, which is one element."""
        return ElementTree.fromstring(self.connection.recv(timeout=SECONDS))  # noqa: S314

    def until(self, name: str) -> ElementTree.Element:
        while (found := self.hear()).tag != name:
            pass
        return found

    def open(self) -> ElementTree.Element:
        """The features."""
        self.say(OPEN)
        assert self.hear().tag == f"{FRAMING}open"
        return self.hear()

    def log_in(self, user: str) -> str:
        """The address that was bound."""
        self.open()
        self.say(auth(user))
        assert self.hear().tag == f"{SASL}success"
        self.open()
        self.say(BIND)
        return address(self.hear())


def address(result: ElementTree.Element) -> str:
    return next(one.text or "" for one in result.iter() if one.tag.endswith("}jid"))


class Bosh:
    """A session of BOSH; each request waits for its answer."""

    def __init__(self, site: Site, *, rid: int = 1_000, wait: int = 1) -> None:
        self.http = httpx.Client(base_url=site.server.url, timeout=SECONDS, verify=site.server.verify)
        self.rids = itertools.count(rid)
        self.sid = ""
        self.wait = wait

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.http.close()

    def post(self, body: str) -> ElementTree.Element:
        answer = self.http.post("/xmpp/bosh", content=body.encode(), headers={"Content-Type": "text/xml"})
        assert answer.status_code == 200, answer.text
        return ElementTree.fromstring(answer.content)  # noqa: S314

    def body(self, inside: str = "", attributes: str = "", *, rid: int | None = None) -> str:
        number = next(self.rids) if rid is None else rid
        head = f"xmlns='{BOSH[1:-1]}' rid='{number}' sid='{self.sid}'"
        return f"<body {head} xmlns:xmpp='urn:xmpp:xbosh' {attributes}>{inside}</body>"

    def say(self, inside: str = "", attributes: str = "", *, rid: int | None = None) -> ElementTree.Element:
        return self.post(self.body(inside, attributes, rid=rid))

    def begin(self, to: str = DOMAIN) -> ElementTree.Element:
        head = f"xmlns='{BOSH[1:-1]}' rid='{next(self.rids)}' to='{to}' wait='{self.wait}' hold='1' ver='1.6'"
        answer = self.post(f"<body {head} xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'/>")
        self.sid = answer.get("sid", "")
        return answer

    def log_in(self, user: str) -> str:
        self.begin()
        assert self.say(auth(user))[0].tag == f"{SASL}success"
        assert self.say("", f"xmpp:restart='true' to='{DOMAIN}'")[0].tag == f"{STREAM}features"
        return address(self.say(BIND))

    def hear(self, name: str) -> ElementTree.Element:
        """Ask until an element of this name comes."""
        while True:
            for element in self.say():
                if element.tag == name:
                    return element
