"""Who is in the rooms that clients of this node have joined: read once for all of them, then kept by the events since.

A roster lives as long as somebody holds it. Of large rooms it has nobody.
"""

from functools import partial
from weakref import WeakValueDictionary

import msgspec
from sqlalchemy import Connection, select

from hongyan.core.errors import NotFound
from hongyan.core.model import Event, Role, Writers
from hongyan.features.xmpp.directory import Person
from hongyan.messaging import Messaging
from hongyan.messaging.describing import MEMBERS_LISTED
from hongyan.messaging.tables import conversations, members, users
from hongyan.store import Store, reading

_FOLDED = frozenset({"member", "settings", "profile"})


class Somebody(msgspec.Struct):
    id: str
    name: str
    role: Role = "member"


class RoomChange(msgspec.Struct):
    """The content of `create`, `member` and `settings` events, as far as rooms need it."""

    action: str = ""
    users: list[Somebody] = []
    members: list[Somebody] = []
    owner: str | None = None
    writers: Writers | None = None
    title: str | msgspec.UnsetType | None = msgspec.UNSET
    topic: str | msgspec.UnsetType | None = msgspec.UNSET
    history: str | None = None
    banned: bool = False


decode_change = msgspec.json.Decoder(RoomChange).decode
_decode_profile = msgspec.json.Decoder(Somebody).decode


class Roster:
    __slots__ = ("__weakref__", "people", "writers")

    def __init__(self, writers: Writers, people: dict[str, Person] | None) -> None:
        self.writers: Writers = writers
        self.people = people
        """By user; None: they are too many."""

    def renamed(self, user: str, name: str) -> None:
        if self.people is not None and (known := self.people.get(user)) is not None:
            self.people[user] = Person(name, known.role)

    def apply(self, event: Event) -> None:
        change = decode_change(event.content)
        if event.type == "settings":
            self.writers = change.writers or self.writers
        elif self.people is not None:
            for one in change.users:
                if change.action in ("add", "role"):
                    self.people[one.id] = Person(one.name, one.role)
                else:
                    self.people.pop(one.id, None)
            if change.owner is not None and (heir := self.people.get(change.owner)) is not None:
                self.people[change.owner] = Person(heir.name, "owner")
            if len(self.people) > MEMBERS_LISTED:
                self.people = None


class _Loaded(msgspec.Struct):
    position: int
    writers: Writers
    people: dict[str, Person] | None


class Rosters:
    def __init__(self, store: Store, messaging: Messaging) -> None:
        self._store = store
        self._log = messaging.log
        self._held: WeakValueDictionary[str, Roster] = WeakValueDictionary()
        self._loading = 0
        self._recent: list[Event] = []
        self._log.fold(self._apply)

    async def hold(self, conversation: str) -> Roster:
        """True at the follower's position, as long as it is held. Raises NotFound."""
        held = self._held.get(conversation)
        if held is not None:
            return held
        self._loading += 1
        try:
            loaded = await self._store.read(partial(_load, conversation))
            await self._log.reached(loaded.position)
            held = self._held.get(conversation)
            if held is None:
                held = Roster(loaded.writers, loaded.people)
                for event in self._recent:
                    if event.position > loaded.position:
                        self._keep(held, conversation, event)
                self._held[conversation] = held
            return held
        finally:
            self._loading -= 1
            if not self._loading:
                self._recent.clear()

    def _apply(self, event: Event) -> None:
        if event.type in _FOLDED:
            if self._loading:
                self._recent.append(event)
            if event.type == "profile":
                for id, roster in list(self._held.items()):
                    self._keep(roster, id, event)
            elif (held := self._held.get(event.lane)) is not None:
                held.apply(event)

    def _keep(self, roster: Roster, id: str, event: Event) -> None:
        if event.type == "profile":
            told = _decode_profile(event.content)
            roster.renamed(told.id, told.name)
        elif event.lane == id:
            roster.apply(event)


def _load(conversation: str, connection: Connection) -> _Loaded:
    c = conversations.c
    row = connection.execute(select(c.writers, c.member_count).where(c.id == conversation)).one_or_none()
    if row is None:
        raise NotFound("There is no such room, or you are not in it")
    people: dict[str, Person] | None = None
    if row.member_count <= MEMBERS_LISTED:
        wanted = select(members.c.user, users.c.name, members.c.role).join(users, users.c.id == members.c.user)
        rows = connection.execute(wanted.where(members.c.conversation == conversation).order_by(members.c.user))
        people = {user: Person(name, role) for user, name, role in rows}
    return _Loaded(reading.head(connection), row.writers, people)
