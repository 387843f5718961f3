"""People of other servers: what they say is handled as from any client, and what they are told goes to their server."""

import asyncio
import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from xml.sax.saxutils import unescape

from hongyan.core.errors import HongyanError, RateLimited
from hongyan.core.model import WRITTEN, Caller, Event
from hongyan.features.xmpp import Subscription, decode_change, is_remote
from hongyan.gateways.door.rates import Rates
from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.codec import Element, error_of, quote, render
from hongyan.gateways.xmpp.faults import STANZA_ERRORS, StanzaFault, StreamFault, nothing, of
from hongyan.gateways.xmpp.house import Recent
from hongyan.gateways.xmpp.incoming import received
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.messages import shown_id
from hongyan.gateways.xmpp.s2s.visitor import Visitor
from hongyan.gateways.xmpp.saying import BODY

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.house import House
    from hongyan.gateways.xmpp.s2s.federation import Federation

log = logging.getLogger("hongyan.xmpp.s2s")

_SENDER = re.compile(r" from='([^']*)'")
_QUOTES = {"&apos;": "'", "&quot;": '"'}
_ASKED = frozenset(
    (
        "http://jabber.org/protocol/disco#info query",
        "http://jabber.org/protocol/disco#items query",
        "urn:xmpp:ping ping",
        "jabber:iq:version query",
        "urn:xmpp:time time",
        "urn:xmpp:mam:2 query",
        "urn:xmpp:mam:2 metadata",
    )
)
_ASKED_OF_PEOPLE = frozenset((*_ASKED, "http://jabber.org/protocol/pubsub pubsub"))
_STATES = "http://jabber.org/protocol/chatstates"
_SAID = frozenset(
    (
        BODY,
        "urn:xmpp:receipts received",
        "urn:xmpp:chat-markers:0 displayed",
        "urn:xmpp:reactions:0 reactions",
        "urn:xmpp:message-retract:1 retract",
        *(f"{_STATES} {state}" for state in ("active", "composing", "paused", "inactive", "gone")),
    )
)
"""What a message to somebody has in it, of which one is enough."""
_VISITORS = 10_000
_OF_A_DOMAIN = 2_000
_RETURNED = 20_000
_IDLE_SECONDS = 300.0
_HANDLE_SECONDS = 30.0
_DAY = 86_400
_UNREACHABLE = frozenset(
    ("gone", "item-not-found", "recipient-unavailable", "redirect", "remote-server-not-found", "remote-server-timeout")
)


class Telling:
    """An event under way to somebody: `done` is called when no stanza of it waits any more."""

    def __init__(self, event: Event, done: Callable[[], None]) -> None:
        self.event = event
        self._done = done
        self._holds = 0

    def hold(self) -> None:
        self._holds += 1

    def let_go(self) -> None:
        self._holds -= 1
        if not self._holds:
            self._done()

    def __enter__(self) -> "Telling":
        self.hold()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()


