"""XEP-0191: Blocking Command. What is kept out is kept out of clients of XMPP; other doors know nothing of it."""

from hongyan.features.xmpp import Circle
from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.codec import Element, quote
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.table import Table

NS = "urn:xmpp:blocking"
_AT_ONCE = 100


def register(table: Table) -> None:
    table.iq("account", "get", f"{NS} blocklist", _list)
    table.iq("account", "set", f"{NS} block", _block)
    table.iq("account", "set", f"{NS} unblock", _unblock)
    table.feature(NS)
    table.circles.append(_changed)


async def _list(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    circle = await resource.house.people.refresh(resource)
    resource.around.blocklist = True
    return f"<blocklist xmlns='{NS}'>{_items(circle.blocked)}</blocklist>"


async def _block(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    named = _named(resource, query)
    if not named:
        raise StanzaFault("bad-request", "Name somebody to block")
    resource.house.changes.spend(resource.user)
    await resource.house.xmpp.circles.block(resource.caller, named)
    await resource.house.people.refresh(resource)
    return ""


async def _unblock(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    named = _named(resource, query)
    resource.house.changes.spend(resource.user)
    await resource.house.xmpp.circles.unblock(resource.caller, named or None)
    await resource.house.people.refresh(resource)
    return ""


def _named(resource: Resource, query: Element) -> list[str]:
    items = query.all(f"{NS} item")
    if len(items) > _AT_ONCE:
        raise StanzaFault("policy-violation", f"{_AT_ONCE} at a time")
    named = [jid.address(item.get("jid")) for item in items]
    if resource.jid.bare in [one.bare for one in named]:
        raise StanzaFault("not-allowed", "You cannot block yourself")
    return [str(one) for one in named]


def _changed(resource: Resource, before: Circle | None, now: Circle) -> None:
    """Pushes (section 3.3)."""
    if before is None or not resource.around.blocklist:
        return
    if fresh := now.blocked - before.blocked:
        resource.push(f"<block xmlns='{NS}'>{_items(fresh)}</block>")
    if gone := before.blocked - now.blocked:
        resource.push(f"<unblock xmlns='{NS}'>{_items(gone)}</unblock>")


def _items(jids: frozenset[str]) -> str:
    return "".join([f"<item jid='{quote(one)}'/>" for one in sorted(jids)])
