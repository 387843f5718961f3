"""The groups and channels that somebody is in, for lists of rooms to open (XEP-0402)."""

from collections.abc import Callable
from functools import partial

import msgspec
from sqlalchemy import Connection, select

from hongyan.core.model import Event
from hongyan.features.xmpp.tables_rooms import xmpp_rooms
from hongyan.messaging import Messaging
from hongyan.messaging.tables import conversations, members
from hongyan.store import Store

_LANES = frozenset({"create", "member", "settings"})


class Membership(msgspec.Struct, frozen=True):
    """A group or channel that somebody is in."""

    id: str
    name: str
    """The local part of its address."""
    title: str
    channel: bool


class _Person(msgspec.Struct):
    id: str


class _Change(msgspec.Struct):
    kind: str = ""
    members: list[_Person] = []
    action: str = ""
    users: list[_Person] = []
    title: str | None = None


_decode = msgspec.json.Decoder(_Change).decode


class Rooms:
    def __init__(self, store: Store, messaging: Messaging) -> None:
        self._store = store
        self._messaging = messaging
        self._changed: Callable[[str, str, bool], None] = lambda user, room, inside: None
        messaging.log.fold(self._apply)

    def watch(self, changed: Callable[[str, str, bool], None]) -> None:
        """Call `changed(user, conversation, inside)` when somebody comes in or goes, or a room is called otherwise."""
        self._changed = changed

    async def of(self, user: str, conversation: str | None = None) -> list[Membership]:
        """All of them, or this one if they are in it."""
        return await self._store.read(partial(_rooms, user, conversation))

    def _apply(self, event: Event) -> None:
        if event.type not in _LANES:
            return
        change = _decode(event.content)
        if event.type == "create" and change.kind != "direct":
            people, inside = [person.id for person in change.members], True
        elif event.type == "member" and change.action in ("add", "leave", "remove"):
            people, inside = [person.id for person in change.users], change.action == "add"
        elif event.type == "settings" and change.title is not None:
            lane = self._messaging.views.lanes.get(event.lane)
            people, inside = [one.caller.user for one in lane.sessions] if lane is not None else [], True
        else:
            return
        for user in dict.fromkeys(people):
            self._changed(user, event.lane, inside)


def _rooms(user: str, conversation: str | None, connection: Connection) -> list[Membership]:
    c, m, r = conversations.c, members.c, xmpp_rooms.c
    joined = conversations.join(members, m.conversation == c.id).outerjoin(xmpp_rooms, r.conversation == c.id)
    statement = select(c.id, c.title, c.kind, r.name).select_from(joined).where(m.user == user, c.kind != "direct")
    if conversation is not None:
        statement = statement.where(c.id == conversation)
    rows = connection.execute(statement.order_by(c.id))
    return [Membership(row.id, row.name or row.id, row.title or row.id, row.kind == "channel") for row in rows]
