"""The XMPP gateway's half of the services."""

from hongyan.features.xmpp.directory import Directory
from hongyan.features.xmpp.places import Places
from hongyan.features.xmpp.rosters import Rosters
from hongyan.messaging import Messaging
from hongyan.store import Store


class Xmpp:
    def __init__(self, store: Store, messaging: Messaging) -> None:
        self.places = Places(store, messaging)
        self.directory = Directory(store, messaging)
        self.rosters = Rosters(store, messaging)
