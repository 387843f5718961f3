"""The heart: the log and its follower, what each user may see, sessions and delivery, conversations, read marks, presence.

Gateways and features use a `Messaging` and its services; what else is in here may change.
"""

import asyncio
import contextlib
import itertools
import logging
import secrets
import time
from collections.abc import Callable, Mapping

from hongyan import __version__
from hongyan.bus import Bus, NodeInfo, Signal
from hongyan.config import Settings
from hongyan.core.ids import id_from_bits
from hongyan.core.model import Caller, TransportName
from hongyan.messaging.acting import Acts
from hongyan.messaging.archive import About, Archive, Archived, Within
from hongyan.messaging.attendance import Attendance
from hongyan.messaging.bans import Bans, BanView
from hongyan.messaging.conversations import Beside, Conversations, Me, Snapshot
from hongyan.messaging.describing import ChannelView, ConversationView, MemberView
from hongyan.messaging.history import History, Page
from hongyan.messaging.log import Log
from hongyan.messaging.nodes import Nodes
from hongyan.messaging.own_lists import Bookmarks, OwnLists, Threads
from hongyan.messaging.owning import Owning
from hongyan.messaging.passing import Passing
from hongyan.messaging.people import LOBBY, People, UserView
from hongyan.messaging.polling import poll
from hongyan.messaging.presence import DeviceView, OnlineView, Presence
from hongyan.messaging.receipts import Receipts
from hongyan.messaging.sending import Sender
from hongyan.messaging.sessions import Chunk, Session, Sessions, Verdict
from hongyan.messaging.statuses import Statuses
from hongyan.messaging.views import Views
from hongyan.messaging.who import ReadMark, ResponseKind, Somebody, Who
from hongyan.store import Store

__all__ = [
    "LOBBY",
    "About",
    "Acts",
    "Archive",
    "Archived",
    "BanView",
    "Bans",
    "Beside",
    "Bookmarks",
    "ChannelView",
    "Chunk",
    "ConversationView",
    "Conversations",
    "DeviceView",
    "History",
    "Log",
    "Me",
    "MemberView",
    "Messaging",
    "Nodes",
    "OnlineView",
    "OwnLists",
    "Owning",
    "Page",
    "Passing",
    "People",
    "Presence",
    "ReadMark",
    "Receipts",
    "ResponseKind",
    "Sender",
    "Session",
    "Sessions",
    "Snapshot",
    "Somebody",
    "Statuses",
    "Threads",
    "UserView",
    "Verdict",
    "Views",
    "Who",
    "Within",
    "now_ms",
]

_log = logging.getLogger("hongyan.messaging")

_WATCH_SECONDS = 1.0
_SWEEP_TURNS = 60


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
        self._store = store
        self._clock = clock
        self._started = clock()
        self._leaving = False
        self._touching: asyncio.Task[None] | None = None
        self.node = id_from_bits(random(5))
        """The id of this node, another one after each start."""
        self.name = self.node
        self.addresses: dict[str, str] = {}
        """Where clients reach the gateways of this node: HOST:PORT by name."""
        self.log = Log(store, bus, settings.log)
        self.views = Views(store, self.log)
        self.sessions = Sessions(store, self.log, self.views, limits, clock=clock)
        self.sender = Sender(store, self.log, self.views, limits, clock=clock)
        self.people = People(store)
        self.conversations = Conversations(store, self.log, limits, clock=clock, random=random)
        self.bans = Bans(store, clock=clock)
        self.history = History(store)
        self.archive = Archive(store)
        self.acts = Acts(store, self.log, settings, clock=clock)
        self.owning = Owning(store, self.log, settings, clock=clock)
        self.own_lists = OwnLists(store)
        self.who = Who(store)
        self.receipts = Receipts(store, bus, self.views, clock=clock)
        self.attendance = Attendance(store, bus, self.node, self.sessions.on_signal, ticks=time.monotonic)
        self.passing = Passing(bus, self.node, self.attendance)
        self.statuses = Statuses(store, self.log, lambda user: self.presence.status_changed(user), clock=clock)
        self.presence = Presence(bus, self.attendance, self.views, self.people, self.statuses.of, clock=clock)
        self.nodes = Nodes(bus, self._describe, random=lambda: int.from_bytes(random(4)) / 2**32)
        self.nodes.watch(self.attendance.on_beat, self.attendance.lost, lambda: self.attendance.changes)
        self.nodes.sweep(self.attendance.sweep)
        bus.listen(Signal, self.sessions.on_signal)
        self.log.deliver(self.sessions.deliver)
        self.sessions.watch(self.presence.opened, self.presence.gone)
        self.sessions.knows(lambda: self.nodes.another)

    async def start(self) -> None:
        await self.log.start(self.node)
        await self.statuses.start()
        self._touching = asyncio.create_task(self._keep_in_touch(), name="hongyan touch")

    def join(self, name: str, addresses: Mapping[str, str]) -> None:
        """This node takes clients from now on, at these addresses."""
        self.name = name
        self.addresses.update(addresses)
        self.nodes.start()

    def leave(self) -> None:
        """This node takes no more clients: the others learn of it at once."""
        self._leaving = True
        self.nodes.tell()

    async def stop(self) -> None:
        """Send everybody away, commit what has queued, close."""
        self.leave()
        self.sessions.stop()
        await self.sender.stop()
        await self.receipts.stop()
        self.presence.stop()
        self.statuses.stop()
        self.attendance.stop()
        if self._touching is not None:
            self._touching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._touching
        await self.nodes.stop()
        await self.log.stop()

    @property
    def first(self) -> bool:
        """What one node has to do for all, this one does: it comes first of those that take clients, and knows what they know."""
        return not self.nodes.rank() and not self.log.stale

    def _describe(self) -> NodeInfo:
        reason = self._unready()
        return NodeInfo(
            self.node,
            self.name,
            __version__,
            self.addresses,
            self._started,
            len(self.sessions),
            len(self.presence),
            self.log.position,
            not reason,
            reason,
        )

    def _unready(self) -> str:
        if self._leaving:
            return "It is stopping"
        if self.log.stale:
            return "It has lost touch with the store"
        return self._store.trouble or ""

    async def _keep_in_touch(self) -> None:
        """A node that cannot follow sends its people to one that can."""
        told = False
        for turn in itertools.count(1):
            await asyncio.sleep(_WATCH_SECONDS)
            if turn % _SWEEP_TURNS == 0:
                try:
                    await self.acts.sweep()
                except Exception as error:
                    _log.warning("what was taken back cannot be swept: %s", error)
            if self.log.stale != told:
                told = self.log.stale
                if told:
                    _log.error("out of touch with the store: requests and streams are refused until its end was seen")
                else:
                    _log.warning("in touch with the store again")
            if self.log.stale and self.nodes.another and len(self.sessions):
                self.sessions.send_away("This node has lost touch with the store: go on at another one")

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
