"""The gateway's addresses on the web port: streams over WebSockets and BOSH, and how they are found."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hongyan.config import parse_endpoint
from hongyan.core.errors import Overloaded
from hongyan.gateways.door.lent import Caller, Link, Talker
from hongyan.gateways.xmpp import hostmeta
from hongyan.gateways.xmpp.bosh.sessions import Bosh
from hongyan.gateways.xmpp.framed import FramedStream

if TYPE_CHECKING:
    from hongyan.gateways.door.lists import Lists
    from hongyan.gateways.xmpp.house import House

WEBSOCKET = "/xmpp/ws"
BOSH = "/xmpp/bosh"


class Web:
    """A Lodger. BOSH is there where one process has the port: a session is of the process that began it."""

    def __init__(self, house: "House") -> None:
        settings = house.settings
        self._house = house
        self._lists: Lists | None = None
        self._bosh: Bosh | None = None
        self._alone = settings.node.workers == 1
        self._trusted = settings.xmpp.allow_plaintext and parse_endpoint(settings.http.listen).local
        self.websockets: Mapping[str, str] = {WEBSOCKET: "xmpp"}
        self.posts = frozenset({BOSH}) if self._alone else frozenset()
        self.documents = frozenset({hostmeta.XML, hostmeta.JSON})

    def start(self, lists: "Lists") -> None:
        self._lists = lists
        self._bosh = Bosh(self._house, lists)

    def admit(self) -> None:
        if self._lists is None or self._house.stopping:
            raise Overloaded("There are no streams of XMPP at this moment", retry_after=1.0)

    def talk(self, path: str, link: Link, caller: Caller) -> Talker:
        if self._lists is None:
            raise Overloaded("There are no streams of XMPP at this moment", retry_after=1.0)
        return FramedStream(self._house, self._lists, link, caller.address, secure=self._secure(caller))

    def most_body(self, address: str) -> int:
        return self._house.settings.xmpp.stranger_bytes if self._bosh is None else self._bosh.most_body(address)

    async def post(self, path: str, body: bytes, caller: Caller) -> tuple[bytes, bytes]:
        self.admit()
        if self._bosh is None:
            raise Overloaded("There are no streams of XMPP at this moment", retry_after=1.0)
        said = await self._bosh.request(body, caller.address, secure=self._secure(caller))
        return b"text/xml; charset=utf-8", said.encode()

    def document(self, path: str, caller: Caller) -> tuple[bytes, bytes]:
        bosh = BOSH if self._alone else None
        found = hostmeta.links(caller.host, self._house.domain, secure=caller.secure, websocket=WEBSOCKET, bosh=bosh)
        return hostmeta.document(path, found)

    def _secure(self, caller: Caller) -> bool:
        return caller.secure or self._trusted
