"""Sessions of RFC 3921, section 3, which are no more: clients that still ask for one are told that they have it."""

from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.stream import SESSION
from hongyan.gateways.xmpp.table import Table


def register(table: Table) -> None:
    for where in ("account", "server"):
        table.iq(where, "set", f"{SESSION} session", _session)


def _session(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    return ""
