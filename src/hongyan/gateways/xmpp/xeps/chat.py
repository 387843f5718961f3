"""Messages of direct conversations, and copies of one's own (XEP-0280). Clients may answer them with receipts (XEP-0184), where
the sender asked for it, and with markers (XEP-0333).
"""

from hongyan.core.model import Event
from hongyan.gateways.xmpp.chats import CARBONS, told
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.messages import shown_id
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.said import MARKERS, SID, Reader, says
from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.telling import tell
from hongyan.messaging import About

RECEIPTS = "urn:xmpp:receipts"


def register(table: Table) -> None:
    for type in ("message", "reply"):
        table.events["direct", type] = table.events["room", type] = tell
        table.forms[type] = _form
    table.wrap = _wrap
    table.iq("account", "set", f"{CARBONS} enable", _enable)
    table.iq("account", "set", f"{CARBONS} disable", _disable)
    table.feature(SID, where="account")
    table.feature(CARBONS)


def _enable(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    resource.carbons = True
    return ""


def _disable(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    resource.carbons = False
    return ""


def _form(event: Event, reader: Reader, about: About) -> str:
    inside = says(event, reader, about)
    return f"{inside}<markable xmlns='{MARKERS}'/>" if inside else ""


def _wrap(resource: Resource, event: Event, reader: Reader, about: About, inside: str) -> None:
    peer = reader.place.peer(resource.user)
    if peer is None or (resource.priority or 0) < 0:
        return
    if event.client_id is not None and (event.sender, event.client_id) in resource.house.asked and event.type == "message":
        inside += f"<request xmlns='{RECEIPTS}'/>"
    told(resource, event.sender == resource.user, peer, inside, shown_id(event.client_id, event.seq))
