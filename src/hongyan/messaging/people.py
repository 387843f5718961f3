"""The directory of people: who there is, under which name. Accounts' passwords and tokens are the identity feature's."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, and_, bindparam, insert, or_, select, update

from hongyan.core.errors import Conflict, NotFound
from hongyan.core.model import DIRECTORY_LANE, user_lane
from hongyan.core.text import folded
from hongyan.messaging.membership import Joining, create, join
from hongyan.messaging.tables import conversations, users
from hongyan.store import Draft, Store, Transaction

LOBBY = "lobby"
"""The group that every account is in."""
_LOBBY_TITLE = "大厅"
_IN_ONE_EVENT = 200
_LAST = "\U0010ffff"

_encode = msgspec.json.Encoder().encode


class UserView(msgspec.Struct, frozen=True):
    id: str
    name: str
    avatar: str | msgspec.UnsetType = msgspec.UNSET
    """The hash of their picture, if they have one."""


class People:
    """Looking people up, and the account's half that is everybody's to see."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, user: str) -> UserView:
        """Raises NotFound; disabled accounts are still found, since their messages stay."""
        statement = select(users.c.id, users.c.name, users.c.avatar).where(users.c.id == user)
        row = await self._store.read(lambda connection: connection.execute(statement).one_or_none())
        if row is None:
            raise NotFound(f"There is no user {user}")
        return UserView(row.id, row.name, row.avatar or msgspec.UNSET)

    async def names(self, ids: Sequence[str]) -> dict[str, str]:
        """Display names of those that exist."""
        return await self._store.read(lambda connection: names(connection, ids))

    async def search(self, prefix: str, limit: int) -> list[UserView]:
        """Whose id or display name begins with `prefix`, in order of id. Disabled accounts are left out."""
        wanted = folded(prefix)
        statement = (
            select(users.c.id, users.c.name, users.c.avatar)
            .where(
                ~users.c.disabled,
                or_(*(and_(one >= wanted, one <= wanted + _LAST) for one in (users.c.id, users.c.folded))),
            )
            .order_by(users.c.id)
            .limit(limit)
        )
        rows = await self._store.read(lambda connection: connection.execute(statement).all())
        return [UserView(id, name, avatar or msgspec.UNSET) for id, name, avatar in rows]

    async def rename(self, user: str, name: str, now: int) -> None:
        """Change a display name; everybody learns of it by a `profile` event. Raises NotFound."""

        def change(tx: Transaction) -> None:
            row = tx.connection.execute(select(users.c.name, users.c.avatar).where(users.c.id == user)).one_or_none()
            if row is None:
                raise NotFound(f"There is no user {user}")
            if row.name != name:
                tx.connection.execute(update(users).where(users.c.id == user).values(name=name, folded=folded(name)))
                tx.append(profile(user, name, row.avatar, now))

        await self._store.transaction(change, scope=user_lane(user))

    def add(self, tx: Transaction, user: str, name: str, admin: bool, now: int) -> None:
        """Inside a transaction: one new person, in the directory and in the lobby. Raises Conflict when the id was ever used."""
        self.add_many(tx, [(user, name, admin)], now)

    def add_many(self, tx: Transaction, accounts: Sequence[tuple[str, str, bool]], now: int) -> None:
        """The same for (id, display name, administrator) of several."""
        taken = names(tx.connection, [id for id, _, _ in accounts])
        if taken:
            raise Conflict(f"The name {min(taken)} is taken")
        rows = [
            {"id": id, "name": name, "folded": folded(name), "admin": admin, "disabled": False, "created": now}
            for id, name, admin in accounts
        ]
        tx.connection.execute(insert(users), rows)
        entering = [Joining(id, name, "admin" if admin else "member") for id, name, admin in accounts]
        if tx.connection.execute(select(conversations.c.id).where(conversations.c.id == LOBBY)).first() is None:
            create(tx, LOBBY, "group", _LOBBY_TITLE, "all", None, entering[:_IN_ONE_EVENT], now, by=None)
            entering = entering[_IN_ONE_EVENT:]
        for at in range(0, len(entering), _IN_ONE_EVENT):
            join(tx, LOBBY, entering[at : at + _IN_ONE_EVENT], now, by=None)

    def disable(self, tx: Transaction, user: str, disabled: bool) -> None:
        """Inside a transaction. Raises NotFound."""
        if not tx.connection.execute(update(users).where(users.c.id == user).values(disabled=disabled)).rowcount:
            raise NotFound(f"There is no user {user}")


def profile(user: str, name: str, avatar: str | None, now: int) -> Draft:
    """The event that tells everybody how somebody is called and looks from now on."""
    content = _encode(UserView(user, name, avatar or msgspec.UNSET))
    return Draft(DIRECTORY_LANE, "profile", user, now, content)


_NAMES = select(users.c.id, users.c.name).where(users.c.id.in_(bindparam("some", expanding=True)))


def names(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Display names by id, of those that exist."""
    found: dict[str, str] = {}
    for at in range(0, len(ids), 500):
        rows = connection.execute(_NAMES, {"some": ids[at : at + 500]})
        found.update((id, name) for id, name in rows)
    return found


def enabled(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Display names by id, of those that exist and are not disabled. Raises NotFound with the first that is not."""
    found: dict[str, str] = {}
    for at in range(0, len(ids), 500):
        part = ids[at : at + 500]
        rows = connection.execute(select(users.c.id, users.c.name).where(users.c.id.in_(part), ~users.c.disabled))
        found.update((id, name) for id, name in rows)
    for id in ids:
        if id not in found:
            raise NotFound(f"There is no user {id}")
    return found
