"""What each user of this node may see, as a fold over the log: loaded from the store at a position, then kept by the events
since.

A View is one user's; a Lane is one conversation, shared by the views that are in it, and knows the sessions to deliver to.
Loading: the events that change memberships are kept from before the load begins; those above the loaded position are applied
to what was loaded, and from then on every change is applied as it comes. So a view is always true at the follower's position.
"""

import asyncio
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Protocol

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam, select

from hongyan.core.model import DIRECTORY_LANE, Caller, Event, Role, TransportName, Writers, user_lane
from hongyan.core.policy import Span
from hongyan.core.wire import Entry
from hongyan.messaging.log import Log
from hongyan.messaging.tables import conversations, former_members, members
from hongyan.store import Store, reading
from hongyan.store.schema import lanes

_EVERYTHING = (Span(1),)
_CHANGES = frozenset({"create", "member", "settings"})


class _Person(msgspec.Struct):
    id: str
    role: Role = "member"


class MemberChange(msgspec.Struct):
    """The content of `create`, `member` and `settings` events, as far as views need it."""

    writers: Writers | None = None
    members: list[_Person] = []
    action: str = ""
    users: list[_Person] = []
    owner: str | None = None
    count: int = 0


class Reader(Protocol):
    """A session, as far as it is known here."""

    @property
    def caller(self) -> Caller: ...

    @property
    def transport(self) -> TransportName: ...

    def push(self, entry: Entry) -> None: ...

    def signal(self, key: tuple[Any, ...], body: dict[str, Any]) -> None: ...


class Lane:
    """A conversation that somebody on this node is in."""

    __slots__ = ("id", "member_count", "sessions", "version", "views", "writers")

    def __init__(self, id: str, writers: Writers, member_count: int, version: int) -> None:
        self.id = id
        self.writers: Writers = writers
        self.member_count = member_count
        self.version = version
        """Version of membership and of who may write, named by every append (see hongyan.store)."""
        self.sessions: set[Reader] = set()
        self.views = 0


class View:
    """One user's. `spans` has also the lanes they were in once; `roles` only those they are in now."""

    __slots__ = ("allowance", "allowance_at", "lanes", "roles", "sessions", "spans", "user")

    def __init__(self, user: str) -> None:
        self.user = user
        self.roles: dict[str, Role] = {}
        self.lanes: dict[str, Lane] = {}
        self.spans: dict[str, tuple[Span, ...]] = {DIRECTORY_LANE: _EVERYTHING, user_lane(user): _EVERYTHING}
        self.sessions: set[Reader] = set()
        self.allowance = -1.0
        """Sends left in this user's token bucket; below 0 it is new."""
        self.allowance_at = 0.0

    def narrowed(self, only: str) -> "View":
        """What an embedded page may see of it: one conversation, as of now."""
        view = View(self.user)
        view.spans = {only: self.spans.get(only, ())}
        return view

    def shows(self, event: Event) -> bool:
        spans = self.spans.get(event.lane, ())
        at = bisect_right(spans, event.seq, key=_since)  # they are in order and apart from each other
        return at > 0 and spans[at - 1].shows(event.seq)


class _Loaded(msgspec.Struct):
    position: int
    now: list[tuple[str, Writers, int, int | None, str, int]]
    former: list[tuple[str, int, int]]


_c, _m, _f = conversations.c, members.c, former_members.c
_user: BindParameter[str] = bindparam("whose")
_NOW = (
    select(_c.id, _c.writers, _c.member_count, lanes.c.version, _m.role, _m.since_seq)
    .select_from(members.join(conversations, _c.id == _m.conversation).outerjoin(lanes, lanes.c.lane == _c.id))
    .where(_m.user == _user)
)
_FORMER = select(_f.conversation, _f.since_seq, _f.last_seq).where(_f.user == _user).order_by(_f.since_seq)


