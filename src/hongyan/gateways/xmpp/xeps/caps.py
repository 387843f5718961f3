"""XEP-0115: Entity Capabilities: the hash of what the server can do, in the features of a stream."""

from functools import lru_cache

from hongyan.gateways.xmpp.caps import CAPS, hashed
from hongyan.gateways.xmpp.codec import parse, quote
from hongyan.gateways.xmpp.described import NODE, described
from hongyan.gateways.xmpp.house import House
from hongyan.gateways.xmpp.table import Table


def register(table: Table) -> None:
    table.stream_features.append(_caps)
    table.feature(CAPS)


def _caps(house: House) -> str:
    ver = _hash(described(house, "server"))
    return f"<c xmlns='{CAPS}' hash='sha-1' node='{NODE}' ver='{quote(ver)}'/>"


@lru_cache(maxsize=8)
def _hash(query: str) -> str:
    return hashed(parse(query.encode(), 1_048_576))
