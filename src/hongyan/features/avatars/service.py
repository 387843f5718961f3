"""Setting, showing and removing one's picture. Everybody learns of it by the `profile` event that tells of names."""

import asyncio
from collections.abc import Callable
from hashlib import sha1, sha256

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from hongyan.core.errors import Invalid, NotFound, Overloaded, TooLarge
from hongyan.core.model import Caller, user_lane
from hongyan.features.avatars.picture import draw
from hongyan.features.avatars.tables import avatars
from hongyan.messaging import Log
from hongyan.messaging.people import profile
from hongyan.messaging.tables import members, users
from hongyan.store import Store, Transaction

LARGEST = 524_288
_WAITING = 20
"""People whose picture may wait to be drawn; one at a time is."""


class Avatar(msgspec.Struct, frozen=True):
    content: bytes
    hash: str


class Avatars:
    def __init__(self, store: Store, log: Log, *, clock: Callable[[], int]) -> None:
        self._store = store
        self._log = log
        self._clock = clock
        self._one = asyncio.Lock()
        self._waiting: set[str] = set()

    async def put(self, caller: Caller, file: bytes) -> str:
        """The caller's picture from now on; its hash. Raises Invalid, TooLarge, Overloaded."""
        self._log.require_fresh()
        if not file:
            raise Invalid("The body is a PNG, JPEG or WebP picture")
        if len(file) > LARGEST:
            raise TooLarge(f"A picture may have {LARGEST} bytes")
        content = await self._drawn(caller.user, file)
        hash = sha256(content).hexdigest()[:32]
        await self._set(caller.user, hash, content)
        return hash

    async def remove(self, caller: Caller) -> None:
        """The caller has none any more, or had none."""
        self._log.require_fresh()
        await self._set(caller.user, None, None)

    async def get(self, caller: Caller, user: str) -> Avatar:
        """Somebody's. Raises NotFound; also for an embedded page when they are not in its conversation."""

        def read(connection: Connection) -> Avatar | None:
            if caller.only is not None:
                both = {user, caller.user}
                there = select(members.c.user).where(members.c.conversation == caller.only, members.c.user.in_(both))
                if both != set(connection.execute(there).scalars()):
                    return None
            found = select(avatars.c.content, users.c.avatar).join(users, users.c.id == avatars.c.user)
            row = connection.execute(found.where(avatars.c.user == user)).one_or_none()
            return Avatar(row.content, row.avatar or "") if row is not None else None

        found = await self._store.read(read)
        if found is None:
            raise NotFound("They have no picture")
        return found

    async def _drawn(self, user: str, file: bytes) -> bytes:
        if user in self._waiting or len(self._waiting) >= _WAITING:
            raise Overloaded("Too many pictures are being drawn", retry_after=1.0)
        self._waiting.add(user)
        try:
            async with self._one:
                return await draw(file)
        finally:
            self._waiting.discard(user)

    async def _set(self, user: str, hash: str | None, content: bytes | None) -> None:
        now = self._clock()
        named = sha1(content, usedforsecurity=False).hexdigest() if content is not None else None

        def write(tx: Transaction) -> None:
            row = tx.connection.execute(select(users.c.name, users.c.avatar).where(users.c.id == user)).one_or_none()
            if row is None:
                raise NotFound("There is no such user")
            if row.avatar == hash:
                return
            tx.connection.execute(delete(avatars).where(avatars.c.user == user))
            if content is not None:
                tx.connection.execute(insert(avatars).values(user=user, content=content, sha1=named))
            tx.connection.execute(update(users).where(users.c.id == user).values(avatar=hash))
            tx.append(profile(user, row.name, hash, now))

        await self._store.transaction(write, scope=user_lane(user))
