"""XEP-0410: MUC Self-Ping. Whether one is still in a room is answered for one's own nickname alone; others are not reached."""

from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.rooms import joined_at
from hongyan.gateways.xmpp.table import Table

PING = "urn:xmpp:ping"
NS = "http://jabber.org/protocol/muc#self-ping-optimization"


def register(table: Table) -> None:
    table.iq("room", "get", f"{PING} ping", _pong)
    table.feature(PING, NS, where="room")


def _pong(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    joined = joined_at(resource, to)
    if joined is None:
        raise StanzaFault("not-acceptable", "You have not joined this room")
    if to.resource not in ("", joined.nick):
        raise StanzaFault("service-unavailable")
    return ""
