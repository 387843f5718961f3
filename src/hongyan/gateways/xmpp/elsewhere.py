"""Stanzas of our clients to other servers."""

from typing import TYPE_CHECKING

from hongyan.gateways.xmpp.codec import Element, quote, render
from hongyan.gateways.xmpp.faults import StanzaFault, nothing
from hongyan.gateways.xmpp.jid import Jid

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource

_DIRECTED = 100


def elsewhere(resource: "Resource", stanza: Element, to: Jid) -> None:
    """To another server, as it is; an error comes back to the client. Raises StanzaFault where none is talked to."""
    federation = resource.house.federation
    if federation is None:
        raise StanzaFault("remote-server-not-found")
    if stanza.local == "presence":
        _directed(resource, stanza.get("type"), to.bare)
    stanza.attributes["from"], stanza.attributes["to"] = str(resource.jid), str(to)

    def over(fault: StanzaFault | None) -> None:
        if fault is not None:
            resource.refuse(stanza, fault)

    federation.send(render(stanza), resource.house.domain, to.domain, over)


def gone(resource: "Resource") -> None:
    """It is not available any more: whoever it has told of itself is told (RFC 6121, section 4.6.4)."""
    federation = resource.house.federation
    if federation is not None:
        for to in resource.directed:
            bye = f"<presence type='unavailable' from='{resource.quoted}' to='{quote(str(to))}'/>"
            federation.send(bye, resource.house.domain, to.domain, nothing)
    resource.directed.clear()


def _directed(resource: "Resource", type: str, to: Jid) -> None:
    """Directed presence (RFC 6121, section 4.6): who gets it knows of the client from then on."""
    if not type:
        if to not in resource.directed and len(resource.directed) >= _DIRECTED:
            raise StanzaFault("resource-constraint", f"Presence may be sent to {_DIRECTED} addresses elsewhere")
        resource.directed.add(to)
    elif type == "unavailable":
        resource.directed.discard(to)
