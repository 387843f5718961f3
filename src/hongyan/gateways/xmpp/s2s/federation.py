"""All streams to and from other servers: whom we talk to, where a stanza goes, and what theirs ask of us."""

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import unescape

from hongyan.core.errors import HongyanError, RateLimited
from hongyan.core.model import WRITTEN, Event
from hongyan.finding import address, resolver
from hongyan.gateways.door.lent import Stream as Shown
from hongyan.gateways.door.rates import Rates
from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.codec import Element, quote, render
from hongyan.gateways.xmpp.faults import STANZA_ERRORS, StanzaFault, StreamFault
from hongyan.gateways.xmpp.incoming import received
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.messages import shown_id
from hongyan.gateways.xmpp.s2s.incoming import Incoming
from hongyan.gateways.xmpp.s2s.link import Link
from hongyan.gateways.xmpp.s2s.route import Bounce, Route
from hongyan.gateways.xmpp.s2s.visitor import Visitor

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.house import House
    from hongyan.gateways.xmpp.resource import Resource
    from hongyan.gateways.xmpp.s2s.tls import Contexts

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
_VISITORS = 10_000
_DIRECTED = 100
_IDLE_SECONDS = 300.0
_SWEEP_SECONDS = 60.0
_HANDLE_SECONDS = 30.0
_ROUTES = 2_000
_STREAMS = 1_000


