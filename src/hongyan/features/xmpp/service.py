"""The XMPP gateway's half of the services."""

from collections.abc import Callable

from hongyan import config
from hongyan.features.xmpp.circle import Circles
from hongyan.features.xmpp.directory import Directory
from hongyan.features.xmpp.finding import Finding
from hongyan.features.xmpp.forwarding import Forward, Forwarding
from hongyan.features.xmpp.nodes import Nodes
from hongyan.features.xmpp.pictures import Pictures
from hongyan.features.xmpp.places import Places
from hongyan.features.xmpp.positions import Positions
from hongyan.features.xmpp.registrations import Registrations
from hongyan.features.xmpp.remotes import Remotes
from hongyan.features.xmpp.rooms import Rooms
from hongyan.features.xmpp.rosters import Rosters
from hongyan.features.xmpp.subscriptions import Subscriptions
from hongyan.features.xmpp.undelivered import Returned
from hongyan.messaging import Messaging
from hongyan.store import Store


class Xmpp:
    def __init__(self, store: Store, messaging: Messaging, settings: config.Settings, *, clock: Callable[[], int]) -> None:
        self._store = store
        self._messaging = messaging
        self.places = Places(store, messaging)
        self.circles = Circles(store, messaging.log, settings.domain, clock=clock)
        self.subscriptions = Subscriptions(store, messaging.log, clock=clock)
        self.returned = Returned(store, clock=clock)
        self.nodes = Nodes(store, messaging.log, clock=clock)
        self.pictures = Pictures(store)
        self.rooms = Rooms(store, messaging)
        self.remotes = Remotes(store)
        self.registrations = Registrations(
            store, messaging.log, settings.xmpp.push_devices, details=settings.xmpp.push_details, clock=clock
        )
        self.finding = Finding(store)
        self.positions = Positions(store)
        self.directory = Directory(store, messaging)
        self.rosters = Rosters(store, messaging)

    @property
    def secret(self) -> bytes:
        """All nodes of the store have it, and nobody else."""
        return self._store.key

    def forwarding(self, forward: Forward) -> Forwarding:
        """Follows what goes to other servers."""
        return Forwarding(self._store, self._messaging, forward)
