"""Sessions: the live connections of this node, and the delivery of events and signals to them.

Delivery is best effort, the cursor makes it whole. A session that is up to date gets every event it may see pushed into a
bounded queue of references. One whose reader does not keep up falls `behind`: its queue is dropped, and it reads the log from
its position until it is up to date again. So a slow reader costs a bounded amount of memory and nobody waits for it.
"""

import itertools
import random
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from hongyan import config
from hongyan.bus import Signal
from hongyan.core.cursor import parse_cursor
from hongyan.core.errors import NotAuthenticated, Overloaded
from hongyan.core.model import DIRECTORY_LANE, Caller, TransportName
from hongyan.core.wire import Entry
from hongyan.messaging.log import Log
from hongyan.messaging.rate import Bucket
from hongyan.messaging.views import Reader, View, Views, recent
from hongyan.store import Store, reading

_EMBEDDED_CONNECTIONS = 3
_SIGNALS = 64
_AT_ONCE_BYTES = 262_144
"""Contents that are read from the store for one reader at a time."""


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a client does after the server ended its stream."""

    do: Literal["resume", "later", "login", "stop"]
    after: float | None = None
    """Seconds, with `later`."""
    reason: str = ""


class Chunk(msgspec.Struct, frozen=True, gc=False):
    """What is to be given to a reader at once."""

    entries: list[Entry]
    signals: list[dict[str, Any]]
    cursor: str
    more: bool = False
    limited: str | None = None
    """Why the cursor could not be continued: forget everything, load the snapshot, and go on from `cursor`."""


class Session:
    """One live connection of one device.

    `wake` is called once until the next `take`. It must only note that there is something: who takes inside `wake` would be
    told a cursor beyond events of the same batch that are still being handed out.
    """

    __slots__ = (
        "_close",
        "_log",
        "_most",
        "_only",
        "_sessions",
        "_wake",
        "_woken",
        "behind",
        "caller",
        "closed",
        "fell_behind",
        "id",
        "limited",
        "pending",
        "position",
        "signals",
        "since",
        "transport",
        "view",
    )

    def __init__(
        self,
        sessions: "Sessions",
        id: int,
        caller: Caller,
        transport: TransportName,
        wake: Callable[[], None],
        close: Callable[[Verdict], None],
        most: int,
        since: int,
    ) -> None:
        self._sessions = sessions
        self._log = sessions.log
        self._wake = wake
        self._close = close
        self._woken = False
        self._most = most
        self.id = id
        self.caller = caller
        self._only = caller.only
        self.transport: TransportName = transport
        self.since = since
        """Milliseconds since 1970 when it began."""
        self.view: View | None = None
        self.closed = False
        self.behind = True
        """Only `next` gets further."""
        self.position = 0
        """While behind: everything visible up to here was taken."""
        self.limited: str | None = None
        self.pending: list[Entry] = []
        self.signals: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.fell_behind = 0

    @property
    def cursor(self) -> str:
        """Everything visible up to there was taken."""
        if self.behind:
            position = self.position
        elif self.pending:
            position = self.pending[0].event.position - 1
        else:
            return self._log.cursor()
        return f"{self._log.epoch}.{position}"

    def push(self, entry: Entry) -> None:
        if self.behind or (self._only is not None and entry.event.lane != self._only):
            return
        if len(self.pending) >= self._most:
            self.position = self.pending[0].event.position - 1
            self.pending = []
            self.behind = True
            self.fell_behind += 1
            self._sessions.fell_behind += 1
        else:
            self.pending.append(entry)
        if not self._woken:
            self._woken = True
            self._wake()

    def signal(self, key: tuple[Any, ...], body: dict[str, Any]) -> None:
        """The newest of each kind is kept; what is above the bound is dropped. An embedded page learns who is typing, no more."""
        if self._only is not None and (body["type"] != "typing" or body["conversation"] != self._only):
            return
        if key in self.signals or len(self.signals) < _SIGNALS:
            self.signals[key] = body
            if not self._woken:
                self._woken = True
                self._wake()

    def take(self, limit: int = 1000) -> Chunk | None:
        """What is ready. None when there is nothing, or when it is behind."""
        self._woken = False
        if self.behind:
            return None
        pending = self.pending
        if not pending and not self.signals and self.limited is None:
            return None
        signals = list(self.signals.values())
        self.signals.clear()
        if len(pending) <= limit:
            self.pending = []
            limited, self.limited = self.limited, None
            return Chunk(pending, signals, self._log.cursor(), limited=limited)
        entries, self.pending = pending[:limit], pending[limit:]
        return Chunk(entries, signals, entries[-1].cursor, more=True)

    async def next(self, limit: int = 1000) -> Chunk:
        """What comes next, read from the ring or the store while behind; may be empty."""
        chunk = self.take(limit)
        if chunk is not None:
            return chunk
        if not self.behind:
            return Chunk([], [], self.cursor)
        view, log = self.view, self._log
        if view is None:
            raise NotAuthenticated("This session was closed")
        if self._only is not None:
            view = view.narrowed(self._only)
        if self.position >= log.floor:
            entries, more = recent(log, view, self.position, limit)
            upto = log.position
        else:
            upto, after = log.position, self.position
            spans = [(lane, span) for lane, parts in view.spans.items() for span in parts]
            events = await self._sessions.store.read(
                lambda connection: reading.visible_after(connection, spans, after, upto, limit + 1, _AT_ONCE_BYTES)
            )
            more = len(events) > limit or sum(len(event.content) for event in events) >= _AT_ONCE_BYTES
            events = events[:limit]
            entries = [Entry(event, log.epoch) for event in events]
        self.position = entries[-1].event.position if more else upto
        if not more and upto == log.position:
            self.behind = False
        return Chunk(entries, [], f"{log.epoch}.{self.position}", more=more or self.behind)

    def end(self, verdict: Verdict) -> None:
        """The server ends it; the gateway tells the client what to do next."""
        if not self.closed:
            self.close()
            self._close(verdict)

    def close(self) -> None:
        """The connection is gone. May be called again."""
        if not self.closed:
            self.closed = True
            self.pending = []
            self._sessions.forget(self)


class Sessions:
    """All sessions of this node."""

    def __init__(
        self,
        store: Store,
        log: Log,
        views: Views,
        limits: config.Limits,
        *,
        clock: Callable[[], int],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.store = store
        self.log = log
        self._views = views
        self._limits = limits
        self._clock = clock
        self._jitter = jitter
        self._all: dict[int, Session] = {}
        self._ids = itertools.count(1)
        self._per_payer: Counter[str] = Counter()
        self._admission = Bucket(limits.opens_per_second, limits.opens_burst)
        self._opened: Callable[[Session], None] = lambda session: None
        self._gone: Callable[[Session], None] = lambda session: None
        self._elsewhere: Callable[[], bool] = lambda: False
        self._stopping: Verdict | None = None
        self.by_transport: Counter[str] = Counter()
        self.delivered = 0
        self.fell_behind = 0
        self.refused = 0

    def __len__(self) -> int:
        return len(self._all)

    def knows(self, elsewhere: Callable[[], bool]) -> None:
        """Whether there is another node to go to."""
        self._elsewhere = elsewhere

    def watch(self, opened: Callable[[Session], None], gone: Callable[[Session], None]) -> None:
        """Be told of sessions that begin and end (presence)."""
        self._opened = opened
        self._gone = gone

    async def open(
        self,
        caller: Caller,
        transport: TransportName,
        cursor: str | None,
        wake: Callable[[], None],
        close: Callable[[Verdict], None],
    ) -> Session:
        """A session that continues after `cursor`; None is from now on.

        Raises InvalidCursor, Overloaded (with `retry_after`: too many connections, or too many at once), NotAuthenticated
        (the token was revoked meanwhile).
        """
        place = parse_cursor(cursor) if cursor is not None else None
        self._admit(caller, transport)
        session = Session(self, next(self._ids), caller, transport, wake, close, self._limits.session_queue, self._clock())
        self._all[session.id] = session
        self._per_payer[caller.payer] += 1
        self.by_transport[transport] += 1
        try:
            if place is not None and place.epoch == self.log.epoch and place.position > self.log.position:
                await self.log.caught_up()  # a cursor of another node may be ahead of this one, but not of the log
            await self._attach(session)
        except BaseException:
            session.close()
            raise
        if session.closed and self._stopping is not None:
            raise self._refuse("The server is stopping", self._stopping.after or 1.0)
        if session.closed:
            raise NotAuthenticated("The session was ended while it was being opened")
        if place is None:
            self._begin_now(session)
        elif place.epoch != self.log.epoch:
            self._begin_now(session, "epoch")
        elif place.position > self.log.position:
            self._begin_now(session, "ahead")
        else:
            self._continue(session, place.position)
        if caller.only is None:  # a page of somebody else's site does not tell that its user is there
            self._opened(session)
        return session

    def forget(self, session: Session) -> None:
        if self._all.pop(session.id, None) is None:
            return
        payer = session.caller.payer
        self._per_payer[payer] -= 1
        if not self._per_payer[payer]:
            del self._per_payer[payer]
        self.by_transport[session.transport] -= 1
        if session.view is not None:
            self._views.detach(session.view, session)
            session.view = None
            if session.caller.only is None:
                self._gone(session)

    def end_token(self, token_id: str) -> None:
        """A token has ended: so do its sessions."""
        for session in [one for one in self._all.values() if one.caller.token_id == token_id]:
            session.end(Verdict("login", reason="The token has ended"))

    def stop(self, after: float = 1.0) -> None:
        """Admit nobody any more. Everybody goes on at another node, now; where there is none, later, each at another moment."""
        self._stopping = Verdict("later", after)
        if self._elsewhere():
            self.send_away("This node is stopping: go on at another one")
        for session in list(self._all.values()):
            session.end(Verdict("later", round(after * (1 + self._jitter()), 2), "The server is stopping"))

    def send_away(self, reason: str) -> None:
        """Tell everybody to go on at another node, now."""
        for session in list(self._all.values()):
            session.end(Verdict("resume", reason=reason))

    def deliver(self, entry: Entry) -> None:
        """Hand one event to the sessions that may see it. Membership is the log's at exactly this event."""
        event = entry.event
        change = self._views.before(event) if event.type != "message" else None
        lane = self._views.lanes.get(event.lane)
        if lane is not None:
            self.delivered += len(lane.sessions)
            for session in lane.sessions:
                session.push(entry)
        elif event.lane == DIRECTORY_LANE:
            for session in self._all.values():
                session.push(entry)
        elif event.lane.startswith("user:"):
            view = self._views.peek(event.lane[5:])
            for session in view.sessions if view is not None else ():
                session.push(entry)
        if change is not None:
            self._views.after(event, change)

    def on_signal(self, signal: Signal) -> None:
        """Hand a signal to the readers of its lanes, once each, and not to the user it is about."""
        readers: set[Reader] = set()
        for name in signal.lanes:
            lane = self._views.lanes.get(name)
            if lane is not None:
                readers |= lane.sessions
        key = (signal.type, signal.user, signal.body.get("conversation"))
        for session in readers:
            if session.caller.user != signal.user and session.transport not in ("poll", "cim"):
                session.signal(key, signal.body)

    def _admit(self, caller: Caller, transport: TransportName) -> None:
        limits = self._limits
        self.log.require_fresh()
        if self._stopping is not None:
            raise self._refuse("The server is stopping", self._stopping.after or 1.0)
        if len(self._all) >= limits.connections:
            raise self._refuse("The server has as many connections as it may have", 10.0)
        most = limits.connections_per_user if caller.only is None else _EMBEDDED_CONNECTIONS
        if self._per_payer[caller.payer] >= most:
            raise self._refuse(f"One {'user' if caller.only is None else 'embedded page'} may have {most} connections", 10.0)
        if transport not in ("poll", "longpoll") and not self._admission.take():
            raise self._refuse("Too many connect at once", 1.0)

    def _refuse(self, reason: str, after: float) -> Overloaded:
        self.refused += 1
        return Overloaded(reason, retry_after=round(after * (1 + self._jitter()), 2))

    async def _attach(self, session: Session) -> None:
        while session.id in self._all:
            view = await self._views.get(session.caller.user)
            if session.id in self._all and self._views.attach(view, session):
                session.view = view
                return

    def _begin_now(self, session: Session, limited: str | None = None) -> None:
        session.behind = False
        session.limited = limited

    def _continue(self, session: Session, position: int) -> None:
        session.position = position
        if position >= self.log.floor and session.view is not None:
            view = session.view if session.caller.only is None else session.view.narrowed(session.caller.only)
            entries, more = recent(self.log, view, position, self._limits.session_queue)
            if not more:
                session.pending = entries
                session.behind = False
