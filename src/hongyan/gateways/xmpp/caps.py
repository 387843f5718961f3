"""What an entity can do (XEP-0030), and the hash of it (XEP-0115, section 5.1)."""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha1
from typing import TYPE_CHECKING

from hongyan.gateways.xmpp.codec import Element, quote
from hongyan.gateways.xmpp.table import Where

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.house import House

INFO = "http://jabber.org/protocol/disco#info"
CAPS = "http://jabber.org/protocol/caps"
DATA = "jabber:x:data"
NODE = "https://xmpp.hongyan.invalid"

IDENTITIES: dict[Where, str] = {
    "server": "<identity category='server' type='im' name='Hongyan'/>",
    "account": "<identity category='account' type='registered'/>",
    "user": "<identity category='account' type='registered'/>",
    "rooms": "<identity category='conference' type='text' name='Hongyan'/>",
}


def described(house: "House", where: Where, node: str = "") -> str:
    """What there is at such an address, as XML."""
    features = "".join(f"<feature var='{quote(name)}'/>" for name in sorted(set(house.table.features[where])))
    forms = "".join(form(house) for form in house.table.forms[where])
    at = f" node='{quote(node)}'" if node else ""
    return f"<query xmlns='{INFO}'{at}>{IDENTITIES[where]}{features}{forms}</query>"


def hashed(query: Element) -> str:
    """Of the answer to a disco#info query."""
    parts = sorted(
        "/".join(one.get(name) for name in ("category", "type", "http://www.w3.org/XML/1998/namespace lang", "name"))
        for one in query.all(f"{INFO} identity")
    )
    parts += sorted(one.get("var") for one in query.all(f"{INFO} feature"))
    for type, form in sorted((_type(form), form) for form in query.all(f"{DATA} x")):
        parts.append(type)
        for field in sorted(_fields(form), key=lambda field: field.get("var")):
            if field.get("var") != "FORM_TYPE":
                parts += [field.get("var"), *sorted(_values(field))]
    return b64encode(sha1("".join(f"{part}<" for part in parts).encode(), usedforsecurity=False).digest()).decode()


def _fields(form: Element) -> list[Element]:
    return form.all(f"{DATA} field")


def _values(field: Element) -> Iterable[str]:
    return [value.text for value in field.all(f"{DATA} value")]


def _type(form: Element) -> str:
    return next((value for field in _fields(form) if field.get("var") == "FORM_TYPE" for value in _values(field)), "")
