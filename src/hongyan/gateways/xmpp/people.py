"""Who is told of whom: presence among those who know each other, changes of circles, and news of nodes, on this node.

Everything here follows attendance, the log and the tables; what a resource was told last is kept beside it (`around.py`), and
it is told what is another now.
"""

from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING, Any

from hongyan.features.xmpp import About, Circle, Published, is_remote
from hongyan.gateways.xmpp.caps import INFO, Known
from hongyan.gateways.xmpp.codec import Element, quote
from hongyan.gateways.xmpp.elsewhere import gone
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.shown import shown

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.house import House
    from hongyan.gateways.xmpp.resource import Resource

EVENT = "http://jabber.org/protocol/pubsub#event"


class People:
    def __init__(self, house: "House") -> None:
        self._house = house
        self._known = Known()
        xmpp = house.xmpp
        xmpp.circles.watch(self._changed)
        xmpp.nodes.watch(self._published)
        house.messaging.attendance.watch(self._own)

    # Circles

    async def refresh(self, resource: "Resource") -> Circle:
        """Read the circle, and tell the resource what is another."""
        around = resource.around
        around.turns += 1
        turn = around.turns
        circle = await self._house.xmpp.circles.of(resource.user)
        if turn < around.latest:
            return around.circle or circle
        before, around.circle, around.latest = around.circle, circle, turn
        if before is not circle:
            for tell in self._house.table.circles:
                tell(resource, before, circle)
            if resource.priority is not None:
                for user in [*around.shown.keys() | circle.people.keys()]:
                    self.sync(resource, user)
        return circle

    def _changed(self, user: str) -> None:
        for resource in self._house.of(user):
            if resource.around.circle is not None:
                self.later(self.refresh(resource))

    def later(self, work: Awaitable[Any]) -> None:
        """Tell of something that has to be asked first."""

        async def run() -> None:
            try:
                await work
            except Exception:
                self._house.log.exception("something could not be told")

        self._house.task(run())

    # Presence

    async def arrive(self, resource: "Resource", priority: int) -> None:
        """It is available: it sees who is there (RFC 6121, section 4.2)."""
        circle = await self.refresh(resource)
        resource.priority = priority
        for user in circle.people:
            self.sync(resource, user)
        self._own(resource.user)
        if self._house.federation is not None:
            self._house.federation.subscribing.arrived(resource, circle)
        resource.outgoing.wake()

    def leave(self, resource: "Resource") -> None:
        """It is not available any more (section 4.5)."""
        resource.priority = None
        around = resource.around
        if hasattr(resource, "session"):
            self._house.messaging.presence.vanish(resource.session)
        around.shown.clear()
        around.stale.clear()
        around.caps, around.wants = "", frozenset()
        for to in around.directed:
            self.direct(resource, to, " type='unavailable'", "")
        around.directed.clear()
        gone(resource)

    def gone(self, resource: "Resource") -> None:
        """Its connection has ended without a word: those who see it are told after a while, the others now."""
        resource.priority = None
        for to in resource.around.directed:
            self.direct(resource, to, " type='unavailable'", "")
        resource.around.directed.clear()

    def catch_up(self, resource: "Resource") -> None:
        """Tell it of whom it was not told while it took nothing."""
        stale, resource.around.stale = resource.around.stale, set()
        for user in stale:
            self.sync(resource, user)

    def sync(self, resource: "Resource", user: str) -> None:
        """Tell it what is another than it was told of somebody's resources."""
        around, circle = resource.around, resource.around.circle
        if resource.priority is None or circle is None or is_remote(resource.user):  # they are told where both have agreed
            return
        if not resource.may_write:
            around.stale.add(user)
            return
        mine = user == resource.user
        there = shown(self._house, user) if mine or around.sees(user) else {}
        picture = circle.picture if mine else there and circle.people[user].picture
        update = f"<x xmlns='vcard-temp:x:update'><photo>{picture or ''}</photo></x>"
        told = around.shown.get(user, {})
        to = resource.quoted
        for name in [name for name in told if name not in there]:
            del told[name]
            resource.send(f"<presence type='unavailable' from='{quote(str(self._house.jid(user, name)))}' to='{to}'/>")
        for name, inside in there.items():
            made = hash((inside, picture))
            if told.get(name) != made:
                told[name] = made
                resource.send(f"<presence from='{quote(str(self._house.jid(user, name)))}' to='{to}'>{inside}{update}</presence>")
        if told:
            around.shown[user] = told
        else:
            around.shown.pop(user, None)

    def _own(self, user: str) -> None:
        for resource in self._house.of(user):
            self.sync(resource, user)
        if self._house.federation is not None:
            self._house.federation.subscribing.changed(user)

    def direct(self, resource: "Resource", to: Jid, type: str, inside: str) -> None:
        """Presence that is sent to somebody (section 4.6), on this node."""
        for target in self._house.of(to.local):
            if target.priority is None or not target.has_room or to.resource not in ("", target.jid.resource):
                continue
            if not (target.around.blocks(resource.jid) or resource.around.blocks(to)):
                head = f"<presence from='{resource.quoted}' to='{target.quoted}'{type}>"
                target.send(f"{head}{inside}</presence>")

    # News

    def capable(self, resource: "Resource", key: str) -> None:
        """Its presence names these capabilities: learn of what it wants news."""
        around = resource.around
        if key == around.caps:
            return
        around.caps = key
        known = self._known.get(key) if key else frozenset()
        if known is not None:
            self._wants(resource, known)
            return

        def learnt(answer: Element) -> None:
            info = answer.child(f"{INFO} query")
            if around.caps == key and info is not None:
                self._wants(resource, self._known.learn(key, info))

        resource.query(f"<query xmlns='{INFO}'/>", learnt)

    def _wants(self, resource: "Resource", wants: frozenset[str]) -> None:
        fresh = wants - resource.around.wants
        resource.around.wants = wants
        if fresh and resource.priority is not None:
            self.later(self._latest(resource, fresh))

    async def _latest(self, resource: "Resource", names: frozenset[str]) -> None:
        """The newest of each node that it wants news of (XEP-0163, section 4.3.2)."""
        circle = await self.refresh(resource)
        people = [resource.user, *(user for user in circle.people if resource.around.sees(user))]
        table = self._house.table
        plain = [name for name in names if name not in table.nodes]
        found = await self._house.xmpp.nodes.latest(people, plain)
        for name in names:
            if name in table.nodes:
                found += await table.nodes[name].latest(resource)
        for one in found:
            await resource.may_take()
            if one.user == resource.user or one.node.access != "whitelist":
                self.notify(resource, one)

    def notify(self, resource: "Resource", one: Published) -> None:
        self._event(resource, one.user, one.node.name, f"<item id='{quote(one.item.id)}'>{one.item.payload}</item>")

    def retracted(self, resource: "Resource", user: str, node: str, id: str) -> None:
        self._event(resource, user, node, f"<retract id='{quote(id)}'/>")

    def _event(self, resource: "Resource", user: str, node: str, inside: str) -> None:
        if resource.priority is None or node not in resource.around.wants:
            return
        head = f"<message from='{self._house.quoted(user)}' to='{resource.quoted}' type='headline'>"
        what = f"<items node='{quote(node)}'>{inside}</items>" if inside else f"<purge node='{quote(node)}'/>"
        resource.send(f"{head}<event xmlns='{EVENT}'>{what}</event></message>")

    def _published(self, about: About) -> None:
        self.later(self._tell(about))

    async def _tell(self, about: About) -> None:
        house, user = self._house, about.user
        circle = await house.xmpp.circles.of(user)
        who = self._wanting(about.node, [user, *circle.people])
        node = await house.xmpp.nodes.get(user, about.node) if who else None
        if node is None:
            return
        found = await house.xmpp.nodes.items(user, about.node, (about.item,)) if about.item and not about.gone else []
        for resource in who:
            if resource.user != user and (node.access == "whitelist" or not resource.around.sees(user)):
                continue
            for item in found:
                self.notify(resource, Published(user, node, item))
            if about.gone and about.item:
                self.retracted(resource, user, about.node, about.item)
            elif about.gone:
                self._event(resource, user, about.node, "")

    def _wanting(self, node: str, people: Iterable[str]) -> "list[Resource]":
        return [one for user in people for one in self._house.of(user) if node in one.around.wants]
