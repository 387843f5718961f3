"""What devices ask for that want to be woken (XEP-0357), and how far they were told."""

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection, Subquery, delete, func, insert, select, update

from hongyan.core.errors import NotAuthenticated
from hongyan.core.ids import id_from_bits
from hongyan.core.model import Caller, user_lane
from hongyan.features.identity.tables import registrations, tokens
from hongyan.features.xmpp.tables import subscriptions
from hongyan.messaging import Log
from hongyan.messaging.describing import all_unread
from hongyan.store import Store, Transaction

_r = registrations.c
ANYBODY = select(_r.user).limit(1)
_COLUMNS = (_r.id, _r.user, _r.service, _r.node, _r.device)


class Registration(msgspec.Struct, frozen=True):
    """Of one device at one push service."""

    id: str
    user: str
    service: str
    """Its address."""
    node: str
    device: str
    """As its tokens are called."""


class Summary(msgspec.Struct, frozen=True):
    """How it stands when a device is told. Without details the service learns that there is something, and no more."""

    unread: int
    """1 without details."""
    asking: int
    """People of other servers who want to see the account; 0 without details."""
    options: str
    """What the service wants to be given, as XML; empty for nothing."""
    taken: int
    """When it took something last, or the device has asked for it; in milliseconds since 1970 UTC."""


def registration(row: Any) -> Registration:
    return Registration(row.id, row.user, row.service, row.node, row.device)


class Registrations:
    """`most` is what an account may have; over that the one goes that was asked for longest ago."""

    def __init__(
        self,
        store: Store,
        log: Log,
        most: int,
        *,
        details: bool,
        clock: Callable[[], int],
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._store = store
        self._log = log
        self._most = most
        self._details = details
        self._clock = clock
        self._random = random

    @property
    def possible(self) -> bool:
        return self._most > 0

    async def enable(self, caller: Caller, service: str, node: str, options: str) -> None:
        """This device is to be woken by this service from now on. Raises NotAuthenticated, Overloaded."""
        self._log.require_fresh()
        now = self._clock()
        asked = {"options": options, "device": caller.device, "enabled": now, "taken": now}
        row = dict(id=id_from_bits(self._random(15)), user=caller.user, service=service, node=node, told=0, **asked)

        def write(tx: Transaction) -> None:
            if tx.connection.execute(select(tokens.c.id).where(tokens.c.id == caller.token_id)).first() is None:
                raise NotAuthenticated("Your token has ended; log in again")
            same = (_r.user == caller.user, _r.service == service, _r.node == node)
            if not tx.connection.execute(update(registrations).where(*same).values(**asked)).rowcount:
                tx.connection.execute(insert(registrations).values(**row))
                mine = select(_r.id).where(_r.user == caller.user).order_by(_r.enabled.desc(), _r.id).offset(self._most)
                over = list(tx.connection.execute(mine).scalars())
                tx.connection.execute(delete(registrations).where(_r.id.in_(over)))

        await self._store.transaction(write, scope=user_lane(caller.user))

    async def disable(self, caller: Caller, service: str, node: str | None = None) -> bool:
        """That of this node, or all at this service, are no more; whether there were any. Raises Overloaded."""
        self._log.require_fresh()
        these = delete(registrations).where(_r.user == caller.user, _r.service == service)
        if node is not None:
            these = these.where(_r.node == node)
        return await self._store.transaction(lambda tx: tx.connection.execute(these).rowcount > 0, scope=user_lane(caller.user))

    async def of(self, user: str, device: str) -> list[Registration]:
        """Those of one device."""
        wanted = select(*_COLUMNS).where(_r.user == user, _r.device == device)
        return await self._store.read(lambda connection: [registration(row) for row in connection.execute(wanted)])

    @staticmethod
    def all() -> Subquery:
        return select(*_COLUMNS).subquery()

    async def tell(self, to: Registration, position: int, *, again: bool = False) -> Summary | None:
        """It is told now of everything up to there. None: it was already, and not in vain (`again`), or is no more. With 0 it
        only has to be there.
        """
        if position:
            mark = update(registrations).where(_r.id == to.id, _r.told < position).values(told=position)
            fresh = await self._store.transaction(lambda tx: tx.connection.execute(mark).rowcount, scope=user_lane(to.user))
            if not fresh and not again:
                return None
        return await self._store.read(partial(_summary, to, self._details))

    async def taken(self, to: Registration) -> None:
        """Its service has taken something."""
        now = self._clock()
        await self._write(to, update(registrations).where(_r.id == to.id).values(taken=now))

    async def remove(self, to: Registration) -> None:
        await self._write(to, delete(registrations).where(_r.id == to.id))

    async def _write(self, to: Registration, statement: Any) -> None:
        def write(tx: Transaction) -> None:
            tx.connection.execute(statement)

        await self._store.transaction(write, scope=user_lane(to.user))


def _summary(to: Registration, details: bool, connection: Connection) -> Summary | None:
    row = connection.execute(select(_r.options, _r.taken).where(_r.id == to.id)).one_or_none()
    if row is None:
        return None
    if not details:
        return Summary(1, 0, row.options, row.taken)
    s = subscriptions.c
    asking = select(func.count()).select_from(subscriptions).where(s.user == to.user, s.asked)
    return Summary(all_unread(connection, to.user), connection.execute(asking).scalar_one(), row.options, row.taken)
