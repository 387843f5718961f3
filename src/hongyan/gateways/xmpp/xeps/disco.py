"""XEP-0030: Service Discovery."""

from typing import TYPE_CHECKING

from hongyan.gateways.xmpp.caps import INFO
from hongyan.gateways.xmpp.codec import Element, quote
from hongyan.gateways.xmpp.described import IDENTITIES, NODE, described
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.table import Table, Where

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource

ITEMS = "http://jabber.org/protocol/disco#items"


def register(table: Table) -> None:
    for where in IDENTITIES:
        table.iq(where, "get", f"{INFO} query", _info(where))
        table.iq(where, "get", f"{ITEMS} query", _items if where == "server" else _nothing)
        table.feature(INFO, ITEMS, where=where)


def _info(where: Where):  # type: ignore[no-untyped-def]
    def info(resource: "Resource", iq: Element, query: Element, to: Jid) -> str:
        node = query.get("node")
        if node and not (where == "server" and node.startswith(f"{NODE}#")):
            raise StanzaFault("item-not-found")
        return described(resource.house, where, node)

    return info


def _items(resource: "Resource", iq: Element, query: Element, to: Jid) -> str:
    house = resource.house
    files = f"<item jid='{quote(house.upload_domain)}' name='Files'/>" if house.upload_domain else ""
    return f"<query xmlns='{ITEMS}'><item jid='{quote(house.rooms_domain)}' name='Rooms'/>{files}</query>"


def _nothing(resource: "Resource", iq: Element, query: Element, to: Jid) -> str:
    return f"<query xmlns='{ITEMS}'/>"
