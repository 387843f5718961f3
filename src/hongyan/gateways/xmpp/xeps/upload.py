"""XEP-0363: HTTP File Upload. A client is told where to put a file; its address goes to others in a message (XEP-0066)."""

from urllib.parse import quote as percent

from hongyan.core.errors import NoRoom, TooLarge
from hongyan.gateways.xmpp.codec import Element, quote
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.house import House
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.table import Table

NS = "urn:xmpp:http:upload:0"
_DATA = "jabber:x:data"


def register(table: Table) -> None:
    table.iq("upload", "get", f"{NS} request", _slot)
    table.feature(NS, where="upload")
    table.info_forms["upload"].append(_bounds)


def _bounds(house: House) -> str:
    largest = house.settings.files.largest
    return (
        f"<x xmlns='{_DATA}' type='result'><field var='FORM_TYPE' type='hidden'><value>{NS}</value></field>"
        f"<field var='max-file-size'><value>{largest}</value></field></x>"
    )


async def _slot(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    house = resource.house
    name, size = query.get("filename"), query.get("size")
    if not name or not (size.isascii() and size.isdecimal() and len(size) < 20):
        raise StanzaFault("bad-request", "A file has a name and a size in bytes")
    house.changes.spend(resource.user)
    try:
        file = await house.files.announce(resource.caller, name, int(size), query.get("content-type"))
    except TooLarge as error:
        largest = f"<file-too-large xmlns='{NS}'><max-file-size>{house.settings.files.largest}</max-file-size></file-too-large>"
        raise StanzaFault("not-acceptable", error.detail, more=largest) from None
    except NoRoom as error:
        raise StanzaFault("resource-constraint", error.detail) from None
    address = quote(f"{house.url()}/files/{file.id}/{percent(file.name)}")
    return f"<slot xmlns='{NS}'><put url='{address}'/><get url='{address}'/></slot>"
