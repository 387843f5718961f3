"""Presence across servers (RFC 6121, sections 3 and 4): to see somebody is asked, granted, refused and ended; what somebody shows
of themselves goes to those who may see it, from one node.
"""

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hongyan.core.errors import HongyanError, Invalid, NotFound, RateLimited
from hongyan.features.xmpp import Change, Circle, Subscription
from hongyan.gateways.door.rates import Rates
from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.codec import Element, quote, render
from hongyan.gateways.xmpp.faults import Over, StanzaFault, nothing
from hongyan.gateways.xmpp.jid import BadJid, Jid
from hongyan.gateways.xmpp.shown import shown

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.house import House
    from hongyan.gateways.xmpp.resource import Resource
    from hongyan.gateways.xmpp.s2s.federation import Federation

_LOOK_SECONDS = 1.0
_GONE_SECONDS = 30.0
_PROBES_PER_SECOND = 1.0
_PROBES = 1_000
_A_SECOND = 2_000
"""Presences of all accounts together."""

_WE_SAY: dict[str, Change] = {
    "subscribe": lambda now: now if now.sees else replace(now, asks=True),
    "subscribed": lambda now: replace(now, seen=True, asked=False) if now.asked else now,
    "unsubscribe": lambda now: replace(now, sees=False, asks=False),
    "unsubscribed": lambda now: replace(now, seen=False, asked=False),
}
_THEY_SAY: dict[str, Change] = {
    "subscribe": lambda now: now if now.seen else replace(now, asked=True),
    "subscribed": lambda now: replace(now, sees=True, asks=False) if now.asks else now,
    "unsubscribe": lambda now: replace(now, seen=False, asked=False),
    "unsubscribed": lambda now: replace(now, sees=False, asks=False),
}
KINDS = frozenset(_WE_SAY)


