"""People of other servers, as users of the directory: their id is their address, which no account's name can be."""

from sqlalchemy import Select, func, insert, select

from hongyan.core.errors import Overloaded
from hongyan.core.text import folded
from hongyan.messaging.tables import users
from hongyan.store import Store, Transaction

_MOST = 200_000
"""Whom anybody has ever heard of."""
_CACHED = 20_000
_HOW_MANY = select(func.count()).select_from(users).where(users.c.id.contains("@"))


def is_remote(user: str) -> bool:
    return "@" in user


class Remotes:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, None] = {}
        self._count: int | None = None
        """How many there are, as far as this node knows; others count for themselves."""

    async def knows(self, user: str) -> bool:
        """Whether there is a user of this address."""
        if user not in self._known:
            if await self._store.read(lambda connection: connection.execute(_there(user)).first()) is None:
                return False
            self._remember(user)
        return True

    async def meet(self, user: str, now: int) -> None:
        """There is a user of this address from now on. Raises Overloaded."""
        if user not in self._known:
            if self._count is None:
                self._count = await self._store.read(lambda connection: connection.execute(_HOW_MANY).scalar_one())
            if self._count >= _MOST:
                raise Overloaded("This server knows as many people of other servers as it may know")
            self._count += await self._store.transaction(lambda tx: _meet(tx, user, now), scope="xmpp remotes")
            self._remember(user)

    def _remember(self, user: str) -> None:
        while len(self._known) >= _CACHED:
            del self._known[next(iter(self._known))]
        self._known[user] = None


def _meet(tx: Transaction, user: str, now: int) -> int:
    """How many there are more than before."""
    if tx.connection.execute(_there(user)).first() is not None:
        return 0
    row = dict(id=user, name=user, folded=folded(user), admin=False, disabled=False, created=now)
    tx.connection.execute(insert(users).values(row))
    return 1


def _there(user: str) -> Select[tuple[str]]:
    return select(users.c.id).where(users.c.id == user)