class Visitors:
    def __init__(self, house: "House", federation: "Federation") -> None:
        settings = house.settings.xmpp
        self._house = house
        self._federation = federation
        self._server = Jid("", house.domain)
        self._known: dict[str, dict[Jid, Visitor]] = {}
        """By domain; the least recently heard first."""
        self._count = 0
        self._returned = Recent(_RETURNED)
        """Messages (conversation and place) of which it was told that they did not come."""
        self._correspondents: dict[str, Visitor] = {}
        """By user: wherever they are connected."""
        self._rates = Rates(settings.s2s_stanzas_per_second, int(4 * settings.s2s_stanzas_per_second))
        self._sites = Rates(10 * settings.s2s_stanzas_per_second, int(40 * settings.s2s_stanzas_per_second))
        """By where servers are: one machine may serve many domains, or have made them up."""
        new = settings.s2s_newcomers_per_day
        self._newcomers = Rates(new / _DAY, max(1, new // 2))

    def stop(self) -> None:
        for visitor in self._all():
            visitor.end()

    def sweep(self, now: float) -> None:
        """Whoever was not heard for long, and is in no room, goes."""
        for visitor in self._all():
            if not visitor.rooms and now - visitor.last > _IDLE_SECONDS:
                visitor.end()

    # What they say

    async def received(self, stanza: Element, sender: Jid, to: Jid, at: str) -> None:
        """From a server that may speak for the sender; `at` is where that is. Raises StreamFault."""
        try:
            self._rates.spend(sender.domain)
            self._sites.spend(at)
        except RateLimited as error:
            raise StreamFault("policy-violation", error.detail) from None
        self._house.counts.stanzas_in += 1
        stanza = as_client(stanza)
        stanza.attributes["from"] = str(sender)
        stanza.attributes["to"] = str(to)
        _strip(stanza, self._federation.domains)
        if stanza.local == "iq" and stanza.get("type") in ("result", "error") and to == self._server:
            self._federation.asking.answered(stanza, sender)
            return
        if stanza.get("type") == "error" and not (to.resource and to.domain == self._federation.domain):
            await self._came_back(stanza, sender, to)
            return
        if stanza.local == "presence" and to.local and to.domain == self._federation.domain and not self._is_directed(stanza, to):
            await self._federation.subscribing.heard(stanza, sender, to)
            return
        if to.resource and to.domain == self._federation.domain and self._to_client(stanza, sender, to):
            return
        if not sender.local or not self._may(stanza, to):
            self._unanswered(stanza)
            return
        try:
            if stanza.local == "presence" or stanza.child(BODY) is not None:
                await self.meet(jid.family(sender.domain), str(sender.bare))
            elif stanza.local == "message" and not await self._house.xmpp.remotes.knows(str(sender.bare)):
                return  # signs of a stranger's
            visitor = self._visitor(sender)
            if stanza.local == "presence" and not stanza.get("type"):
                await visitor.begin()
        except HongyanError as error:
            log.info("a stanza of %s is not taken: %s", sender.domain, error.detail)
            self._refuse(stanza, of(error))
            return
        done = asyncio.Event()
        try:
            work = received(visitor, stanza, done.set)
            if work is None or not await work:
                async with asyncio.timeout(_HANDLE_SECONDS):  # the next one waits: what comes is bounded
                    await done.wait()
        except (StanzaFault, HongyanError) as error:
            visitor.refuse(stanza, error)
        except TimeoutError:
            log.warning("a stanza of %s was not handled in time", sender.domain)
        except StreamFault:
            raise
        except Exception:
            log.exception("a stanza of %s could not be handled", sender.domain)
            visitor.refuse(stanza, StanzaFault("internal-server-error"))

    @staticmethod
    def _is_directed(presence: Element, to: Jid) -> bool:
        return bool(to.resource) and presence.get("type") in ("", "unavailable")

    async def _came_back(self, stanza: Element, sender: Jid, to: Jid) -> None:
        """What was sent to them by one of our people, or a room: who cannot be reached is in no room (XEP-0045, section 9.9)."""
        error = stanza.child("jabber:client error")
        if to.domain == self._federation.domain:
            if error is not None and await self._is_ours(stanza, error, sender.bare, to.local):
                self._house.clients.tell(to, render(stanza), sender)
            return
        visitor = self._known.get(sender.domain, {}).get(sender)
        if visitor is not None and error is not None and any(part.local in _UNREACHABLE for part in error.children):
            visitor.end()

    async def _is_ours(self, stanza: Element, error: Element, theirs: Jid, user: str) -> bool:
        """What their server does not take was said by us, as far as that is known."""
        if stanza.local == "message":
            return await self._refused(stanza.get("id"), error, theirs, user)
        if stanza.local != "presence":
            return False
        try:
            return await self._house.xmpp.subscriptions.get(user, str(theirs)) != Subscription()
        except HongyanError:
            return False

    async def _refused(self, id: str, error: Element, theirs: Jid, user: str) -> bool:
        """A message of ours."""
        xmpp = self._house.xmpp
        caller = Caller(user, user, False, f"s2s:{theirs}", "XMPP")
        try:
            lane = await xmpp.places.between(user, str(theirs))
            if lane is None:
                return False
            event = await xmpp.finding.message(caller, lane, id, (user,), room=False)
        except HongyanError:
            return False
        if event.sender != user:
            return False
        conditions = [part.local for part in error.children if part.space == STANZA_ERRORS and part.local != "text"]
        text = error.said(f"{STANZA_ERRORS} text") or ""
        self._did_not_come(event, theirs, conditions[0] if conditions else "undefined-condition", text)
        return True

    def _did_not_come(self, event: Event, to: Jid, reason: str, text: str) -> None:
        """Once for each message, to whoever reads the conversation."""
        if (event.lane, str(event.seq)) not in self._returned:
            self._returned.add((event.lane, str(event.seq)))
            self._house.people.later(self._house.xmpp.returned.tell(event, str(to), reason, text))

    def _to_client(self, stanza: Element, sender: Jid, to: Jid) -> bool:
        """To one client, which has let the sender know of it, or has asked it; whether that was its end. A message that somebody
        else sends to a client is one to the account.
        """
        clients, answer = self._house.clients, stanza.get("type") in ("result", "error")
        if stanza.local == "iq" and not answer:
            try:
                clients.ask(to, stanza, sender, known=True)
            except StanzaFault as fault:
                self._refuse(stanza, fault)
            return True
        if stanza.local == "iq":
            clients.answer(to, stanza, sender)
            return True
        target = self._house.resources.get(to.local, {}).get(to.resource)
        if target is not None and not target.around.blocks(sender) and (answer or sender.bare in target.directed):
            if target.has_room:
                target.send(render(stanza))
            return True
        if stanza.local == "message" and stanza.get("type", "normal") in ("chat", "normal"):
            return False
        if target is None:
            clients.tell(to, render(stanza), sender, known=not answer)
        return True

    def _may(self, stanza: Element, to: Jid) -> bool:
        """What people of other servers may do here: write to somebody, be in rooms, and ask what there is."""
        if to.domain == self._house.rooms_domain:
            return stanza.local != "iq" or any(part.name in _ASKED for part in stanza.children)
        if stanza.local == "iq":
            asked = _ASKED if not to.local else _ASKED_OF_PEOPLE if stanza.get("type") == "get" else frozenset()
            return any(part.name in asked for part in stanza.children)
        return stanza.local == "message" and any(part.name in _SAID for part in stanza.children)

    def _unanswered(self, stanza: Element) -> None:
        if stanza.local == "iq" and stanza.get("type") in ("get", "set"):
            self._refuse(stanza, StanzaFault("service-unavailable"))

    def _refuse(self, stanza: Element, fault: StanzaFault) -> None:
        """Without a visitor that could."""
        if stanza.get("type") in ("error", "result"):
            return
        back = f"from='{quote(stanza.get('to'))}' to='{quote(stanza.get('from'))}' id='{quote(stanza.get('id'))}'"
        sender, to = jid.parse(stanza.get("from")), jid.parse(stanza.get("to"))
        told = f"<{stanza.local} type='error' {back}>{error_of(fault)}</{stanza.local}>"
        self._federation.send(told, to.domain, sender.domain, nothing)

    def _visitor(self, sender: Jid) -> Visitor:
        mine = self._known.get(sender.domain, {})
        found = mine.pop(sender, None)
        if found is None:
            self._make_room(sender.domain)
            found = Visitor(self._house, self, sender)
            self._count += 1
        self._known.setdefault(sender.domain, {})[sender] = found
        found.last = asyncio.get_running_loop().time()
        return found

    def _make_room(self, domain: str) -> None:
        """Whoever was not heard for longest goes: of this domain when it has its share, else of the one that has most."""
        mine = self._known.get(domain, {})
        if len(mine) >= _OF_A_DOMAIN:
            next(iter(mine.values())).end()
        elif self._count >= _VISITORS:
            next(iter(max(self._known.values(), key=len).values())).end()

    async def meet(self, payer: str, user: str) -> None:
        """There is somebody of this address from now on; `payer` may bring so many a day. Raises RateLimited, Overloaded."""
        remotes = self._house.xmpp.remotes
        if not await remotes.knows(user):
            self.newcomer(payer)
            await remotes.meet(user, self._house.now())

    def newcomer(self, payer: str) -> None:
        """Somebody was never heard before. Raises RateLimited."""
        self._newcomers.spend(payer)

    def gone(self, visitor: Visitor) -> None:
        """It has ended: who comes again is another one."""
        mine = self._known.get(visitor.jid.domain, {})
        if mine.get(visitor.jid) is visitor:
            del mine[visitor.jid]
            self._count -= 1
            if not mine:
                del self._known[visitor.jid.domain]

    def _all(self) -> list[Visitor]:
        return [visitor for mine in self._known.values() for visitor in mine.values()]

    # What they are told

    async def forward(self, event: Event, done: Callable[[], None], patience: float) -> None:
        """An event to those of other servers whom it is for; see `Forwarding`."""
        with Telling(event, done) as telling:
            place = await self._house.xmpp.places.find(event.lane)
            people = place.pair if place.pair is not None else _named(event)
            shape = self._house.table.events.get(("direct" if place.pair is not None else "room", event.type))
            for user in people:
                if shape is None or not is_remote(user) or event.sender == user:
                    continue
                correspondent = self._correspondent(user)
                await self._federation.room(self._federation.domain, correspondent.jid.domain, patience)
                correspondent.telling = telling
                work = shape(correspondent, event, place)
                if work is not None:
                    await work

    def _correspondent(self, user: str) -> Visitor:
        """Somebody of another server, wherever they are connected."""
        found = self._correspondents.get(user)
        if found is None:
            while len(self._correspondents) >= _VISITORS:
                del self._correspondents[next(iter(self._correspondents))]
            found = self._correspondents[user] = Visitor(self._house, self, jid.parse(user))
            found.priority = 0
        return found

    def told(self, visitor: Visitor, stanza: str) -> None:
        """Who says it stands in its head. That it did not arrive is told to who wrote it."""
        to, telling = visitor.jid, visitor.telling
        sender = _SENDER.search(stanza[: stanza.index(">")])
        local = jid.parse(unescape(sender[1], _QUOTES)).domain if sender is not None else self._federation.domain

        def over(fault: StanzaFault | None) -> None:
            if telling is not None:
                if fault is not None:
                    self._undelivered(telling.event, to, fault)
                telling.let_go()
            elif fault is not None and fault.condition in _UNREACHABLE:
                visitor.end()

        if telling is not None:
            telling.hold()
        self._federation.send(stanza, local, to.domain, over)

    def _undelivered(self, event: Event, to: Jid, fault: StanzaFault) -> None:
        """To the XMPP clients of the sender as an error, and to whoever reads the conversation by an event."""
        if event.sender is None or event.type not in WRITTEN:
            return
        self._did_not_come(event, to, fault.condition, fault.text)
        sender, house = self._house.jid(event.sender), self._house
        head = (
            f"type='error' from='{quote(str(to))}' to='{quote(str(sender))}' id='{quote(shown_id(event.client_id, event.seq))}'"
        )
        house.clients.tell(sender, f"<message {head}>{error_of(fault)}</message>", to)


def _named(event: Event) -> list[str]:
    """Who is in it from the beginning, or from now on."""
    change = decode_change(event.content)
    return [person.id for person in (*change.members, *change.users)]


def _strip(stanza: Element, domains: frozenset[str]) -> None:
    """What only this server may say of a stanza."""

    def forged(part: Element) -> bool:
        if part.name == "urn:xmpp:sid:0 stanza-id":
            return any(part.get("by") == domain or part.get("by").endswith(f"@{domain}") for domain in domains)
        return part.space in ("urn:xmpp:carbons:2", "urn:xmpp:mam:2")

    stanza.inside = [part for part in stanza.inside if isinstance(part, str) or not forged(part)]


def as_client(element: Element) -> Element:
    """The same in the namespace of clients: the streams of servers have one of their own."""
    element.name = _client_name(element.name)
    for part in element.children:
        as_client(part)
    return element


def _client_name(name: str) -> str:
    return f"jabber:client {name[14:]}" if name.startswith("jabber:server ") else name
