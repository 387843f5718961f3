"""XEP-0157: whom to write to about this server."""

from hongyan.gateways.xmpp.codec import escape, quote
from hongyan.gateways.xmpp.house import House
from hongyan.gateways.xmpp.table import Table

_FORM = "http://jabber.org/network/serverinfo"


def register(table: Table) -> None:
    table.info_forms["server"].append(_contacts)


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
