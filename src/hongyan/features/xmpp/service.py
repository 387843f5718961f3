"""The XMPP gateway's half of the services."""

from hongyan.features.xmpp.places import Places
from hongyan.features.xmpp.rooms import Rooms
from hongyan.features.xmpp.rosters import Rosters
from hongyan.messaging import Messaging
from hongyan.store import Store


class Xmpp:
    def __init__(self, store: Store, messaging: Messaging) -> None:
        self.places = Places(store, messaging)
        self.rooms = Rooms(store, messaging)
        self.rosters = Rosters(store, messaging)
