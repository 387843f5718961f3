"""What is around what is said between two: a message to the one, a copy (XEP-0280) to other clients of who has sent it."""

from typing import TYPE_CHECKING

from hongyan.gateways.xmpp.codec import quote

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource

CARBONS = "urn:xmpp:carbons:2"
FORWARD = "urn:xmpp:forward:0"


def told(resource: "Resource", mine: bool, peer: str, inside: str, id: str = "") -> None:
    """A message of a direct conversation; one of one's own as a copy, to clients that want copies."""
    me, to = resource.house.quoted(resource.user), resource.quoted
    other = resource.house.quoted(peer)
    named = f" id='{quote(id)}'" if id else ""
    if not mine:
        resource.send(f"<message from='{other}' to='{to}' type='chat'{named}>{inside}</message>")
    elif resource.carbons:
        sent = f"<message xmlns='jabber:client' from='{me}' to='{other}' type='chat'{named}>{inside}</message>"
        copy = f"<sent xmlns='{CARBONS}'><forwarded xmlns='{FORWARD}'>{sent}</forwarded></sent>"
        resource.send(f"<message from='{me}' to='{to}' type='chat'>{copy}</message>")
