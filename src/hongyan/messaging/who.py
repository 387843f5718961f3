"""Who has done something with a message: read it, reacted, voted. Pages of people, in order of their ids."""

from collections.abc import Callable
from typing import Literal

import msgspec
from sqlalchemy import Connection, Select, func, select

from hongyan.core.model import Caller
from hongyan.messaging.describing import MEMBERS_LISTED
from hongyan.messaging.here import here_of, readable
from hongyan.messaging.people import UserView
from hongyan.messaging.tables import members, responses, users
from hongyan.store import Store

ResponseKind = Literal["react", "vote"]


class Somebody(msgspec.Struct, frozen=True):
    """A page of people, and how many there are altogether."""

    users: list[UserView]
    count: int
    more: bool


class ReadMark(msgspec.Struct, frozen=True):
    """How far a member has read. What is below `first_seq` they may not read at all."""

    user: str
    seq: int
    first_seq: int


class Who:
    """Every call may raise NotFound."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, caller: Caller, conversation: str, seq: int, after: str, limit: int, *, have: bool) -> Somebody:
        """Members who have read up to this message, or (`have` false) have not; its author is in neither list.

        Members who came later and may not read it are in neither. It is worked out from the read marks: nothing is kept for
        each reader and message.
        """

        def people(sender: str | None) -> Select[str, str, str | None]:
            mark = members.c.read_seq >= seq if have else members.c.read_seq < seq
            return (
                select(users.c.id, users.c.name, users.c.avatar)
                .join(members, members.c.user == users.c.id)
                .where(
                    members.c.conversation == conversation, mark, members.c.first_seq <= seq, users.c.id.is_distinct_from(sender)
                )
            )

        return await self._page(caller, conversation, seq, people, after, limit)

    async def marks(self, caller: Caller, conversation: str) -> list[ReadMark]:
        """Those of all members, in order of their ids; of none where they are so many that they are not told of each other."""

        def read(connection: Connection) -> list[ReadMark]:
            here_of(connection, conversation, caller.user)
            here = members.c.conversation == conversation
            wanted = select(members.c.user, members.c.read_seq, members.c.first_seq).where(here).order_by(members.c.user)
            rows = connection.execute(wanted.limit(MEMBERS_LISTED + 1)).all()
            return [ReadMark(*row) for row in rows] if len(rows) <= MEMBERS_LISTED else []

        return await self._store.read(read)

    async def responded(
        self, caller: Caller, conversation: str, seq: int, kind: ResponseKind, value: str, after: str, limit: int
    ) -> Somebody:
        """Who has reacted with this emoji, or voted for the option of this number."""

        def people(sender: str | None) -> Select[str, str, str | None]:
            chosen = (responses.c.kind == kind, responses.c.value == value)
            return (
                select(users.c.id, users.c.name, users.c.avatar)
                .join(responses, responses.c.user == users.c.id)
                .where(responses.c.conversation == conversation, responses.c.seq == seq, *chosen)
            )

        return await self._page(caller, conversation, seq, people, after, limit)

    async def _page(
        self,
        caller: Caller,
        conversation: str,
        seq: int,
        people: Callable[[str | None], Select[str, str, str | None]],
        after: str,
        limit: int,
    ) -> Somebody:
        def read(connection: Connection) -> Somebody:
            here = here_of(connection, conversation, caller.user)
            wanted = people(readable(connection, here, seq).sender)
            count = connection.execute(select(func.count()).select_from(wanted.subquery())).scalar_one()
            rows = connection.execute(wanted.where(users.c.id > after).order_by(users.c.id).limit(limit + 1)).all()
            return Somebody(
                [UserView(id, name, avatar or msgspec.UNSET) for id, name, avatar in rows[:limit]], count, len(rows) > limit
            )

        return await self._store.read(read)
