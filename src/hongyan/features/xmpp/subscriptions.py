"""Who sees whom across servers (RFC 6121, section 3). On this server everybody sees those they write to; with people elsewhere
each side has to be asked.
"""

from collections.abc import Callable, Mapping
from functools import partial

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, not_, or_, select

from hongyan.core.errors import Conflict
from hongyan.core.model import Event
from hongyan.features.xmpp.tables import blocks, subscriptions
from hongyan.features.xmpp.telling import XMPP_LANE, About, decode, draft
from hongyan.features.xmpp.watchers import changes, watching
from hongyan.messaging import Log
from hongyan.store import Store, Transaction

_MOST = 500
_MOST_ASKING = 50
_s = subscriptions.c
_known = or_(_s.sees, _s.seen, _s.asks, not_(_s.asked))


class Subscription(msgspec.Struct, frozen=True):
    """Between an account and an address elsewhere, as the account has it."""

    sees: bool = False
    """The account is told of their presence."""
    seen: bool = False
    """They are told of the account's."""
    asks: bool = False
    """The account wants to see them, and has no answer yet."""
    asked: bool = False
    """They want to see the account, and have no answer yet."""


NONE = Subscription()
ONLY_ASKED = Subscription(asked=True)
"""They have no place in the roster yet."""
Change = Callable[[Subscription], Subscription]


class Subscriptions:
    def __init__(self, store: Store, log: Log, *, clock: Callable[[], int]) -> None:
        self._store = store
        self._log = log
        self._clock = clock
        self._changed: Callable[[str], None] = lambda user: None
        log.fold(self._apply)

    def watch(self, changed: Callable[[str], None]) -> None:
        """Call `changed` with accounts of which something here, or in the roster, is another."""
        self._changed = changed

    async def get(self, user: str, jid: str) -> Subscription:
        return await self._store.read(lambda connection: _get(connection, user, jid))

    async def seers(self, user: str | None = None) -> dict[str, frozenset[str]]:
        """Addresses that are told of somebody's presence and not blocked, by account; of all accounts that have any."""
        return await self._store.read(partial(_seers, user))

    async def change(self, user: str, jid: str, change: Change) -> tuple[Subscription, Subscription]:
        """Before and after. Raises Conflict for one too many, Overloaded."""
        self._log.require_fresh()
        now = self._clock()

        def write(tx: Transaction) -> tuple[Subscription, Subscription, int]:
            before = _get(tx.connection, user, jid)
            after = change(before)
            if after == before:
                return before, after, 0
            watched = watching(tx.connection, user)
            tx.connection.execute(delete(subscriptions).where(_s.user == user, _s.jid == jid))
            if after != NONE or before not in (NONE, ONLY_ASKED):  # it stays in the roster until it is taken out
                if after == ONLY_ASKED:
                    _make_room(tx, user, jid.rpartition("@")[2])
                elif tx.connection.execute(select(func.count()).where(_s.user == user, _known)).scalar_one() >= _MOST:
                    raise Conflict(f"An account may know {_MOST} people of other servers")
                tx.connection.execute(insert(subscriptions).values(user=user, jid=jid, **msgspec.structs.asdict(after)))
            told = changes(user, watched, watching(tx.connection, user), now)
            return before, after, tx.append_all([*told, draft(About(user, "roster"), now)])[-1].position

        before, after, position = await self._store.transaction(write, scope=f"xmpp:{user}")
        await self._log.reached(position)
        return before, after

    async def forget(self, user: str, jid: str) -> None:
        """It is taken out of the roster; the roster tells of it. Who has asked again meanwhile still asks."""
        these = delete(subscriptions).where(_s.user == user, _s.jid == jid, not_(_s.asked), not_(_s.seen))
        await self._store.transaction(lambda tx: tx.connection.execute(these), scope=f"xmpp:{user}")

    def _apply(self, event: Event) -> None:
        if event.lane == XMPP_LANE and (about := decode(event.content)).what in ("roster", "blocks"):
            self._changed(about.user)


def _make_room(tx: Transaction, user: str, domain: str) -> None:
    """So many may wait for an answer: of a domain that asks much one of its own goes."""
    asking = list(tx.connection.execute(select(_s.jid).where(_s.user == user, not_(_known)).order_by(_s.jid)).scalars())
    if len(asking) >= _MOST_ASKING:
        loses = next((jid for jid in asking if jid.rpartition("@")[2] == domain), asking[0])
        tx.connection.execute(delete(subscriptions).where(_s.user == user, _s.jid == loses))


_OF_USER = select(subscriptions).where(_s.user == bindparam("whose"))


def subscriptions_of(connection: Connection, user: str) -> Mapping[str, Subscription]:
    """By address."""
    rows = connection.execute(_OF_USER, {"whose": user})
    return {row.jid: Subscription(row.sees, row.seen, row.asks, row.asked) for row in rows}


def _get(connection: Connection, user: str, jid: str) -> Subscription:
    row = connection.execute(select(subscriptions).where(_s.user == user, _s.jid == jid)).one_or_none()
    return Subscription(row.sees, row.seen, row.asks, row.asked) if row is not None else NONE


def _seers(user: str | None, connection: Connection) -> dict[str, frozenset[str]]:
    wanted, blocked = select(_s.user, _s.jid).where(_s.seen), select(blocks.c.user, blocks.c.jid)
    if user is not None:
        wanted, blocked = wanted.where(_s.user == user), blocked.where(blocks.c.user == user)
    never = {(row.user, row.jid) for row in connection.execute(blocked)}
    found: dict[str, set[str]] = {}
    for row in connection.execute(wanted):
        if never.isdisjoint(((row.user, row.jid), (row.user, row.jid.rpartition("@")[2]))):
            found.setdefault(row.user, set()).add(row.jid)
    return {one: frozenset(jids) for one, jids in found.items()}