def _load(connection: Connection, user: str) -> _Loaded:
    now = connection.execute(_NOW, {"whose": user}).all()
    former = connection.execute(_FORMER, {"whose": user}).all()
    return _Loaded(reading.head(connection), [tuple(row) for row in now], [tuple(row) for row in former])


class Views:
    """All views of this node. Those without sessions are kept for a while, up to `idle` of them."""

    def __init__(self, store: Store, log: Log, *, idle: int = 10_000) -> None:
        self._store = store
        self._log = log
        self._most_idle = idle
        self._views: dict[str, View] = {}
        self._idle: OrderedDict[str, None] = OrderedDict()
        self._loading: dict[str, asyncio.Future[View]] = {}
        self._recent: list[tuple[Event, MemberChange]] = []
        self._decode = msgspec.json.Decoder(MemberChange).decode
        self.lanes: dict[str, Lane] = {}

    def peek(self, user: str) -> View | None:
        """The view, when it is here."""
        return self._views.get(user)

    async def get(self, user: str) -> View:
        """The view, loaded when it is not here."""
        view = self._views.get(user)
        if view is not None:
            if user in self._idle:
                self._idle.move_to_end(user)
            return view
        loading = self._loading.get(user)
        if loading is None:
            loading = asyncio.ensure_future(self._load(user))
            self._loading[user] = loading
        return await asyncio.shield(loading)

    def attach(self, view: View, session: Reader) -> bool:
        """Events of the view's lanes go to this session from now on. False when the view was forgotten: get it again."""
        if self._views.get(view.user) is not view:
            return False
        self._idle.pop(view.user, None)
        view.sessions.add(session)
        for lane in view.lanes.values():
            lane.sessions.add(session)
        return True

    def detach(self, view: View, session: Reader) -> None:
        view.sessions.discard(session)
        for lane in view.lanes.values():
            lane.sessions.discard(session)
        if not view.sessions and self._views.get(view.user) is view:
            self._rest(view.user)

    # The fold

    def before(self, event: Event) -> MemberChange | None:
        """What an event lets people in to, before it is delivered: who is added sees the event that adds them."""
        if event.type not in _CHANGES:
            return None
        change = self._decode(event.content)
        if event.type == "settings" and change.writers is None:
            return None
        if self._loading:
            self._recent.append((event, change))
        lane = self.lanes.get(event.lane)
        if lane is not None:
            lane.version = event.position
            lane.writers = change.writers or lane.writers
        if event.type == "create":
            self._let_in(event, change.writers, len(change.members), change.members)
        elif change.action == "add":
            self._let_in(event, change.writers, change.count, change.users)
        return change

    def after(self, event: Event, change: MemberChange) -> None:
        """What an event takes away, after it was delivered: who is removed sees the event that removes them, and nothing more."""
        lane = self.lanes.get(event.lane)
        if lane is None or event.type != "member":
            return
        lane.member_count = change.count
        if change.action in ("remove", "leave"):
            for person in change.users:
                if (view := self._views.get(person.id)) is not None:
                    self._let_out(view, lane, event.seq)
        roles = change.users if change.action == "role" else []
        if change.owner is not None:
            roles = [*roles, _Person(change.owner, "owner")]
        for person in roles:
            view = self._views.get(person.id)
            if view is not None and event.lane in view.roles:
                view.roles[event.lane] = person.role

    def _let_in(self, event: Event, writers: Writers | None, count: int, people: Iterable[_Person]) -> None:
        lane = self.lanes.get(event.lane)
        for person in people:
            view = self._views.get(person.id)
            if view is None or event.lane in view.roles:
                continue
            if lane is None:
                lane = self.lanes[event.lane] = Lane(event.lane, writers or "all", count, event.position)
            self._join(view, lane, person.role, event.seq)
        if lane is not None:
            lane.member_count = count

    def _join(self, view: View, lane: Lane, role: Role, since_seq: int) -> None:
        view.roles[lane.id] = role
        view.lanes[lane.id] = lane
        view.spans[lane.id] = (*view.spans.get(lane.id, ()), Span(since_seq))
        lane.views += 1
        lane.sessions.update(view.sessions)

    def _let_out(self, view: View, lane: Lane, last_seq: int) -> None:
        if view.roles.pop(lane.id, None) is None:
            return
        del view.lanes[lane.id]
        *closed, current = view.spans[lane.id]
        view.spans[lane.id] = (*closed, Span(current.since_seq, last_seq))
        lane.sessions -= view.sessions
        self._release(lane)

    def _release(self, lane: Lane) -> None:
        lane.views -= 1
        if not lane.views:
            del self.lanes[lane.id]

    # Loading and forgetting

    async def _load(self, user: str) -> View:
        try:
            loaded = await self._store.read(lambda connection: _load(connection, user))
            await self._log.reached(loaded.position)
            return self._install(user, loaded)
        finally:
            del self._loading[user]
            if not self._loading:
                self._recent.clear()

    def _install(self, user: str, loaded: _Loaded) -> View:
        view = self._views[user] = View(user)
        for conversation, since_seq, last_seq in loaded.former:
            view.spans[conversation] = (*view.spans.get(conversation, ()), Span(since_seq, last_seq))
        fresh: set[str] = set()
        for id, writers, count, version, role, since_seq in loaded.now:
            lane = self.lanes.get(id)
            if lane is None:
                lane = self.lanes[id] = Lane(id, writers, count, version or 0)
                fresh.add(id)
            self._join(view, lane, _role(role), since_seq)
        for event, change in self._recent:
            if event.position > loaded.position:
                self._catch_up(view, event, change, fresh)
        self._rest(user)
        return view

    def _catch_up(self, view: View, event: Event, change: MemberChange, fresh: set[str]) -> None:
        """Apply a change that was committed after what was loaded, to what other views do not have yet."""
        mine = [person for person in (change.members or change.users) if person.id == view.user]
        lane = self.lanes.get(event.lane)
        entering = event.type == "create" or change.action == "add"
        if mine and entering and event.lane not in view.roles:
            if lane is None:
                count = len(change.members) if event.type == "create" else change.count
                lane = self.lanes[event.lane] = Lane(event.lane, change.writers or "all", count, event.position)
                fresh.add(event.lane)
            self._join(view, lane, mine[0].role, event.seq)
        if lane is None:
            return
        if event.lane in fresh:
            lane.version = event.position
            lane.writers = change.writers or lane.writers
            if event.type == "member":
                lane.member_count = change.count or lane.member_count
        if event.lane in view.roles:
            if change.action == "role" and mine:
                view.roles[event.lane] = mine[0].role
            if change.owner == view.user:
                view.roles[event.lane] = "owner"
            if mine and change.action in ("remove", "leave"):
                self._let_out(view, lane, event.seq)

    def _rest(self, user: str) -> None:
        self._idle[user] = None
        self._idle.move_to_end(user)
        while len(self._idle) > self._most_idle:
            forgotten, _ = self._idle.popitem(last=False)
            view = self._views.pop(forgotten)
            for lane in view.lanes.values():
                self._release(lane)


def recent(log: Log, view: View, position: int, limit: int) -> tuple[list[Entry], bool]:
    """What the view shows of the ring above `position` (not below the ring's floor), ascending; and whether there is more."""
    if log.position - position <= min(len(view.spans), limit):  # little has happened: look at all of it
        found = [entry for entry in log.after(position, limit) if view.shows(entry.event)]
    else:
        found = []
        for lane, spans in view.spans.items():
            found += log.lane_after(lane, spans, position, limit + 1)
        found.sort(key=_position)
    return found[:limit], len(found) > limit


def _since(span: Span) -> int:
    return span.since_seq


def _position(entry: Entry) -> int:
    return entry.event.position


def _role(text: Any) -> Role:
    return "owner" if text == "owner" else "admin" if text == "admin" else "member"
