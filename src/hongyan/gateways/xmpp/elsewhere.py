"""Stanzas of our clients to other servers."""

from typing import TYPE_CHECKING

from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource


def elsewhere(resource: "Resource", stanza: Element, to: Jid) -> None:
    """To another server, as it is. Raises StanzaFault where none is talked to."""
    if resource.house.federation is None:
        raise StanzaFault("remote-server-not-found")
    resource.house.federation.from_client(resource, stanza, to)
