"""The heart: the log and its follower, what each user may see, sessions and delivery, conversations, read marks, presence.

Gateways and features use a `Messaging` and its services; what else is in here may change.
"""

import asyncio
import secrets
import time
from collections.abc import Callable

from hongyan.bus import Bus
from hongyan.config import Settings
from hongyan.core.model import Caller, TransportName
from hongyan.messaging.conversations import Conversations, Me, Snapshot
from hongyan.messaging.describing import ConversationView, MemberView
from hongyan.messaging.history import History
from hongyan.messaging.log import Log
from hongyan.messaging.people import LOBBY, People, UserView
from hongyan.messaging.polling import poll
from hongyan.messaging.presence import DeviceView, OnlineView, Presence
from hongyan.messaging.receipts import Receipts
from hongyan.messaging.sending import Sender
from hongyan.messaging.sessions import Chunk, Session, Sessions, Verdict
from hongyan.messaging.views import Views
from hongyan.store import Store

__all__ = [
    "LOBBY",
    "Chunk",
    "ConversationView",
    "Conversations",
    "DeviceView",
    "History",
    "Log",
    "Me",
    "MemberView",
    "Messaging",
    "OnlineView",
    "People",
    "Presence",
    "Receipts",
    "Sender",
    "Session",
    "Sessions",
    "Snapshot",
    "UserView",
    "Verdict",
    "Views",
]


def now_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class Messaging:
    """The services, put together. `start` opens store and bus, `stop` closes them."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        settings: Settings,
        *,
        clock: Callable[[], int] = now_ms,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        limits = settings.limits
        self.log = Log(store, bus, settings.log)
        self.views = Views(store, self.log)
        self.sessions = Sessions(store, self.log, self.views, limits, clock=clock)
        self.sender = Sender(store, self.log, self.views, limits, clock=clock)
        self.people = People(store)
        self.conversations = Conversations(store, self.log, limits, clock=clock, random=random)
        self.history = History(store)
        self.receipts = Receipts(store, bus, self.views, clock=clock)
        self.presence = Presence(bus, self.views, self.people, clock=clock)
        self.log.deliver(self.sessions.deliver)
        self.sessions.watch(self.presence.opened, self.presence.gone)

    async def start(self) -> None:
        await self.log.start(self.sessions.on_signal)

    async def stop(self) -> None:
        """Tell everybody to come back later, commit what has queued, close."""
        self.sessions.stop()
        await self.sender.stop()
        self.receipts.stop()
        self.presence.stop()
        await self.log.stop()

    def end_token(self, user: str, token_id: str) -> None:
        """A token has ended: whatever it keeps open ends now."""
        self.sessions.end_token(token_id)
        self.presence.token_ended(user, token_id)

    async def poll(
        self,
        caller: Caller,
        cursor: str | None,
        limit: int,
        wait: float = 0.0,
        *,
        gone: asyncio.Event | None = None,
    ) -> Chunk:
        """One short (`wait` 0) or long poll. See `polling.poll`."""
        transport: TransportName = "longpoll" if wait > 0 else "poll"
        return await poll(self.sessions, caller, cursor, limit, wait, transport, gone)
