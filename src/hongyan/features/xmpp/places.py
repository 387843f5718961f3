"""Conversations as addresses: whose direct conversation one is, what a group is called. Kept by the events since it was read."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from functools import partial

import msgspec
from sqlalchemy import Connection, select

from hongyan.core.errors import NotFound
from hongyan.core.model import Caller, Event, Kind
from hongyan.features.xmpp.tables_rooms import xmpp_rooms
from hongyan.messaging import Messaging
from hongyan.messaging.tables import conversations
from hongyan.store import Store

_MOST = 50_000


class Place(msgspec.Struct, frozen=True):
    """A conversation."""

    id: str
    kind: Kind
    title: str | None
    topic: str | None
    pair: tuple[str, str] | None
    """The two of a direct one."""
    name: str
    """The local part of a room's address: what it was called when it was made, or its id."""

    def peer(self, user: str) -> str | None:
        """The other of a direct one."""
        if self.pair is None:
            return None
        return self.pair[1] if self.pair[0] == user else self.pair[0]


class _Settings(msgspec.Struct):
    title: str | msgspec.UnsetType | None = msgspec.UNSET
    topic: str | msgspec.UnsetType | None = msgspec.UNSET


class Places:
    def __init__(self, store: Store, messaging: Messaging) -> None:
        self._store = store
        self._messaging = messaging
        self._known: OrderedDict[str, Place] = OrderedDict()
        self._direct: OrderedDict[tuple[str, str], str] = OrderedDict()
        messaging.log.fold(self._apply)

    def get(self, id: str) -> Place | None:
        """As far as it is known."""
        return self._known.get(id)

    async def learn(self, ids: Iterable[str]) -> None:
        """Read those that are not known yet. Those that do not exist stay unknown."""
        wanted = [id for id in dict.fromkeys(ids) if id not in self._known]
        for at in range(0, len(wanted), 500):
            some = wanted[at : at + 500]
            for place in await self._store.read(partial(_places, some)):
                self._keep(place)

    async def find(self, id: str) -> Place:
        """Raises NotFound."""
        await self.learn([id])
        found = self._known.get(id)
        if found is None:
            raise NotFound("There is no such conversation, or you are not in it")
        return found

    def direct(self, user: str, other: str) -> str | None:
        """The conversation of two people, as far as it is known."""
        return self._direct.get((user, other))

    async def between(self, user: str, other: str) -> str | None:
        """The conversation of two people, if there is one."""
        pair = user, other
        found = self._direct.get(pair)
        if found is None:
            key = "\n".join(sorted(pair))
            find = select(conversations.c.id).where(conversations.c.direct_key == key)
            found = await self._store.read(lambda connection: connection.execute(find).scalar_one_or_none())
            if found is not None:
                self._met(pair, found)
        return found

    async def meet(self, caller: Caller, other: str) -> str:
        """The conversation of two people, made if need be. Raises NotFound, Invalid."""
        pair = caller.user, other
        found = self._direct.get(pair)
        if found is None:
            view, _ = await self._messaging.conversations.create_direct(caller, other)
            found = view.id
            self._met(pair, found)
        return found

    def _met(self, pair: tuple[str, str], id: str) -> None:
        while len(self._direct) >= _MOST:
            self._direct.popitem(last=False)
        self._direct[pair] = id

    def _keep(self, place: Place) -> None:
        while len(self._known) >= _MOST:
            self._known.popitem(last=False)
        self._known[place.id] = place

    def _apply(self, event: Event) -> None:
        if event.type == "settings" and (known := self._known.get(event.lane)) is not None:
            changed = msgspec.json.decode(event.content, type=_Settings)
            title = known.title if changed.title is msgspec.UNSET else changed.title
            topic = known.topic if changed.topic is msgspec.UNSET else changed.topic
            self._known[event.lane] = msgspec.structs.replace(known, title=title, topic=topic)


def _places(ids: Sequence[str], connection: Connection) -> list[Place]:
    c, r = conversations.c, xmpp_rooms.c
    joined = conversations.outerjoin(xmpp_rooms, r.conversation == c.id)
    wanted = select(c.id, c.kind, c.title, c.topic, c.direct_key, r.name).select_from(joined).where(c.id.in_(ids))
    rows = connection.execute(wanted)
    return [Place(row.id, row.kind, row.title, row.topic, _pair(row.direct_key), row.name or row.id) for row in rows]


def _pair(key: str | None) -> tuple[str, str] | None:
    one, _, other = (key or "").partition("\n")
    return (one, other) if key else None
