"""XEP-0357: Push Notifications. A client asks to be woken by the push service of its app; `s2s/publishing.py` tells that one."""

from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.codec import Element, render
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.forms import DATA
from hongyan.gateways.xmpp.house import House
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.table import Table

NS = "urn:xmpp:push:0"
_NODE_LENGTH = 1_024
_OPTIONS_LENGTH = 4_096


def register(table: Table) -> None:
    table.started.append(_begin)


def _begin(house: House) -> None:
    """Where other servers are talked to: push services are such."""
    if house.settings.xmpp.s2s and house.xmpp.registrations.possible:
        house.table.iq("account", "set", f"{NS} enable", _enable)
        house.table.iq("account", "set", f"{NS} disable", _disable)
        house.table.feature(NS, where="account")


async def _enable(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    house = resource.house
    service, node = _service(query), query.get("node")
    if not node:
        raise StanzaFault("feature-not-implemented", "A push service is told of a node")
    if len(node) > _NODE_LENGTH:
        raise StanzaFault("not-acceptable", f"A node has at most {_NODE_LENGTH:,} characters")
    form = query.child(f"{DATA} x")
    options = render(form, "") if form is not None else ""
    if len(options) > _OPTIONS_LENGTH:
        raise StanzaFault("not-acceptable", f"Options have at most {_OPTIONS_LENGTH:,} characters")
    if service.domain in (house.domain, house.rooms_domain, house.upload_domain):
        raise StanzaFault("not-acceptable", "A push service is at another server")
    if house.federation is None or not house.federation.allows(service.domain):
        raise StanzaFault("not-allowed", f"This server does not talk to {service.domain}")
    house.changes.spend(resource.user)
    await house.xmpp.registrations.enable(resource.caller, str(service), node, options)
    return ""


async def _disable(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    service = _service(query)
    resource.house.changes.spend(resource.user)
    await resource.house.xmpp.registrations.disable(resource.caller, str(service), query.attributes.get("node"))
    return ""


def _service(query: Element) -> Jid:
    if not query.get("jid"):
        raise StanzaFault("bad-request", "Name the push service")
    return jid.address(query.get("jid"))
