"""A connected resource (RFC 6120, section 1.4): what a client is once it is bound, also while its connection is cut.

What is written is bounded by what the other end takes: above that nothing is taken from the session, which keeps references only.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hongyan.core.errors import HongyanError
from hongyan.core.ids import id_from_bits
from hongyan.core.model import Caller
from hongyan.gateways.xmpp.around import Around
from hongyan.gateways.xmpp.codec import Element, error_of, quote
from hongyan.gateways.xmpp.elsewhere import gone
from hongyan.gateways.xmpp.faults import STANZA_ERRORS, StanzaFault, StreamFault, of
from hongyan.gateways.xmpp.inbox import Inbox
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.outgoing import Outgoing
from hongyan.gateways.xmpp.reach import Reach
from hongyan.gateways.xmpp.smacks import SM, Ledger, counter
from hongyan.gateways.xmpp.wire import Carrier
from hongyan.messaging import Session, Verdict

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.house import House
    from hongyan.gateways.xmpp.rooms import Joined
    from hongyan.gateways.xmpp.stream import Stream

_RESUME_SECONDS = 300
_ASKED = 20
"""Questions to a client that may be without an answer."""
_MUC = "http://jabber.org/protocol/muc"

_STANZAS = frozenset({"jabber:client message", "jabber:client presence", "jabber:client iq"})


class Resource:
    def __init__(self, house: "House", jid: Jid, caller: Caller) -> None:
        self.house = house
        self.jid = jid
        self.quoted = quote(str(jid))
        """For an attribute."""
        self.caller = caller
        self.user = caller.user
        self.session: Session
        self.stream: Carrier | None = None
        self.ledger: Ledger | None = None
        self.inbox = Inbox(self)
        self.priority: int | None = None
        """None until it is available (RFC 6121, section 4.2), and when it is not any more."""
        self.appeared = False
        """It was available, and not only for others to write to (a negative priority)."""
        self.archive_asked = False
        """It has asked the archive of the account: it knows what came while nobody was there."""
        self.since = 0
        """The position of the log when it was bound: what is above comes by itself."""
        self.carbons = False
        self.replaced = False
        """Another stream is about to bind its name."""
        self.rooms: dict[str, Joined] = {}
        """By conversation."""
        self.addresses: dict[str, str] = {}
        """Conversations by the local part of the address at which they were joined last."""
        self.new_rooms: dict[str, str] = {}
        """Names of rooms that it is about to make, with the nickname there."""
        self.directed: set[Jid] = set()
        """At other servers, who was told by it that it is there."""
        self.around = Around()
        self.outgoing = Outgoing(self)
        self._full = False
        self._detached: asyncio.TimerHandle | None = None
        self.reach = Reach(self)
        self._over = False
        self._takers: dict[asyncio.Future[None], asyncio.Task[Any] | None] = {}
        """What waits until it takes something."""

    async def begin(self) -> None:
        """Raises what `Sessions.open` raises."""
        self.session = await self.house.messaging.sessions.open(self.caller, "xmpp", None, self._wake, self._verdict)
        self.since = self.house.messaging.log.position

    # The stream it has

    def attach(self, stream: "Stream") -> None:
        self.stream = stream

    def acknowledges(self, handled: int | None) -> bool:
        """It may go on from there."""
        ledger = self.ledger
        if self._over or handled is None or ledger is None:
            return False
        return ledger.resumable and not ledger.lost and ledger.could_be(handled)

    async def settle(self) -> None:
        """Part with the connection and wait until everything that came over it is handled: what is still under way would be sent
        again, and counted twice.
        """
        self._let_go()
        await self.inbox.all_handled()
        self._let_go()  # somebody else may have gone on meanwhile

    def _let_go(self) -> None:
        if self.stream is not None:  # the old connection is not known to be dead yet
            old = self.stream
            self.parted(old)
            old.fail(StreamFault("conflict", "Resumed over another connection"))

    def resume(self, stream: "Stream", handled: int, tell: Callable[[str], None]) -> None:
        """Go on over another connection (XEP-0198, section 5), when it has settled; `tell` says so before anything else is
        written.
        """
        ledger = self.ledger
        if ledger is None:
            raise StreamFault("internal-server-error")
        if self._detached is not None:
            self._detached.cancel()
            self._detached = None
        ledger.acknowledged(handled)
        self.reach.heard()
        self.stream = stream
        self._full = False
        tell(f"<resumed xmlns='{SM}' previd='{ledger.id}' h='{self.inbox.handled.count}'/>")
        for stanza in ledger.waiting:
            stream.write(stanza)
        stream.write(f"<r xmlns='{SM}'/>")
        self.reach.asked()
        self._wake()

    def ended(self, stream: "Stream") -> None:
        """The client has said good-bye."""
        if stream is self.stream:
            self.house.people.leave(self)
            self.ledger_off()
            self._end_when_handled()

    def parted(self, stream: Carrier) -> None:
        """The connection is gone. What may be resumed waits for a while."""
        if stream is not self.stream:
            return
        self.stream = None
        self._full = False
        self._release()
        ledger = self.ledger
        if ledger is None or not ledger.resumable or ledger.lost or self._over or self.house.stopping:
            self._end_when_handled()
        else:
            self.reach.lost()
            self._detached = asyncio.get_running_loop().call_later(_RESUME_SECONDS, self.end)

    def _end_when_handled(self) -> None:
        """What has come is done also for who goes at once."""
        if self.inbox.handled.under_way and not self._over and not self.house.stopping:
            self.house.task(self._handle_and_end())
        else:
            self.end()

    async def _handle_and_end(self) -> None:
        with contextlib.suppress(TimeoutError):
            await self.inbox.all_handled()
        self.end()

    def yield_to_another(self) -> None:
        """Another stream has bound its name."""
        self.close(StreamFault("conflict", "Another client has taken this resource"))

    def end(self) -> None:
        self.close(None)

    def close(self, fault: StreamFault | None) -> None:
        if self._over:
            return
        self.moved()
        begun = hasattr(self, "session")
        if begun:
            self.reach.lost()
        self._over = True
        self._release()
        if self._detached is not None:
            self._detached.cancel()
        self.inbox.close()
        self.outgoing.close()
        gone(self)
        self.house.forget(self)
        self.house.people.gone(self)
        if begun:
            self.session.close()
        stream, self.stream = self.stream, None
        if stream is not None:
            if fault is not None:
                stream.fail(fault)
            else:
                stream.close()
        self.house.leaving(self._log_out())

    async def _log_out(self) -> None:
        try:
            await self.house.identity.logout(self.caller)
        except HongyanError as error:
            self.house.log.debug("the token of a resource could not be ended: %s", error)

    def _verdict(self, verdict: Verdict) -> None:
        if self.replaced:
            self.yield_to_another()
            return
        conditions = {
            "login": "not-authorized",
            "stop": "policy-violation",
            "later": "system-shutdown",
            "resume": "system-shutdown",
        }
        self.close(StreamFault(conditions[verdict.do], verdict.reason))

    # What comes

    def received(self, element: Element) -> None:
        if element.name in _STANZAS:
            self.house.counts.stanzas_in += 1
            self.inbox.put(element)
        elif element.space == SM:
            self._managed(element)
        elif element.name == "urn:xmpp:csi:0 active" or element.name == "urn:xmpp:csi:0 inactive":
            self.outgoing.active(element.local == "active")
        else:
            self.close(StreamFault("unsupported-stanza-type"))

    def _managed(self, element: Element) -> None:
        """XEP-0198."""
        match element.local:
            case "r" if self.ledger is not None:
                self.raw(f"<a xmlns='{SM}' h='{self.inbox.handled.count}'/>")
            case "a" if self.ledger is not None:
                handled = counter(element.get("h"))
                try:
                    if handled is None:
                        raise StreamFault("undefined-condition", "An acknowledgement has a number")
                    again = self.ledger.acknowledged(handled)
                except StreamFault as fault:
                    self.close(fault)
                    return
                self.reach.heard()
                if again:
                    self.raw(f"<r xmlns='{SM}'/>")
                    self.reach.asked()
                self.moved()
                self._wake()
            case "enable" if self.ledger is None:
                self.raw(self.enable(element))
            case _:
                self.raw(f"<failed xmlns='{SM}'><unexpected-request xmlns='{STANZA_ERRORS}'/></failed>")

    def enable(self, element: Element) -> str:
        """Of `<enable/>`: what to answer."""
        resume = element.get("resume") in ("true", "1")
        self.inbox.handled.restart()
        self.ledger = Ledger(id_from_bits(self.house.random(20)), resume)
        if resume:
            self.house.may_resume(self)
            return f"<enabled xmlns='{SM}' id='{self.ledger.id}' resume='true' max='{_RESUME_SECONDS}'/>"
        return f"<enabled xmlns='{SM}'/>"

    def ledger_off(self) -> None:
        if self.ledger is not None:
            self.ledger.resumable = False

    # What goes

    def raw(self, xml: str) -> None:
        """Something that is no stanza."""
        if self.stream is not None:
            self.stream.write(xml)

    def send(self, stanza: str) -> None:
        """One stanza. Without a connection it waits for one, if there may be one again."""
        self.house.counts.stanzas_out += 1
        ask = self.ledger.wrote(stanza, self.outgoing.upto) if self.ledger is not None else False
        if self.stream is not None:
            self.stream.write(stanza)
            if ask:
                self.raw(f"<r xmlns='{SM}'/>")
                self.reach.asked()
        if self.ledger is not None and self.ledger.lost:
            self.close(StreamFault("policy-violation", "Too much is not acknowledged"))

    def ask(self) -> None:
        """Whether the client is there: it has to answer."""
        if self.ledger is not None:
            self.raw(f"<r xmlns='{SM}'/>")
            self.reach.asked()
        else:
            to = self.quoted
            self.send(f"<iq type='get' id='there' from='{self.house.domain}' to='{to}'><ping xmlns='urn:xmpp:ping'/></iq>")

    def query(self, inside: str, answered: Callable[[Element], None]) -> None:
        """Ask the client; `answered` gets the result, if it ever comes."""
        asked = self.around.asked
        while len(asked) >= _ASKED:
            del asked[next(iter(asked))]
        id = self.house.fresh_id()
        asked[id] = answered
        to = self.quoted
        self.send(f"<iq type='get' id='{id}' from='{quote(self.house.domain)}' to='{to}'>{inside}</iq>")

    def push(self, inside: str) -> None:
        """A set from one's own account (RFC 6121, section 2.1.6; XEP-0191)."""
        to = self.quoted
        self.send(f"<iq type='set' id='{self.house.fresh_id()}' from='{quote(str(self.jid.bare))}' to='{to}'>{inside}</iq>")

    def answered(self, iq: Element) -> None:
        """A result or an error came."""
        waiting = self.around.asked.pop(iq.get("id"), None)
        if waiting is not None and iq.get("type") == "result":
            waiting(iq)

    def result(self, iq: Element, inside: str = "", *, sender: Jid | None = None) -> None:
        by = f" from='{quote(str(sender))}'" if sender is not None else ""
        self.send(f"<iq type='result' id='{quote(iq.get('id'))}' to='{self.quoted}'{by}>{inside}</iq>")

    def refuse(self, stanza: Element, error: StanzaFault | HongyanError) -> None:
        """Tell what is wrong with a stanza (RFC 6120, section 8.3). Errors and results are not answered."""
        if stanza.get("type") in ("error", "result"):
            return
        fault = of(error) if isinstance(error, HongyanError) else error
        by = f" from='{quote(stanza.attributes['to'])}'" if "to" in stanza.attributes else ""
        id = f" id='{quote(stanza.attributes['id'])}'" if "id" in stanza.attributes else ""
        of_room = f"<x xmlns='{_MUC}'/>" if stanza.child(f"{_MUC} x") is not None else ""  # clients look for it (XEP-0045, 7.2)
        self.send(f"<{stanza.local} type='error' to='{self.quoted}'{by}{id}>{of_room}{error_of(fault)}</{stanza.local}>")

    def moved(self) -> None:
        """Its client has everything up to some position, as far as is known: written, or acknowledged where it does so."""
        before = self.ledger.before if self.ledger is not None else None
        upto = self.outgoing.upto if before is None else before
        if upto and self.appeared and not self._over:
            self.house.xmpp.positions.moved(self.user, upto)

    def full(self, stream: "Stream") -> None:
        if stream is self.stream:
            self._full = True

    def room(self, stream: "Stream") -> None:
        if stream is self.stream:
            self._full = False
            self._wake()

    async def may_take(self) -> None:
        """Wait until it takes what is written; without a connection there is nobody to wait for."""
        while self.stream is not None and not self.may_write and not self._over:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._takers[future] = asyncio.current_task()
            if self.waits_for_acks:
                self.inbox.hear()
            await future

    @property
    def waits_for_acks(self) -> bool:
        """What came goes on when something is acknowledged."""
        return self.ledger is not None and self.ledger.full and self.inbox.task in self._takers.values()

    def _release(self) -> None:
        waiting, self._takers = self._takers, {}
        for future in waiting:
            if not future.done():
                future.set_result(None)

    @property
    def may_write(self) -> bool:
        """There is a connection, and it takes what is written."""
        return self.stream is not None and self.has_room

    @property
    def has_room(self) -> bool:
        """It takes what is written, now or when it comes back. Over that it is given nothing that others make up."""
        return not self._full and not (self.ledger is not None and self.ledger.full)

    def _wake(self) -> None:
        if self.may_write:
            if self._takers:
                self._release()
            if self.around.stale:
                self.house.people.catch_up(self)
        elif self._takers and self.waits_for_acks:
            self.inbox.hear()
        self.outgoing.wake()

    def flush(self) -> None:
        self.outgoing.flush()

    def __repr__(self) -> str:
        return f"<Resource {self.jid}>"
