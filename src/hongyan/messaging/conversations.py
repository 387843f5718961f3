"""Conversations: making, finding, changing them, and who is in them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from weakref import WeakValueDictionary

import msgspec
from sqlalchemy import Connection, func, select, update

from hongyan import config
from hongyan.core import policy, text
from hongyan.core.cursor import parse_cursor
from hongyan.core.errors import Conflict, Invalid, TooLarge
from hongyan.core.ids import id_from_bits
from hongyan.core.model import Caller, HistoryPolicy, Kind, Role, Writers
from hongyan.core.own import StatusText
from hongyan.core.preferences import Preferences
from hongyan.messaging.bans import banned, let_in
from hongyan.messaging.describing import ChannelView, ConversationView, MemberView, channels, describe
from hongyan.messaging.log import Log
from hongyan.messaging.membership import (
    Joining,
    change_role,
    create,
    join,
    members_place,
    part,
    place,
    role_of,
)
from hongyan.messaging.owned import preferences_of, status_of
from hongyan.messaging.people import enabled, names
from hongyan.messaging.tables import conversations, members, users
from hongyan.store import Draft, Store, Transaction, reading

Elsewhere = Callable[[Caller, str], Awaitable[str]]
"""Whom an address (NAME@DOMAIN) means: their id as a user, who is one from then on. Raises HongyanError."""

_ID_BYTES = 15


class Beside(msgspec.Struct, frozen=True):
    """What a feature stores in the transaction that makes a conversation, if it is to be as one."""

    scope: str
    """Of the transaction: a new conversation has nothing to wait for."""
    write: Callable[[Transaction, str], None]
    """Given the id of the conversation."""


class Me(msgspec.Struct, frozen=True):
    id: str
    name: str
    admin: bool


class Snapshot(msgspec.Struct, frozen=True):
    """Everything a client needs at the start, as of exactly `cursor`."""

    cursor: str
    user: Me
    conversations: list[ConversationView]
    preferences: Preferences
    status_text: StatusText | None
    """The caller's words about themselves; they may be over by now."""


