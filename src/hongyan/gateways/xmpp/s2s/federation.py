"""All streams to and from other servers: whom we talk to, and where a stanza goes."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from OpenSSL import SSL

from hongyan.core.errors import Forbidden, Invalid
from hongyan.core.model import Caller
from hongyan.finding import public_address, resolver
from hongyan.gateways.door.lent import Stream as Shown
from hongyan.gateways.door.peers import site
from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.faults import Over, StanzaFault
from hongyan.gateways.xmpp.jid import BadJid
from hongyan.gateways.xmpp.s2s.asking import Asking
from hongyan.gateways.xmpp.s2s.incoming import Incoming
from hongyan.gateways.xmpp.s2s.link import Link
from hongyan.gateways.xmpp.s2s.route import Route
from hongyan.gateways.xmpp.s2s.subscribing import Subscribing
from hongyan.gateways.xmpp.s2s.visitors import Visitors

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.house import House

log = logging.getLogger("hongyan.xmpp.s2s")

_SWEEP_SECONDS = 60.0
_STOP_SECONDS = 0.5
_ROUTES = 2_000
_STREAMS = 1_000
_CALLED = 50
"""Servers of one family that are called, and have not answered."""


class Federation:
    def __init__(self, house: "House", context: SSL.Context) -> None:
        settings = house.settings
        self._house = house
        self.settings = settings.xmpp
        self.context = context
        self.write_buffer = settings.limits.write_buffer
        self.name_server = settings.dns.server
        self.domain = house.domain
        self.domains = frozenset({house.domain, house.rooms_domain})
        self.secret = house.xmpp.secret
        self.random = house.random
        self.counts = house.counts
        self.log = log
        self.stopping = False
        self.waiting = 0
        """Characters of stanzas that wait, for all servers."""
        self._routes: dict[tuple[str, str], Route] = {}
        self._incoming: set[Incoming] = set()
        self._sites: Counter[str] = Counter()
        """Connections of others, by where they come from."""
        self.asking = Asking(house, self)
        self.visitors = Visitors(house, self)
        self.subscribing = Subscribing(house, self)
        house.messaging.conversations.through(self.find)
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        await self.subscribing.start()
        self._timer = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep)

    async def stop(self) -> None:
        """Streams that stand may take what waits, for a moment."""
        self.subscribing.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                for route in [one for one in self._routes.values() if one.how]:
                    await route.empty()
        self.stopping = True
        if self._timer is not None:
            self._timer.cancel()
        for incoming in list(self._incoming):
            incoming.close()
        for route in list(self._routes.values()):
            route.close()
        self.visitors.stop()

    def task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._house.task(work)

    def streams(self) -> dict[Shown, Callable[[], None]]:
        """With how each is ended."""
        found = {
            Shown(f"out-{route.local}-{route.remote}", "server-out", route.remote, route.how, route.count): route.close
            for route in self._routes.values()
            if route.stands
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
        ours = domain in self.domains or domain == self._house.upload_domain
        return not ours and not listed(denied) and (not allowed or listed(allowed))

    async def find(self, caller: Caller, address: str) -> str:
        """See `messaging.conversations.Elsewhere`. Raises Invalid, Forbidden, RateLimited, Overloaded."""
        try:
            who = jid.parse(address).bare
        except BadJid as error:
            raise Invalid(str(error)) from None
        if not who.local:
            raise Invalid("The address of a person is NAME@DOMAIN")
        user = self._house.user(who)
        if who.domain != self.domain and not await self._house.xmpp.remotes.knows(user):
            if not self.allows(who.domain):
                raise Forbidden(f"This server does not talk to people of {who.domain}")
            self._house.changes.spend(caller.user)
            await self.visitors.meet(caller.user, user)
        return user

    async def address(self, host: str) -> str:
        """Of a host that another server has named. Raises NotPublicError, OSError, CannotFind."""
        asked = None if self.name_server is None else resolver(self.name_server)
        return await public_address(host, private=self.settings.s2s_private_addresses, resolver=asked)

    # Out

    def send(self, stanza: str, local: str, remote: str, over: Over) -> None:
        """From one of our domains to another server. `over` is called when it was sent, or with why it could not be."""
        if self.stopping or not self.allows(remote):
            over(StanzaFault("not-allowed" if not self.stopping else "remote-server-timeout"))
            return
        route = self._routes.get((local, remote))
        if route is None:
            if len(self._routes) >= _ROUTES and not self._make_room():
                over(StanzaFault("resource-constraint", "There are as many streams to other servers as there may be"))
                return
            route = Route(self, local, remote)
            if sum(one.family == route.family and not one.how for one in self._routes.values()) >= _CALLED:
                over(StanzaFault("resource-constraint", f"Too many servers below {route.family} do not answer"))
                return
            self._routes[local, remote] = route
        self._house.counts.stanzas_out += 1
        route.send(stanza, over)

    async def room(self, local: str, remote: str, seconds: float) -> None:
        """Wait so long at most while much waits for another server."""
        route = self._routes.get((local, remote))
        if route is not None and seconds > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await route.room()

    def _make_room(self) -> bool:
        """By ending a stream on which nothing waits, the oldest first."""
        idle = next((one for one in self._routes.values() if not one.count), None)
        if idle is not None:
            idle.close()
            self.forget(idle)
        return idle is not None

    def forget(self, route: Route) -> None:
        if self._routes.get((route.local, route.remote)) is route:
            del self._routes[route.local, route.remote]

    # In

    def accepted(self) -> Link:
        """A connection of another server."""
        return _Accepted(self)

    def connected(self, link: Link) -> None:
        at = site(link.address)
        if self.stopping or len(self._incoming) >= _STREAMS or self._sites[at] >= self.settings.s2s_per_address:
            link.abort()
            return
        incoming = Incoming(self, link)
        self._incoming.add(incoming)
        self._sites[at] += 1
        self.task(self._serve(incoming, at))

    async def _serve(self, incoming: Incoming, at: str) -> None:
        try:
            await incoming.run()
        finally:
            self._incoming.discard(incoming)
            self._sites[at] -= 1
            self._sites += Counter()  # without those that have none

    def _sweep(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep)
        for route in [one for one in self._routes.values() if one.idle]:
            self.forget(route)
        self.visitors.sweep(asyncio.get_running_loop().time())


class _Accepted(Link):
    """Tells the federation when it is there."""

    def __init__(self, federation: Federation) -> None:
        super().__init__(federation.settings.stranger_bytes, federation.write_buffer)
        self._federation = federation

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._federation.connected(self)