class Federation:
    def __init__(self, house: "House", contexts: "Contexts | None") -> None:
        settings = house.settings
        self._house = house
        self.settings = settings.xmpp
        self.contexts = contexts
        self.write_buffer = settings.limits.write_buffer
        self.name_server = settings.dns.server
        self.domain = house.domain
        self.domains = frozenset({house.domain, house.rooms_domain})
        self.secret = house.xmpp.secret
        self.random = house.random
        self.counts = house.counts
        self.log = log
        self.stopping = False
        self._routes: dict[tuple[str, str], Route] = {}
        self._incoming: set[Incoming] = set()
        self._visitors: dict[Jid, Visitor] = {}
        self._correspondents: dict[str, Visitor] = {}
        self._rates = Rates(self.settings.s2s_stanzas_per_second, int(4 * self.settings.s2s_stanzas_per_second))
        self._forwarding: Event | None = None
        """Being told to somebody elsewhere: one at a time."""
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep)

    def stop(self) -> None:
        self.stopping = True
        if self._timer is not None:
            self._timer.cancel()
        for incoming in list(self._incoming):
            incoming.close()
        for route in list(self._routes.values()):
            route.close()
        for visitor in list(self._visitors.values()):
            visitor.end()

    def task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._house.task(work)

    def streams(self) -> dict[Shown, Callable[[], None]]:
        """With how each is ended."""
        found = {
            Shown(f"out-{route.local}-{route.remote}", "server-out", route.remote, route.how, route.count): route.close
            for route in self._routes.values()
        }
        for one in self._incoming:
            who = ", ".join(sorted({theirs for theirs, _ in one.pairs}))
            how = "" if not one.pairs else "dialback" if all(ours is not None for _, ours in one.pairs) else "external"
            found[Shown(f"in-{one.id}", "server-in", who, how, 0)] = one.close
        return found

    def allows(self, domain: str) -> bool:
        """By the lists of the settings: whoever is denied, or not on a list that there is, is not talked to."""

        def listed(names: tuple[str, ...]) -> bool:
            return any(domain == name or domain.endswith(f".{name}") for name in names)

        denied, allowed = self.settings.s2s_deny, self.settings.s2s_allow
        return domain not in self.domains and not listed(denied) and (not allowed or listed(allowed))

    async def address(self, host: str) -> str:
        """Of a host, from the name server of the settings; without one the system is asked when it connects."""
        return host if self.name_server is None else await address(host, resolver(self.name_server))

    # Out

    def send(self, stanza: str, local: str, remote: str, bounce: Bounce) -> None:
        """From one of our domains to another server. `bounce` is called when it could not be sent."""
        if self.stopping or not self.allows(remote):
            bounce(StanzaFault("not-allowed" if not self.stopping else "remote-server-timeout"))
            return
        route = self._routes.get((local, remote))
        if route is None:
            if len(self._routes) >= _ROUTES:
                bounce(StanzaFault("resource-constraint", "There are as many streams to other servers as there may be"))
                return
            route = self._routes[local, remote] = Route(self, local, remote)
        self._house.counts.stanzas_out += 1
        route.send(stanza, bounce)

    def forget(self, route: Route) -> None:
        if self._routes.get((route.local, route.remote)) is route:
            del self._routes[route.local, route.remote]

    def told(self, stanza: str, to: Jid) -> None:
        """Something that a visitor is told: who says it stands in its head. That it did not arrive is told to who wrote it."""
        event = self._forwarding
        sender = _SENDER.search(stanza[: stanza.index(">")])
        local = jid.parse(unescape(sender[1], _QUOTES)).domain if sender is not None else self.domain
        self.send(stanza, local, to.domain, lambda fault: self._undelivered(event, to, fault))

    def _undelivered(self, event: Event | None, to: Jid, fault: StanzaFault) -> None:
        """To the clients of the sender; on other doors nobody is told."""
        if event is None or event.sender is None or event.type not in WRITTEN:
            return
        sender, house = self._house.jid(event.sender), self._house
        error = f"<error type='{fault.type}'><{fault.condition} xmlns='{STANZA_ERRORS}'/></error>"
        head = (
            f"type='error' from='{quote(str(to))}' to='{quote(str(sender))}' id='{quote(shown_id(event.client_id, event.seq))}'"
        )
        house.pass_on(sender, f"<message {head}>{error}</message>", to)

    def from_client(self, resource: "Resource", stanza: Element, to: Jid) -> None:
        """As it is, from a client of ours; an error comes back to it."""
        stanza.attributes["from"], stanza.attributes["to"] = str(resource.jid), str(to)
        if (
            stanza.local == "presence"
            and not stanza.get("type")
            and to.bare not in resource.directed
            and len(resource.directed) >= _DIRECTED
        ):
            raise StanzaFault("resource-constraint", f"Presence may be sent to {_DIRECTED} addresses elsewhere")
        if stanza.local == "presence" and stanza.get("type") in ("", "unavailable"):
            resource.directed.add(to.bare) if not stanza.get("type") else resource.directed.discard(to.bare)
        self.send(render(stanza), self.domain, to.domain, lambda fault: resource.refuse(stanza, fault))

    def gone(self, resource: "Resource") -> None:
        """A client of ours is not available any more: whoever it has told of itself is told (RFC 6121, section 4.6.4)."""
        for to in resource.directed:
            bye = f"<presence type='unavailable' from='{quote(str(resource.jid))}' to='{quote(str(to))}'/>"
            self.send(bye, self.domain, to.domain, lambda fault: None)
        resource.directed.clear()

    async def forward(self, event: Event) -> None:
        """An event of a direct conversation with somebody of another server, to them."""
        house = self._house
        place = await house.xmpp.places.find(event.lane)
        for user in place.pair or ():
            if "@" not in user or event.sender == user:
                continue
            shape = house.table.events.get(("direct", event.type))
            if shape is None:
                continue
            self._forwarding = event
            try:
                work = shape(self._correspondent(user), event, place)
                if work is not None:
                    await work
            finally:
                self._forwarding = None

    def _correspondent(self, user: str) -> Visitor:
        """Somebody of another server, wherever they are connected."""
        found = self._correspondents.get(user)
        if found is None:
            while len(self._correspondents) >= _VISITORS:
                del self._correspondents[next(iter(self._correspondents))]
            found = self._correspondents[user] = Visitor(self._house, self, jid.parse(user))
            found.priority = 0
        return found

    # In

    def accepted(self) -> Link:
        """A connection of another server."""
        return _Accepted(self)

    def connected(self, link: Link) -> None:
        if self.stopping or len(self._incoming) >= _STREAMS:
            link.abort()
            return
        incoming = Incoming(self, link)
        self._incoming.add(incoming)
        self.task(self._serve(incoming))

    async def _serve(self, incoming: Incoming) -> None:
        try:
            await incoming.run()
        finally:
            self._incoming.discard(incoming)

    async def received(self, stanza: Element, sender: Jid, to: Jid) -> None:
        """From a server that may speak for the sender. Raises StreamFault."""
        try:
            self._rates.spend(sender.domain)
        except RateLimited as error:
            raise StreamFault("policy-violation", error.detail) from None
        self._house.counts.stanzas_in += 1
        stanza = as_client(stanza)
        stanza.attributes["from"] = str(sender)
        stanza.attributes["to"] = str(to)
        _strip(stanza, self.domains)
        if to.resource and to.domain == self.domain and self._to_client(stanza, sender, to):
            return
        if stanza.get("type") == "error" and to.domain == self.domain:
            self._house.pass_on(to, render(stanza), sender)  # what one of its clients has sent came back
            return
        if not sender.local or not self._may(stanza, to):
            self._unanswered(stanza)
            return
        try:
            visitor = await self._visitor(sender)
            if to.domain == self._house.rooms_domain:
                await visitor.begin()
        except HongyanError as error:
            log.info("a stanza of %s is not taken: %s", sender.domain, error.detail)
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

    def _to_client(self, stanza: Element, sender: Jid, to: Jid) -> bool:
        """To one client, which has let the sender know of it, or has asked it; whether that was its end. A message that somebody
        else sends to a client is one to the account.
        """
        target = self._house.resources.get(to.local, {}).get(to.resource)
        knows = target is not None and sender.bare in target.directed
        said = stanza.local == "message" and stanza.get("type", "normal") in ("chat", "normal")
        if target is not None and (knows or (stanza.local == "iq" and stanza.get("type") in ("result", "error"))):
            target.send(render(stanza))
        elif said:
            return False
        else:
            self._unanswered(stanza)
        return True

    def _may(self, stanza: Element, to: Jid) -> bool:
        """What people of other servers may do here: write to somebody, be in rooms, and ask what there is."""
        if to.domain == self._house.rooms_domain:
            return stanza.local != "iq" or any(part.name in _ASKED for part in stanza.children)
        if stanza.local == "iq":
            return any(part.name in _ASKED for part in stanza.children)
        return stanza.local == "message" and stanza.child("jabber:client body") is not None

    def _unanswered(self, stanza: Element) -> None:
        if stanza.local == "iq" and stanza.get("type") in ("get", "set"):
            self._refuse(stanza, "service-unavailable")

    def _refuse(self, stanza: Element, condition: str) -> None:
        fault = StanzaFault(condition)
        back = f"from='{quote(stanza.get('to'))}' to='{quote(stanza.get('from'))}' id='{quote(stanza.get('id'))}'"
        error = f"<error type='{fault.type}'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
        sender, to = jid.parse(stanza.get("from")), jid.parse(stanza.get("to"))
        self.send(f"<{stanza.local} type='error' {back}>{error}</{stanza.local}>", to.domain, sender.domain, lambda fault: None)

    async def _visitor(self, sender: Jid) -> Visitor:
        now = asyncio.get_running_loop().time()
        found = self._visitors.get(sender)
        if found is None:
            await self._house.xmpp.remotes.meet(str(sender.bare), self._house.now())
            found = self._visitors.get(sender)
        if found is None:
            while len(self._visitors) >= _VISITORS:
                next(iter(self._visitors.values())).end()
            found = self._visitors[sender] = Visitor(self._house, self, sender)
        found.last = now
        return found

    def gone_visitor(self, visitor: Visitor) -> None:
        """It has ended: who comes again is another one."""
        if self._visitors.get(visitor.jid) is visitor:
            del self._visitors[visitor.jid]

    def _sweep(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep)
        now = asyncio.get_running_loop().time()
        for route in [one for one in self._routes.values() if one.idle]:
            self.forget(route)
        for visitor in list(self._visitors.values()):
            if not visitor.rooms and now - visitor.last > _IDLE_SECONDS:
                visitor.end()


class _Accepted(Link):
    """Tells the federation when it is there."""

    def __init__(self, federation: Federation) -> None:
        super().__init__(federation.settings.stanza_bytes, federation.write_buffer)
        self._federation = federation

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._federation.connected(self)


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
