"""Messages of direct conversations, and copies of one's own (XEP-0280). Clients may answer them with receipts (XEP-0184), where
the sender asked for it, and with markers (XEP-0333).
"""

from hongyan.core.model import Event
from hongyan.gateways.xmpp.chats import CARBONS
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.said import MARKERS, SID, Reader, says
from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.telling import tell
from hongyan.messaging import About


def register(table: Table) -> None:
    for type in ("message", "reply"):
        table.events["direct", type] = table.events["room", type] = tell
        table.forms[type] = _form
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
