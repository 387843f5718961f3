"""Getting a resource: inside a log-in (XEP-0386), or the one that is there (XEP-0198, section 5)."""

from typing import TYPE_CHECKING

from hongyan.core.ids import id_from_bits
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.dialects import BIND2, CARBONS, CSI, SASL2, resource_name
from hongyan.gateways.xmpp.faults import STANZA_ERRORS
from hongyan.gateways.xmpp.smacks import SM, counter

if TYPE_CHECKING:
    from hongyan.features.identity import Proven
    from hongyan.gateways.xmpp.house import House
    from hongyan.gateways.xmpp.resource import Resource

FAILED = f"<failed xmlns='{SM}'><item-not-found xmlns='{STANZA_ERRORS}'/></failed>"


async def resumable(house: "House", proven: "Proven", element: Element) -> "tuple[Resource, int] | None":
    """Of `<resume/>`: the resource that goes on, when it has settled, and how many of its stanzas have arrived."""
    resource, handled = house.resumable(element.get("previd"), proven.user), counter(element.get("h"))
    if resource is None or handled is None or not resource.acknowledges(handled):
        return None
    try:
        await resource.settle()
    except TimeoutError:  # what came before is still not done
        return None
    return (resource, handled) if resource.acknowledges(handled) else None


def wanted(house: "House", request: Element, bind: Element, user: str) -> str:
    """Raises BadJid."""
    return resource_name(request, bind, user, id_from_bits(house.random(10)))


def bound(resource: "Resource", bind: Element) -> str:
    """Switch on what a client asks for with Bind 2; the answer."""
    inside = ""
    if bind.child(f"{CARBONS} enable") is not None:
        resource.carbons = True
    if (enable := bind.child(f"{SM} enable")) is not None:
        inside = resource.enable(enable)
    if bind.child(f"{CSI} inactive") is not None:
        resource.outgoing.active(False)
    return f"<bound xmlns='{BIND2}'>{inside}</bound>"


def inline(request: Element) -> tuple[Element | None, Element | None]:
    """What stands inside a log-in by SASL2: what to resume, what to bind."""
    if request.space != SASL2:
        return None, None
    return request.child(f"{SM} resume"), request.child(f"{BIND2} bind")
