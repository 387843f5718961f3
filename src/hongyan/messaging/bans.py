"""Who may not come into a group or channel any more, until its owner or an admin lets them."""

from collections.abc import Callable, Collection

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from hongyan.core import policy
from hongyan.core.errors import Conflict, NotFound
from hongyan.core.model import Caller
from hongyan.messaging.membership import members_place, part, role_of
from hongyan.messaging.people import names
from hongyan.messaging.tables import bans, users
from hongyan.store import Store, Transaction

_MOST = 1_000
_b = bans.c


class BanView(msgspec.Struct, frozen=True):
    id: str
    name: str
    by: str
    """Who has banned them."""
    time: int
    """Milliseconds since 1970 UTC."""


class Bans:
    """Every call is for the owner and admins, and may raise NotFound and Forbidden."""

    def __init__(self, store: Store, *, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock

    async def all(self, caller: Caller, conversation: str) -> list[BanView]:
        """In order of their ids."""

        def read(connection: Connection) -> list[BanView]:
            here = members_place(connection, conversation, caller.user)
            policy.keep_out(here.kind, here.role)
            listed = select(_b.user, users.c.name, _b.by, _b.time).join(users, users.c.id == _b.user)
            rows = connection.execute(listed.where(_b.conversation == conversation).order_by(_b.user))
            return [BanView(*row) for row in rows]

        return await self._store.read(read)

    async def ban(self, caller: Caller, conversation: str, user: str) -> None:
        """They are no member any more, and do not become one by themselves or by other members. Raises Invalid, Conflict."""
        now = self._clock()

        def change(tx: Transaction) -> None:
            target = self._may(tx, caller, conversation, user)
            if banned(tx.connection, conversation, [user]):
                return
            name = names(tx.connection, [user]).get(user)
            if name is None:
                raise NotFound(f"There is no user {user}")
            count = select(func.count()).select_from(bans).where(_b.conversation == conversation)
            if tx.connection.execute(count).scalar_one() >= _MOST:
                raise Conflict(f"{_MOST} people may be kept out of one conversation")
            if target:
                part(tx, conversation, user, name, now, by=caller.user, banned=True)
            tx.connection.execute(insert(bans).values(conversation=conversation, user=user, by=caller.user, time=now))

        await self._store.transaction(change, scope=conversation)

    async def lift(self, caller: Caller, conversation: str, user: str) -> None:
        """They may come in again, and are not in it by that. Raises NotFound for who is not banned."""

        def change(tx: Transaction) -> None:
            self._may(tx, caller, conversation, user)
            if not banned(tx.connection, conversation, [user]):
                raise NotFound("They are not kept out")
            let_in(tx.connection, conversation, [user])

        await self._store.transaction(change, scope=conversation)

    def _may(self, tx: Transaction, caller: Caller, conversation: str, user: str) -> bool:
        """Whether they are in it."""
        here = members_place(tx.connection, conversation, caller.user)
        target = role_of(tx.connection, conversation, user)
        policy.keep_out(here.kind, here.role, target, oneself=user == caller.user)
        return target is not None


def banned(connection: Connection, conversation: str, people: Collection[str]) -> set[str]:
    """Those of up to some hundred people who are kept out."""
    found = select(_b.user).where(_b.conversation == conversation, _b.user.in_(people))
    return set(connection.execute(found).scalars())


def let_in(connection: Connection, conversation: str, people: Collection[str]) -> None:
    connection.execute(delete(bans).where(_b.conversation == conversation, _b.user.in_(people)))
