"""XEP-0030: Service Discovery, and its hash (XEP-0115, 1.5 and 5.1) for presence and features of a stream."""

from typing import TYPE_CHECKING

from hongyan.gateways.xmpp.codec import Element, quote
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.table import Table, Where

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource

INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"

_IDENTITIES: dict[Where, str] = {
    "server": "<identity category='server' type='im' name='Hongyan'/>",
    "account": "<identity category='account' type='registered'/><identity category='pubsub' type='pep'/>",
    "user": "<identity category='account' type='registered'/>",
    "rooms": "<identity category='conference' type='text' name='Hongyan'/>",
}


def register(table: Table) -> None:
    for where in _IDENTITIES:
        table.iq(where, "get", f"{INFO} query", _info(where))
        table.iq(where, "get", f"{ITEMS} query", _items if where == "server" else _nothing)
        table.feature(INFO, ITEMS, where=where)


def _info(where: Where):  # type: ignore[no-untyped-def]
    def info(resource: "Resource", iq: Element, query: Element, to: Jid) -> str:
        if query.get("node"):
            raise StanzaFault("item-not-found")
        features = "".join(f"<feature var='{quote(name)}'/>" for name in sorted(set(resource.house.table.features[where])))
        return f"<query xmlns='{INFO}'>{_IDENTITIES[where]}{features}</query>"

    return info


def _items(resource: "Resource", iq: Element, query: Element, to: Jid) -> str:
    return f"<query xmlns='{ITEMS}'><item jid='{quote(resource.house.rooms_domain)}' name='Rooms'/></query>"


def _nothing(resource: "Resource", iq: Element, query: Element, to: Jid) -> str:
    return f"<query xmlns='{ITEMS}'/>"
