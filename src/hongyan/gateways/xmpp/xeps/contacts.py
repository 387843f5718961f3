"""XEP-0157: whom to write to about this server; XEP-0115: the hash of what the server can do, in the features of a stream."""

from functools import lru_cache

from hongyan.gateways.xmpp.caps import CAPS, hashed
from hongyan.gateways.xmpp.codec import escape, parse, quote
from hongyan.gateways.xmpp.described import NODE, described
from hongyan.gateways.xmpp.house import House
from hongyan.gateways.xmpp.table import Table

_FORM = "http://jabber.org/network/serverinfo"


def register(table: Table) -> None:
    table.info_forms["server"].append(_contacts)
    table.stream_features.append(_caps)
    table.feature(CAPS)


def _contacts(house: House) -> str:
    listed: dict[str, list[str]] = {}
    for contact in house.settings.xmpp.contacts:
        kind, _, address = contact.partition("=")
        listed.setdefault(kind, []).append(address)
    if not listed:
        return ""
    fields = "".join(
        f"<field var='{quote(kind)}-addresses' type='list-multi'>"
        + "".join(f"<value>{escape(one)}</value>" for one in addresses)
        + "</field>"
        for kind, addresses in sorted(listed.items())
    )
    kind = f"<field var='FORM_TYPE' type='hidden'><value>{_FORM}</value></field>"
    return f"<x xmlns='jabber:x:data' type='result'>{kind}{fields}</x>"


def _caps(house: House) -> str:
    ver = _hash(described(house, "server"))
    return f"<c xmlns='{CAPS}' hash='sha-1' node='{NODE}' ver='{quote(ver)}'/>"


@lru_cache(maxsize=8)
def _hash(query: str) -> str:
    return hashed(parse(query.encode(), 1_048_576))
