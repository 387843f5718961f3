"""XEP-0215: External Service Discovery. TURN has passwords that end by themselves, as of coturn's `use-auth-secret`."""

import hmac
from base64 import b64encode
from datetime import UTC, datetime

import msgspec

from hongyan.gateways.xmpp.codec import Element, quote
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.table import Table

NS = "urn:xmpp:extdisco:2"
_PORTS = {"stun": 3478, "stuns": 5349, "turn": 3478, "turns": 5349}


class Service(msgspec.Struct, frozen=True):
    type: str
    host: str
    port: int
    transport: str


def register(table: Table) -> None:
    table.iq("server", "get", f"{NS} services", _services)
    table.iq("server", "get", f"{NS} credentials", _credentials)
    table.feature(NS)


def read(uri: str) -> Service:
    """`turn:HOST[:PORT][?transport=udp|tcp]` (RFC 7064, 7065). It was checked when the settings were read."""
    type, _, rest = uri.partition(":")
    at, _, query = rest.partition("?")
    host, port = at, ""
    if not at.endswith("]") and ":" in at:
        host, _, port = at.rpartition(":")
    transport = query.removeprefix("transport=") or ("tcp" if type.endswith("s") else "udp")
    return Service(type, host, int(port or _PORTS[type]), transport)


def credentials(secret: str, user: str, expires: int) -> tuple[str, str]:
    """Name and password; `expires` in seconds since 1970."""
    name = f"{expires}:{user}"
    return name, b64encode(hmac.digest(secret.encode(), name.encode(), "sha1")).decode()


def _services(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    asked = query.attributes.get("type")
    found = "".join(_told(resource, one) for one in _all(resource) if asked in (None, one.type))
    type = f" type='{quote(asked)}'" if asked is not None else ""
    return f"<services xmlns='{NS}'{type}>{found}</services>"


def _credentials(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    asked = query.child(f"{NS} service")
    if asked is None or not asked.get("host") or not asked.get("type"):
        raise StanzaFault("bad-request", "Name the host and the type of a service")
    found = [
        one
        for one in _all(resource)
        if (one.host, one.type) == (asked.get("host"), asked.get("type")) and asked.get("port", str(one.port)) == str(one.port)
    ]
    if not found:
        raise StanzaFault("item-not-found")
    return f"<credentials xmlns='{NS}'>{''.join(_told(resource, one) for one in found)}</credentials>"


def _all(resource: Resource) -> list[Service]:
    return [read(uri) for uri in resource.house.settings.xmpp.services]


def _told(resource: Resource, one: Service) -> str:
    xmpp = resource.house.settings.xmpp
    where = f"type='{quote(one.type)}' host='{quote(one.host)}' port='{one.port}' transport='{quote(one.transport)}'"
    if not one.type.startswith("turn") or not xmpp.turn_secret:
        return f"<service {where}/>"
    expires = resource.house.now() // 1000 + round(xmpp.turn_seconds)
    name, password = credentials(xmpp.turn_secret, resource.user, expires)
    until = datetime.fromtimestamp(expires, UTC)
    return (
        f"<service {where} restricted='true' username='{quote(name)}' password='{quote(password)}' "
        f"expires='{until:%Y-%m-%dT%H:%M:%S}Z'/>"
    )
