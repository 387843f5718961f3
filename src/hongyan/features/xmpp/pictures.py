"""Pictures of people as XMPP names them: by the SHA-1 of what is in them (XEP-0084, XEP-0153)."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, func, select

from hongyan.features.avatars.tables import avatars
from hongyan.store import Store


class Picture(msgspec.Struct, frozen=True):
    sha1: str
    size: int


class Pictures:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, people: Sequence[str]) -> dict[str, Picture]:
        """Those who have one."""

        def read(connection: Connection) -> dict[str, Picture]:
            found = {}
            for at in range(0, len(people), 500):
                some = avatars.c.user.in_(people[at : at + 500])
                for user, sha1, size in connection.execute(
                    select(avatars.c.user, avatars.c.sha1, func.length(avatars.c.content)).where(some)
                ):
                    found[user] = Picture(sha1, size)
            return found

        return await self._store.read(read)
