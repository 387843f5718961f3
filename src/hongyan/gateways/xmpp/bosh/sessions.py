"""Sessions of BOSH by their id, and which of them a request is for."""

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from hongyan.core.ids import id_from_bits
from hongyan.gateways.xmpp.bosh.bodies import BODY, Opening, number, terminate
from hongyan.gateways.xmpp.bosh.session import Session
from hongyan.gateways.xmpp.codec import Element, parse
from hongyan.gateways.xmpp.faults import StreamFault

if TYPE_CHECKING:
    from hongyan.gateways.door.lists import Lists
    from hongyan.gateways.xmpp.house import House

_ENVELOPE = 2_048
"""Of a body around its stanzas."""


class Bosh:
    def __init__(self, house: "House", lists: "Lists") -> None:
        self._house = house
        self._lists = lists
        self._loop = asyncio.get_running_loop()
        self._sessions: dict[str, Session] = {}
        self._known: Counter[str] = Counter()
        """Sessions that have logged in, by where they were last: from elsewhere no large body is taken."""

    def most_body(self, address: str) -> int:
        xmpp = self._house.settings.xmpp
        return (xmpp.stanza_bytes if address in self._known else xmpp.stranger_bytes) + _ENVELOPE

    async def request(self, body: bytes, address: str, *, secure: bool) -> str:
        """The body of the answer."""
        try:
            element = parse(body, self.most_body(address))
        except StreamFault:
            return terminate("bad-request")
        rid = number(element.get("rid"))
        if element.name != BODY or rid is None:
            return terminate("bad-request")
        sid = element.attributes.get("sid")
        if sid is None:
            return await self._begin(element, rid, address, secure)
        session = self._sessions.get(sid)
        if session is None or session.secure != secure:
            return terminate("item-not-found")
        if len(body) > session.most + _ENVELOPE:
            session.refuse("policy-violation")
        self._moved(session, address)
        return await session.request(rid, element, len(body))

    async def _begin(self, element: Element, rid: int, address: str, secure: bool) -> str:
        opening = Opening.read(element)
        if opening is None:
            return terminate("bad-request")
        sid = id_from_bits(self._house.random(20))
        session = Session(self._house, self._lists, self, sid, rid, opening, address, secure=secure)
        self._sessions[sid] = session
        session.begin()
        return await session.request(rid, element, 0)

    # For sessions

    def logged_in(self, session: Session) -> None:
        self._known[session.address] += 1

    def gone(self, session: Session) -> None:
        if self._sessions.pop(session.sid, None) is not None and session.known:
            self._forget(session.address)

    def _moved(self, session: Session, address: str) -> None:
        if session.known and session.address != address:
            self._forget(session.address)
            self._known[address] += 1
        session.address = address

    def _forget(self, address: str) -> None:
        self._known[address] -= 1
        if self._known[address] <= 0:
            del self._known[address]