class Conversations:
    """Every change is one transaction: the rows and the event that tells of it. Every call may raise NotFound and Forbidden."""

    def __init__(
        self, store: Store, log: Log, limits: config.Limits, *, clock: Callable[[], int], random: Callable[[int], bytes]
    ) -> None:
        self._store = store
        self._log = log
        self._limits = limits
        self._clock = clock
        self._random = random
        self._elsewhere: Elsewhere | None = None
        self._snapshots: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def through(self, find: Elsewhere) -> None:
        """Who finds people of other servers."""
        self._elsewhere = find

    async def create_direct(self, caller: Caller, other: str) -> tuple[ConversationView, bool]:
        """The one conversation of two people; and whether it is new. `other` is an id or an address."""
        if "@" in other and self._elsewhere is not None:
            other = await self._elsewhere(caller, other)
        if other == caller.user:
            raise Invalid("A direct conversation needs somebody else")
        key = "\n".join(sorted((caller.user, other)))
        find = select(conversations.c.id).where(conversations.c.direct_key == key)
        found: str | None = await self._store.read(lambda connection: connection.execute(find).scalar_one_or_none())
        if found is not None:
            return await self.get(caller, found), False
        id = id_from_bits(self._random(_ID_BYTES))
        now = self._clock()

        def make(tx: Transaction) -> tuple[str, bool]:
            there: str | None = tx.connection.execute(find).scalar_one_or_none()
            if there is not None:
                return there, False
            known = enabled(tx.connection, [caller.user, other])
            people = [Joining(user, name) for user, name in sorted(known.items())]
            create(tx, id, "direct", None, "all", key, people, now, by=caller.user)
            return id, True

        made, new = await self._store.transaction(make, scope=f"direct:{key}")
        return await self._changed(caller, made), new

    async def create_group(
        self,
        caller: Caller,
        title: str,
        others: Sequence[str],
        history: HistoryPolicy = "joined",
        *,
        channel: bool = False,
        topic: str | None = None,
        writers: Writers = "all",
        beside: Beside | None = None,
    ) -> ConversationView:
        """A new group, or channel, with the caller as its owner."""
        title = text.title(title, self._limits.title_length)
        topic = None if topic is None else text.topic(topic)
        others = self._people(others)
        id = id_from_bits(self._random(_ID_BYTES))
        now = self._clock()

        def make(tx: Transaction) -> None:
            known = enabled(tx.connection, [caller.user, *others])
            people = [Joining(user, name, "owner" if user == caller.user else "member") for user, name in known.items()]
            self._room_for(tx, list(known))
            kind: Kind = "channel" if channel else "group"
            create(tx, id, kind, title, history, None, people, now, by=caller.user, topic=topic, writers=writers)
            if beside is not None:
                beside.write(tx, id)

        await self._store.transaction(make, scope=id if beside is None else beside.scope)
        return await self._changed(caller, id)

    async def get(self, caller: Caller, conversation: str) -> ConversationView:
        epoch = self._store.epoch
        found = await self._store.read(lambda connection: describe(connection, epoch, caller.user, conversation))
        if not found:
            policy.member(None)
        return found[0]

    async def snapshot(self, caller: Caller) -> Snapshot:
        """One consistent state with the position it belongs to. One of a user at a time: it may be long, and readers are few."""
        epoch = self._store.epoch

        def read(connection: Connection) -> Snapshot:
            row = connection.execute(select(users.c.name, users.c.admin).where(users.c.id == caller.user)).one()
            cursor = f"{epoch}.{reading.head(connection)}"
            me = Me(caller.user, row.name, row.admin)
            found = describe(connection, epoch, caller.user)
            return Snapshot(cursor, me, found, preferences_of(connection, caller.user), status_of(connection, caller.user))

        async with self._snapshots.setdefault(caller.user, asyncio.Lock()):
            return await self._store.read(read)

    async def change(
        self,
        caller: Caller,
        conversation: str,
        title: str | None = None,
        history: HistoryPolicy | None = None,
        *,
        topic: str | None = None,
        writers: Writers | None = None,
    ) -> ConversationView:
        """Another title, topic (empty: none), history policy (for those who are added from now on), or who may write."""
        wanted: dict[str, str | None] = {}
        if title is not None:
            wanted["title"] = text.title(title, self._limits.title_length)
        if history is not None:
            wanted["history"] = history
        if topic is not None:
            wanted["topic"] = text.topic(topic) if topic else None
        if writers is not None:
            wanted["writers"] = writers
        if not wanted:
            raise Invalid("Give a title, a topic, a history policy or who may write")
        now = self._clock()

        def change(tx: Transaction) -> None:
            here = members_place(tx.connection, conversation, caller.user)
            policy.change_settings(here.kind, here.role)
            before = tx.connection.execute(select(conversations).where(conversations.c.id == conversation)).one()
            changed = {name: value for name, value in wanted.items() if getattr(before, name) != value}
            if changed:
                tx.connection.execute(update(conversations).where(conversations.c.id == conversation).values(changed))
                content = msgspec.json.encode(changed)
                tx.append(Draft(conversation, "settings", caller.user, now, content, bumps="writers" in changed))

        await self._store.transaction(change, scope=conversation)
        return await self._changed(caller, conversation)

    async def members(
        self, caller: Caller, conversation: str, after: str | None, limit: int, *, role: Role | None = None
    ) -> tuple[list[MemberView], bool]:
        """A page of members in order of their ids, and whether there are more; of all, or of those with this role."""
        statement = (
            select(members.c.user, users.c.name, members.c.role, users.c.avatar)
            .join(users, users.c.id == members.c.user)
            .where(members.c.conversation == conversation)
            .order_by(members.c.user)
            .limit(limit + 1)
        )
        if after is not None:
            statement = statement.where(members.c.user > after)
        if role is not None:
            statement = statement.where(members.c.role == role)

        def read(connection: Connection) -> "list[MemberView]":
            policy.member(role_of(connection, conversation, caller.user))
            return [
                MemberView(id, name, role, avatar or msgspec.UNSET) for id, name, role, avatar in connection.execute(statement)
            ]

        found = await self._store.read(read)
        return found[:limit], len(found) > limit

    async def add(self, caller: Caller, conversation: str, people: Sequence[str]) -> ConversationView:
        """Bring people in. Those who are in it already stay as they are."""
        people = self._people(people)
        if not people:
            raise Invalid("Name somebody to add")
        now = self._clock()

        def change(tx: Transaction) -> None:
            here = members_place(tx.connection, conversation, caller.user)
            policy.add_members(here.kind, here.role)
            known = enabled(tx.connection, people)
            inside = tx.connection.execute(
                select(members.c.user).where(members.c.conversation == conversation, members.c.user.in_(people))
            ).scalars()
            fresh = known.keys() - set(inside)
            if not fresh:
                return
            if here.member_count + len(fresh) > self._limits.members:
                raise TooLarge(f"A group may have {self._limits.members} members")
            self._room_for(tx, list(fresh))
            if kept_out := banned(tx.connection, conversation, fresh):
                policy.bring_back(here.role)
                let_in(tx.connection, conversation, kept_out)
            join(tx, conversation, [Joining(user, known[user]) for user in people if user in fresh], now, by=caller.user)

        await self._store.transaction(change, scope=conversation)
        return await self._changed(caller, conversation)

    async def join(self, caller: Caller, conversation: str) -> ConversationView:
        """Come into a channel by oneself; who is in it stays. Into an empty one as its owner. Raises Conflict (archived)."""
        now = self._clock()

        def change(tx: Transaction) -> None:
            here = place(tx.connection, conversation, caller.user)
            if here is None:
                policy.member(None)
            elif here.role is None:
                policy.join(here.kind, here.writers, banned=bool(banned(tx.connection, conversation, [caller.user])))
                if here.member_count >= self._limits.members:
                    raise TooLarge(f"A channel may have {self._limits.members} members")
                known = enabled(tx.connection, [caller.user])
                self._room_for(tx, [caller.user])
                role: Role = "member" if here.member_count else "owner"
                join(tx, conversation, [Joining(caller.user, known[caller.user], role)], now, by=caller.user)

        await self._store.transaction(change, scope=conversation)
        return await self._changed(caller, conversation)

    async def channels(self, caller: Caller, prefix: str, after: str, limit: int) -> "tuple[list[ChannelView], bool]":
        """The directory of channels, in order of titles and then ids (`after` is an id): those whose title has `prefix` in it."""

        def read(connection: Connection) -> "list[ChannelView]":
            return channels(connection, caller.user, prefix, after, limit + 1)

        found = await self._store.read(read)
        return found[:limit], len(found) > limit

    async def set_role(self, caller: Caller, conversation: str, user: str, role: Role) -> ConversationView:
        """Give a role. Giving `owner` away makes the caller an admin."""
        now = self._clock()

        def change(tx: Transaction) -> None:
            here = members_place(tx.connection, conversation, caller.user)
            target = role_of(tx.connection, conversation, user)
            policy.set_role(here.kind, here.role, target)
            if target == role:
                return
            if user == caller.user:
                policy.give_up_ownership(role)
            known = names(tx.connection, [user, caller.user])
            changed = [Joining(user, known[user], role)]
            if role == "owner":
                changed.append(Joining(caller.user, known[caller.user], "admin"))
            change_role(tx, conversation, changed, here.member_count, now, by=caller.user)

        await self._store.transaction(change, scope=conversation)
        return await self._changed(caller, conversation)

    async def remove(self, caller: Caller, conversation: str, user: str) -> None:
        """Remove somebody, or leave."""
        now = self._clock()

        def change(tx: Transaction) -> None:
            here = members_place(tx.connection, conversation, caller.user)
            target = role_of(tx.connection, conversation, user)
            policy.remove_member(here.kind, here.role, target, oneself=user == caller.user)
            part(tx, conversation, user, names(tx.connection, [user])[user], now, by=caller.user)

        await self._store.transaction(change, scope=conversation)

    async def _changed(self, caller: Caller, conversation: str) -> ConversationView:
        """As it is now, once this node knows of the change: who is told of it may send at once."""
        view = await self.get(caller, conversation)
        await self._log.reached(parse_cursor(view.cursor).position)
        return view

    def _people(self, people: Sequence[str]) -> "list[str]":
        if len(people) > self._limits.members_per_call:
            raise TooLarge(f"One call may name {self._limits.members_per_call} people")
        return list(dict.fromkeys(people))

    def _room_for(self, tx: Transaction, people: "list[str]") -> None:
        most = self._limits.conversations_per_user
        for at in range(0, len(people), 500):
            some = members.c.user.in_(people[at : at + 500])
            crowded = select(members.c.user).where(some).group_by(members.c.user).having(func.count() >= most).limit(1)
            if (user := tx.connection.execute(crowded).scalar_one_or_none()) is not None:
                raise Conflict(f"{user} is in as many conversations as one user may be in")
