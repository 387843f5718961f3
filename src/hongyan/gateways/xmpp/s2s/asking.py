"""What this server itself asks of others. Their answers may come in at another node, which hands them on."""

import asyncio
from typing import TYPE_CHECKING

import msgspec

from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.codec import Element, quote
from hongyan.gateways.xmpp.faults import STANZA_ERRORS, StanzaFault
from hongyan.gateways.xmpp.jid import Jid

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.house import House
    from hongyan.gateways.xmpp.s2s.federation import Federation

_SECONDS = 20.0
_PASSED = "xmpp-answer"


class Answer(msgspec.Struct, frozen=True):
    id: str
    """Of the question."""
    sender: str
    error: str = ""
    """The condition (RFC 6120, section 8.3.3); empty: it was done."""
    type: str = ""
    """Of the error."""


class Asking:
    def __init__(self, house: "House", federation: "Federation") -> None:
        self._house = house
        self._federation = federation
        self._node = house.messaging.node
        self._asked: dict[str, tuple[Jid, asyncio.Future[Answer]]] = {}
        house.messaging.passing.listen(_PASSED, self._passed)

    async def ask(self, to: Jid, inside: str) -> Answer:
        """Have something done (`set`). Raises StanzaFault where it did not go out, TimeoutError when nobody answers."""
        loop = asyncio.get_running_loop()
        id = f"{self._node}.{self._house.fresh_id()}"
        sent: asyncio.Future[None] = loop.create_future()
        answer: asyncio.Future[Answer] = loop.create_future()

        def over(fault: StanzaFault | None) -> None:
            if sent.done():
                return
            if fault is not None:
                sent.set_exception(fault)
            else:
                sent.set_result(None)

        local = self._house.domain
        self._asked[id] = to, answer
        try:
            head = f"<iq type='set' id='{id}' from='{quote(local)}' to='{quote(str(to))}'>"
            self._federation.send(f"{head}{inside}</iq>", local, to.domain, over)
            await sent
            async with asyncio.timeout(_SECONDS):
                return await answer
        finally:
            del self._asked[id]

    def answered(self, iq: Element, sender: Jid) -> None:
        """A result or an error came for this server."""
        error, condition = iq.child("jabber:client error"), ""
        if iq.get("type") == "error":
            parts = error.children if error is not None else []
            named = [part.local for part in parts if part.space == STANZA_ERRORS and part.local != "text"]
            condition = named[0][:64] if named else "undefined-condition"
        type = error.get("type")[:16] if error is not None else ""
        answer = Answer(iq.get("id"), str(sender), condition, type)
        node = answer.id.partition(".")[0]
        if node == self._node:
            self._take(answer)
        elif any(one.id == node for one in self._house.messaging.nodes.all()):
            self._house.messaging.passing.at(node, _PASSED, msgspec.json.encode(answer).decode())

    def _passed(self, _: str, body: str) -> None:
        self._take(msgspec.json.decode(body, type=Answer))

    def _take(self, answer: Answer) -> None:
        """From whom was asked, and nobody else."""
        to, waiting = self._asked.get(answer.id, (None, None))
        if waiting is not None and not waiting.done() and jid.parse(answer.sender) == to:
            waiting.set_result(answer)
