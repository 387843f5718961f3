"""XEP-0092: Software Version; XEP-0202: Entity Time."""

from datetime import UTC, datetime

from hongyan import __version__
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.table import Table

NS = "jabber:iq:version"
TIME = "urn:xmpp:time"


def register(table: Table) -> None:
    table.iq("server", "get", f"{NS} query", _version)
    table.iq("server", "get", f"{TIME} time", _time)
    table.feature(NS, TIME)


def _version(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    return f"<query xmlns='{NS}'><name>Hongyan</name><version>{__version__}</version></query>"


def _time(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    now = datetime.fromtimestamp(resource.house.now() / 1000, UTC)
    return f"<time xmlns='{TIME}'><tzo>+00:00</tzo><utc>{now:%Y-%m-%dT%H:%M:%S}Z</utc></time>"
