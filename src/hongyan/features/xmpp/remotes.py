"""People of other servers, as users of the directory: their id is their address, which no account's name can be."""

from sqlalchemy import Select, insert, select

from hongyan.core.errors import Overloaded
from hongyan.core.text import folded
from hongyan.messaging.tables import users
from hongyan.store import Store, Transaction

_MOST = 200_000
"""Whom anybody has ever heard of."""
_CACHED = 20_000


def is_remote(user: str) -> bool:
    return "@" in user


class Remotes:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, None] = {}

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
            await self._store.transaction(lambda tx: self._meet(tx, user, now), scope="xmpp remotes")
            self._remember(user)

    def _remember(self, user: str) -> None:
        while len(self._known) >= _CACHED:
            del self._known[next(iter(self._known))]
        self._known[user] = None

    def _meet(self, tx: Transaction, user: str, now: int) -> None:
        if tx.connection.execute(_there(user)).first() is not None:
            return
        many = select(users.c.id).where(users.c.id.contains("@")).limit(1).offset(_MOST)
        if tx.connection.execute(many).first() is not None:
            raise Overloaded("This server knows as many people of other servers as it may know")
        row = dict(id=user, name=user, folded=folded(user), admin=False, disabled=False, created=now)
        tx.connection.execute(insert(users).values(row))


def _there(user: str) -> Select[tuple[str]]:
    return select(users.c.id).where(users.c.id == user)
