"""What XMPP needs of the store besides messages: which conversation is which address."""

from hongyan.features.xmpp.forwarding import Forwarding
from hongyan.features.xmpp.places import Place, Places
from hongyan.features.xmpp.service import Xmpp

__all__ = ["Forwarding", "Place", "Places", "Xmpp"]