class Subscribing:
    def __init__(self, house: "House", federation: "Federation") -> None:
        self._house = house
        self._federation = federation
        self._subscriptions = house.xmpp.subscriptions
        self._seers: dict[str, frozenset[str]] = {}
        """Accounts whose presence goes elsewhere, and where."""
        self._told: dict[str, dict[str, dict[str, int]]] = {}
        """Of an account, at an address: which resources, as a hash of what was said."""
        self._dirty: dict[str, None] = {}
        """Accounts of which something is to be told."""
        self._worker: asyncio.Task[None] | None = None
        self._probes = Rates(_PROBES_PER_SECOND, _PROBES)
        """By account: it asks how those are whom it may see."""
        self._reading: dict[str, bool] = {}
        """Whose seers are read, and whether they have changed meanwhile."""
        self._loaded = asyncio.Event()
        self._leads = False
        self._timer: asyncio.TimerHandle | None = None
        self._subscriptions.watch(self._again)
        house.watchers.through(self.answer)

    async def start(self) -> None:
        self._seers = await self._subscriptions.seers()
        self._loaded.set()
        self._look()

    def stop(self) -> None:
        """Whom they see here is not there any more, unless another node shows them."""
        if self._timer is not None:
            self._timer.cancel()
        if self._leads and not self._house.messaging.nodes.another:
            for user, told in self._told.items():
                for address, names in list(told.items()):
                    for name in list(names):
                        self._show(user, name, jid.parse(address), None)

    # What our people say

    async def says(self, resource: "Resource", kind: str, to: Jid) -> bool:
        """One of `KINDS`. Raises HongyanError."""
        await self._agree(resource.user, kind, to, lambda fault: self._refused(resource, to, kind, fault))
        return True

    async def answer(self, user: str, address: str, kind: str) -> bool:
        """From another door; see `Answer` of the feature. When it cannot be delivered nobody is told: who asks again hears it."""
        try:
            to = jid.parse(address).bare
        except BadJid as error:
            raise Invalid(str(error)) from None
        return (await self._agree(user, kind, to, nothing)).seen

    async def _agree(self, user: str, kind: str, to: Jid, over: Over) -> Subscription:
        self._house.changes.spend(user)
        before, after = await self._subscriptions.change(user, str(to), _WE_SAY[kind])
        if after != before or (kind == "subscribe" and not after.sees):  # who asks again asks again
            self._say(user, to, kind, over)
        return after

    async def end(self, resource: "Resource", to: Jid) -> None:
        """They are taken out of the roster (section 2.5)."""
        for kind in ("unsubscribe", "unsubscribed"):
            await self.says(resource, kind, to)
        await self._subscriptions.forget(resource.user, str(to))

    def arrived(self, resource: "Resource", circle: Circle) -> None:
        """A client is available: it is told who waits for an answer, and those it may see are asked how they are."""
        for address in circle.asking:
            if not _blocked(circle, address):
                resource.send(f"<presence type='subscribe' from='{quote(address)}' to='{quote(str(resource.jid.bare))}'/>")
        contacts = circle.contacts.items()
        sees = [address for address, contact in contacts if contact.subscription is not None and contact.subscription.sees]
        try:
            for address in sees:
                if not _blocked(circle, address):
                    self._probes.spend(resource.user)
                    self._say(resource.user, jid.parse(address), "probe", nothing)
        except RateLimited:
            pass  # it comes and goes, and knows how they are

    # What people elsewhere say

    async def heard(self, stanza: Element, sender: Jid, to: Jid) -> None:
        """A presence for an account of ours."""
        kind, user, theirs = stanza.get("type"), to.local, sender.bare
        try:
            if (await self._house.xmpp.circles.of(user)).blocks(str(theirs), theirs.domain, sender.resource):
                return
            if kind in KINDS:
                await self._changes(stanza, kind, user, theirs)
            elif kind == "probe":
                await self._asked_how(user, theirs)
            elif kind in ("", "unavailable") and (await self._subscriptions.get(user, str(theirs))).sees:
                self._house.clients.tell(to.bare, render(stanza), sender)
        except HongyanError as error:
            self._federation.log.info("a presence of %s is not taken: %s", sender.domain, error.detail)

    async def _changes(self, stanza: Element, kind: str, user: str, theirs: Jid) -> None:
        if kind == "subscribe":
            if await self._subscriptions.get(user, str(theirs)) == Subscription():
                self._federation.visitors.newcomer(jid.family(theirs.domain))
            try:
                await self._house.messaging.people.get(user)
            except NotFound:
                self._say(user, theirs, "unsubscribed", nothing)
                return
        self._house.changes.spend(str(theirs))  # who changes their mind all the time, too
        before, after = await self._subscriptions.change(user, str(theirs), _THEY_SAY[kind])
        if kind == "subscribe" and before.seen:
            self._say(user, theirs, "subscribed", nothing)
        elif after != before:
            stanza.attributes["from"] = str(theirs)
            self._house.clients.tell(self._house.jid(user), render(stanza), theirs)

    async def _asked_how(self, user: str, theirs: Jid) -> None:
        if not (await self._subscriptions.get(user, str(theirs))).seen:
            self._say(user, theirs, "unsubscribed", nothing)
            return
        there = shown(self._house, user)
        for name, inside in there.items():
            self._show(user, name, theirs, inside)
        if not there:
            self._say(user, theirs, "unavailable", nothing)

    # What they are shown

    def changed(self, user: str) -> None:
        """Somebody's presence, or who may see it. They are told soon, the newest only, and no faster than streams can take."""
        if self._leads and (user in self._seers or user in self._told):
            self._dirty[user] = None
            if self._worker is None:
                self._worker = self._house.task(self._tell_all())

    async def _tell_all(self) -> None:
        try:
            while self._dirty:
                user = next(iter(self._dirty))
                del self._dirty[user]
                await asyncio.sleep(self._tell(user) / _A_SECOND)
        except Exception:
            self._federation.log.exception("people of other servers could not be told of somebody")
        finally:
            self._worker = None

    def _tell(self, user: str) -> int:
        """What is another than they were told; how many stanzas that were."""
        seers, told = self._seers.get(user, frozenset()), self._told.setdefault(user, {})
        there = shown(self._house, user) if seers else {}
        count = 0
        for address in sorted(seers | told.keys()):
            to, known = jid.parse(address), told.setdefault(address, {})
            now = there if address in seers else {}
            for name in known.keys() - now.keys():
                del known[name]
                self._show(user, name, to, None)
                count += 1
            for name, inside in now.items():
                if known.get(name) != (made := hash(inside)):
                    known[name] = made
                    self._show(user, name, to, inside)
                    count += 1
            if not known:
                del told[address]
        if not told:
            del self._told[user]
        return count

    def _again(self, user: str) -> None:
        """Who may see somebody is read again."""
        if user in self._reading:
            self._reading[user] = True
        else:
            self._reading[user] = False
            self._house.task(self._reread(user))

    async def _reread(self, user: str) -> None:
        """Until what was read is true."""
        await self._loaded.wait()
        while True:
            self._reading[user] = False
            try:
                found = await self._subscriptions.seers(user)
            except HongyanError:
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            if not self._reading[user]:
                break
        del self._reading[user]
        self._seers.pop(user, None)
        self._seers.update(found)
        self.changed(user)

    def _look(self) -> None:
        """Whether it is this node that tells them."""
        self._timer = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._look)
        led, self._leads = self._leads, self._house.messaging.first
        if self._leads and not led:
            self._told.clear()
            for user in list(self._seers):
                self.changed(user)
            self._house.task(self._who_is_gone())

    async def _who_is_gone(self) -> None:
        """Who was shown by a node that died, and is not here after a while, is gone."""
        await asyncio.sleep(_GONE_SECONDS)
        for user, seers in list(self._seers.items()):
            if not self._leads:
                return
            if not shown(self._house, user):
                for address in seers:
                    self._say(user, jid.parse(address), "unavailable", nothing)
            await asyncio.sleep(0)

    # Stanzas

    def _show(self, user: str, name: str, to: Jid, inside: str | None) -> None:
        """A resource as it is; None: it is gone."""
        type = "" if inside is not None else " type='unavailable'"
        head = f"from='{quote(str(self._house.jid(user, name)))}' to='{quote(str(to))}'{type}"

        def over(fault: StanzaFault | None) -> None:
            if fault is not None:  # it is said again with the next that changes
                self._told.get(user, {}).get(str(to), {}).pop(name, None)

        self._federation.send(f"<presence {head}>{inside or ''}</presence>", self._house.domain, to.domain, over)

    def _say(self, user: str, to: Jid, kind: str, over: Over) -> None:
        head = f"type='{kind}' from='{quote(str(self._house.jid(user)))}' to='{quote(str(to))}'"
        self._federation.send(f"<presence {head}/>", self._house.domain, to.domain, over)

    def _refused(self, resource: "Resource", to: Jid, kind: str, fault: StanzaFault | None) -> None:
        if fault is not None:
            resource.refuse(Element("jabber:client presence", {"type": kind, "to": str(to)}), fault)


def _blocked(circle: Circle, address: str) -> bool:
    return circle.blocks(address, address.rpartition("@")[2])
