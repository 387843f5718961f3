"""Groups and channels as rooms: which may be seen by whom, and the names of those that clients of XMPP have made."""

import re
from functools import partial

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, func, insert, or_, select

from hongyan.core.errors import Conflict, NotFound
from hongyan.core.model import Caller, Role, Writers
from hongyan.features.xmpp.places import Place
from hongyan.features.xmpp.tables_rooms import xmpp_rooms
from hongyan.messaging import Beside, Messaging
from hongyan.messaging.tables import conversations, members, users
from hongyan.store import Store, Transaction

_ID = re.compile(r"[a-z2-7]{24}")
_NAME_LENGTH = 64

_c, _m, _r = conversations.c, members.c, xmpp_rooms.c


class Room(msgspec.Struct, frozen=True):
    """A group or channel, as somebody finds it who may know of it."""

    place: Place
    writers: Writers
    count: int
    role: Role | None
    """None: it is a channel, and they are not in it."""


class Person(msgspec.Struct, frozen=True):
    name: str
    role: Role | None
    """None: they are not in it (any more)."""


class Directory:
    """Of rooms. It decides nothing that the services decide: who is in what is read as it is now."""

    def __init__(self, store: Store, messaging: Messaging) -> None:
        self._store = store
        self._messaging = messaging

    async def look(self, user: str, local: str) -> Room:
        """The room with this name or id. Raises NotFound for groups that the user is not in, as for what is not there."""
        found = await self._store.read(partial(_look, user, local))
        if found is None:
            raise NotFound("There is no such room, or you are not in it")
        return found

    async def may_be_made(self, name: str) -> bool:
        """Nothing has this name. Raises NotFound for what is no name: the form of an id, or too long."""
        if _ID.fullmatch(name) or len(name) > _NAME_LENGTH:
            raise NotFound("There is no such room, and none can have this name")
        return not await self._store.read(partial(_taken, name))

    async def create(self, caller: Caller, name: str, title: str, *, channel: bool, topic: str | None, writers: Writers) -> str:
        """A new group or channel with this name; its id. Raises Conflict when the name is taken, and what `create_group` does."""

        def write(tx: Transaction, id: str) -> None:
            if _taken(name, tx.connection):
                raise Conflict("A room has this name")
            tx.connection.execute(insert(xmpp_rooms).values(name=name, conversation=id))

        view = await self._messaging.conversations.create_group(
            caller, title, (), channel=channel, topic=topic, writers=writers, beside=Beside(f"xmpp_room:{name}", write)
        )
        return view.id

    async def name(self, conversation: str) -> str:
        """The local part of a room's address."""
        found: str | None = await self._store.read(
            lambda connection: connection.execute(select(_r.name).where(_r.conversation == conversation)).scalar_one_or_none()
        )
        return found or conversation

    async def person(self, conversation: str, user: str) -> Person | None:
        """Somebody, and their role. None when there is no such account."""
        statement = (
            select(users.c.name, _m.role)
            .outerjoin(members, (_m.user == users.c.id) & (_m.conversation == conversation))
            .where(users.c.id == user)
        )
        row = await self._store.read(lambda connection: connection.execute(statement).one_or_none())
        return Person(row.name, row.role) if row is not None else None

    async def page(
        self, user: str, *, after: str | None = None, before: str | None = None, limit: int
    ) -> tuple[list[Room], int, int]:
        """All channels and one's own groups, in order of their ids: a page, how many are before it, how many there are.

        `after` and `before` are ids; an empty `before` is the end.
        """

        def read(connection: Connection) -> tuple[list[Room], int, int]:
            mine = select(_m.conversation).where(_m.user == user)
            seen = or_(_c.kind == "channel", (_c.kind == "group") & _c.id.in_(mine))
            wanted = _rooms(user).where(seen)
            if after:
                wanted = wanted.where(_c.id > after)
            if before:
                wanted = wanted.where(_c.id < before)
            order = _c.id if before is None else _c.id.desc()
            found = [_room(row) for row in connection.execute(wanted.order_by(order).limit(limit))]
            if before is not None:
                found.reverse()

            def count(*more: ColumnElement[bool]) -> int:
                counted = select(func.count()).select_from(conversations)
                return connection.execute(counted.where(seen, *more)).scalar_one()

            return found, count(_c.id < found[0].place.id) if found else 0, count()

        return await self._store.read(read)


def _mine(user: str) -> ColumnElement[bool]:
    return (_m.conversation == _c.id) & (_m.user == user)


def _rooms(user: str) -> Select[str, str, str | None, str | None, str, int, str, str]:
    return select(_c.id, _c.kind, _c.title, _c.topic, _c.writers, _c.member_count, _m.role, _r.name).select_from(
        conversations.outerjoin(members, _mine(user)).outerjoin(xmpp_rooms, _r.conversation == _c.id)
    )


def _room(row) -> Room:  # type: ignore[no-untyped-def]
    place = Place(row.id, row.kind, row.title, row.topic, None, row.name or row.id)
    return Room(place, row.writers, row.member_count, row.role)


def _look(user: str, local: str, connection: Connection) -> Room | None:
    named = connection.execute(select(_r.conversation).where(_r.name == local)).scalar_one_or_none()
    row = connection.execute(_rooms(user).where(_c.id == (named or local))).one_or_none()
    if row is None or row.kind == "direct" or (row.kind != "channel" and row.role is None):
        return None
    return _room(row)


def _taken(name: str, connection: Connection) -> bool:
    named = connection.execute(select(_r.name).where(_r.name == name)).first()
    return named is not None or connection.execute(select(_c.id).where(_c.id == name)).first() is not None
