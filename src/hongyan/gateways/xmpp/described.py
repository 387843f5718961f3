"""What there is at an address of ours, and what it can do (XEP-0030)."""

from typing import TYPE_CHECKING

from hongyan.gateways.xmpp.caps import INFO
from hongyan.gateways.xmpp.codec import quote
from hongyan.gateways.xmpp.table import Where

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.house import House

NODE = "urn:hongyan:xmpp"

IDENTITIES: dict[Where, str] = {
    "server": "<identity category='server' type='im' name='Hongyan'/>",
    "account": "<identity category='account' type='registered'/><identity category='pubsub' type='pep'/>",
    "user": "<identity category='account' type='registered'/>",
    "rooms": "<identity category='conference' type='text' name='Hongyan'/>",
    "upload": "<identity category='store' type='file' name='Hongyan'/>",
}


def described(house: "House", where: Where, node: str = "") -> str:
    """What there is at such an address, as XML."""
    features = "".join(f"<feature var='{quote(name)}'/>" for name in sorted(set(house.table.features[where])))
    forms = "".join(form(house) for form in house.table.info_forms[where])
    at = f" node='{quote(node)}'" if node else ""
    return f"<query xmlns='{INFO}'{at}>{IDENTITIES[where]}{features}{forms}</query>"
