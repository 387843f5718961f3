"""XEP-0199: XMPP Ping."""

from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.table import Table

NS = "urn:xmpp:ping"


def register(table: Table) -> None:
    for where in ("server", "account", "user", "rooms"):
        table.iq(where, "get", f"{NS} ping", _pong)
        table.feature(NS, where=where)


def _pong(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    return ""
