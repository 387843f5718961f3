"""The XMPP gateway's half of the services."""

from hongyan.features.xmpp.finding import Finding
from hongyan.features.xmpp.places import Places
from hongyan.features.xmpp.positions import Positions
from hongyan.messaging import Messaging
from hongyan.store import Store


class Xmpp:
    def __init__(self, store: Store, messaging: Messaging) -> None:
        self.places = Places(store, messaging)
        self.finding = Finding(store)
        self.positions = Positions(store)
