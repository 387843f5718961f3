"""The XMPP gateway's half of the services."""

from hongyan.features.xmpp.forwarding import Forward, Forwarding
from hongyan.features.xmpp.places import Places
from hongyan.features.xmpp.remotes import Remotes
from hongyan.messaging import Messaging
from hongyan.store import Store


class Xmpp:
    def __init__(self, store: Store, messaging: Messaging) -> None:
        self._store = store
        self._messaging = messaging
        self.places = Places(store, messaging)
        self.remotes = Remotes(store)

    @property
    def secret(self) -> bytes:
        """All nodes of the store have it, and nobody else."""
        return self._store.key

    def forwarding(self, forward: Forward) -> Forwarding:
        """Follows what goes to other servers; made before the log starts."""
        return Forwarding(self._store, self._messaging, forward)
