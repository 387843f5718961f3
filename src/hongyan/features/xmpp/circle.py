"""Whom somebody knows: everybody with whom they have a direct conversation, and what their clients have added to that.

A circle is read when somebody asks, is kept as long as somebody uses it, and is dropped by the events that make it another.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from weakref import WeakValueDictionary

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam, delete, func, insert, select

from hongyan.core.errors import Conflict
from hongyan.core.model import DIRECTORY_LANE, Caller, Event
from hongyan.features.avatars.tables import avatars
from hongyan.features.xmpp.remotes import is_remote
from hongyan.features.xmpp.subscriptions import ONLY_ASKED, Subscription, subscriptions_of
from hongyan.features.xmpp.tables import blocks, roster
from hongyan.features.xmpp.telling import XMPP_LANE, About, decode, draft
from hongyan.features.xmpp.watchers import changes, watching
from hongyan.messaging import Log
from hongyan.messaging.tables import conversations, members, users
from hongyan.store import Store, Transaction

_MOST_ENTRIES = 1_000
_MOST_BLOCKS = 1_000


class Contact(msgspec.Struct, frozen=True):
    jid: str
    user: str | None
    """With whom there is a direct conversation: on this server each sees the other."""
    name: str
    groups: tuple[str, ...] = ()
    picture: str | None = None
    """The SHA-1 of their picture."""
    subscription: Subscription | None = None
    """Of somebody elsewhere."""


class Circle(msgspec.Struct, frozen=True, weakref=True):
    contacts: Mapping[str, Contact]
    """By address."""
    asking: Sequence[str]
    """Addresses elsewhere that wait for an answer whether they may see the account."""
    people: Mapping[str, Contact]
    """Those of this server who see each other, by account."""
    blocked: frozenset[str]
    """Addresses, as they were given."""
    blocked_by: frozenset[str]
    """Accounts."""
    picture: str | None
    """One's own."""
    version: str

    def blocks(self, bare: str, domain: str, resource: str = "") -> bool:
        """XEP-0191, section 3.1."""
        if not self.blocked:
            return False
        names = {bare, domain} if not resource else {bare, domain, f"{bare}/{resource}", f"{domain}/{resource}"}
        return not names.isdisjoint(self.blocked)


class _Person(msgspec.Struct):
    id: str


class _Created(msgspec.Struct):
    kind: str
    members: list[_Person] = []


_created = msgspec.json.Decoder(_Created).decode


class Circles:
    def __init__(self, store: Store, log: Log, domain: str, *, clock: Callable[[], int]) -> None:
        self._store = store
        self._log = log
        self._domain = domain
        self._clock = clock
        self._known: WeakValueDictionary[str, Circle] = WeakValueDictionary()
        self._loading: dict[str, asyncio.Future[Circle]] = {}
        self._dirty: set[str] = set()
        self._changed: Callable[[str], None] = lambda user: None
        log.fold(self._apply)

    def watch(self, changed: Callable[[str], None]) -> None:
        """Call `changed` with those whose circle is another now, if it was in use."""
        self._changed = changed

    async def of(self, user: str) -> Circle:
        known = self._known.get(user)
        if known is not None:
            return known
        loading = self._loading.get(user)
        if loading is None:
            loading = self._loading[user] = asyncio.ensure_future(self._load(user))
        return await asyncio.shield(loading)

    # What clients add

    async def set_entry(self, caller: Caller, jid: str, name: str, groups: Sequence[str]) -> None:
        """How a contact is called and grouped, also one with whom there is no conversation. Raises Conflict for one too many."""
        row = {"name": name, "groups": msgspec.json.encode(list(groups)).decode(), "hidden": False}
        await self._entry(caller, jid, row)

    async def remove_entry(self, caller: Caller, circle: Circle, jid: str) -> None:
        """It is not in the roster any more; the conversation stays."""
        contact = circle.contacts.get(jid)
        derived = contact is not None and contact.user is not None
        await self._entry(caller, jid, {"name": "", "groups": "[]", "hidden": True} if derived else None)

    async def _entry(self, caller: Caller, jid: str, row: Mapping[str, object] | None) -> None:
        self._log.require_fresh()
        user, r, now = caller.user, roster.c, self._clock()

        def write(tx: Transaction) -> int:
            tx.connection.execute(delete(roster).where(r.user == user, r.jid == jid))
            if row is not None:
                if tx.connection.execute(select(func.count()).where(r.user == user)).scalar_one() >= _MOST_ENTRIES:
                    raise Conflict(f"A roster may have {_MOST_ENTRIES} entries of its own")
                tx.connection.execute(insert(roster).values(user=user, jid=jid, **row))
            return tx.append(draft(About(user, "roster"), now)).position

        await self._log.reached(await self._store.transaction(write, scope=f"xmpp:{user}"))

    async def block(self, caller: Caller, jids: Iterable[str]) -> None:
        """Raises Conflict for one too many."""
        await self._block(caller, tuple(dict.fromkeys(jids)), True)

    async def unblock(self, caller: Caller, jids: Iterable[str] | None) -> None:
        """These, or all."""
        await self._block(caller, None if jids is None else tuple(dict.fromkeys(jids)), False)

    async def _block(self, caller: Caller, jids: tuple[str, ...] | None, block: bool) -> None:
        self._log.require_fresh()
        user, b, now = caller.user, blocks.c, self._clock()

        def write(tx: Transaction) -> int:
            watched = watching(tx.connection, user)
            these = delete(blocks).where(b.user == user)
            tx.connection.execute(these if jids is None else these.where(b.jid.in_(jids)))
            if block and jids:
                if tx.connection.execute(select(func.count()).where(b.user == user)).scalar_one() + len(jids) > _MOST_BLOCKS:
                    raise Conflict(f"{_MOST_BLOCKS} addresses may be blocked")
                tx.connection.execute(insert(blocks), [{"user": user, "jid": jid} for jid in jids])
            told = changes(user, watched, watching(tx.connection, user), now)
            return tx.append_all([*told, draft(About(user, "blocks"), now)])[-1].position

        await self._log.reached(await self._store.transaction(write, scope=f"xmpp:{user}"))

    # Following

    async def _load(self, user: str) -> Circle:
        try:
            while True:
                self._dirty.discard(user)
                circle = await self._store.read(partial(_circle, user, self._domain))
                if user not in self._dirty:
                    self._known[user] = circle
                    return circle
        finally:
            del self._loading[user]
            self._dirty.discard(user)

    def _apply(self, event: Event) -> None:
        if event.type == "create":
            made = _created(event.content)
            if made.kind == "direct":
                self._other([person.id for person in made.members])
        elif event.lane == DIRECTORY_LANE and event.type == "profile" and event.sender is not None:
            self._others(event.sender)
        elif event.lane == XMPP_LANE:
            about = decode(event.content)
            if about.what == "roster":
                self._other([about.user])
            elif about.what == "blocks":
                self._others(about.user)

    def _others(self, user: str) -> None:
        """Something about them that everybody sees who knows them."""
        self._dirty.update(self._loading)
        self._other([user, *(one for one, circle in self._known.items() if user in circle.people or user in circle.blocked_by)])

    def _other(self, names: Iterable[str]) -> None:
        for user in dict.fromkeys(names):
            if user in self._loading:
                self._dirty.add(user)
            if self._known.pop(user, None) is not None:
                self._changed(user)


_user: BindParameter[str] = bindparam("whose")
_DIRECT = (
    select(conversations.c.direct_key)
    .join(members, members.c.conversation == conversations.c.id)
    .where(members.c.user == _user, conversations.c.kind == "direct")
)
_SEEN = (
    select(users.c.id, users.c.name, avatars.c.sha1)
    .outerjoin(avatars, avatars.c.user == users.c.id)
    .where(users.c.id.in_(bindparam("some", expanding=True)))
)
_ENTRIES = select(roster).where(roster.c.user == _user)
_BLOCKED = select(blocks.c.jid).where(blocks.c.user == _user)
_BLOCKED_BY = select(blocks.c.user).where(blocks.c.jid == bindparam("address"))


def _circle(user: str, domain: str, connection: Connection) -> Circle:
    keys = connection.execute(_DIRECT, {"whose": user}).scalars()
    peers = [one if other == user else other for one, _, other in (key.partition("\n") for key in keys)]
    seen: dict[str, tuple[str, str | None]] = {}
    wanted = [user, *peers]
    for at in range(0, len(wanted), 500):
        rows = connection.execute(_SEEN, {"some": wanted[at : at + 500]})
        seen.update((row.id, (row.name, row.sha1)) for row in rows)
    contacts = {}
    for peer in peers:
        if peer in seen:
            name, picture = seen[peer]
            address = _address(peer, domain)
            contacts[address] = Contact(address, peer, name, (), picture)
    asked = subscriptions_of(connection, user)
    for address, subscription in asked.items():
        if subscription != ONLY_ASKED:
            base = contacts.get(address) or Contact(address, None, "")
            contacts[address] = msgspec.structs.replace(base, subscription=subscription)
    for row in connection.execute(_ENTRIES, {"whose": user}):
        there = contacts.pop(row.jid, None)
        if not row.hidden or (there is not None and there.subscription is not None):
            base = there or Contact(row.jid, None, "")
            groups = tuple(msgspec.json.decode(row.groups, type=list[str]))
            contacts[row.jid] = msgspec.structs.replace(base, name=row.name or base.name, groups=groups)
    contacts = dict(sorted(contacts.items()))
    shown = [(one.jid, one.user, one.name, one.groups, one.subscription) for one in contacts.values()]
    version = sha256(repr(shown).encode()).hexdigest()[:16]
    return Circle(
        contacts,
        sorted(address for address, subscription in asked.items() if subscription.asked),
        {one.user: one for one in contacts.values() if one.user is not None and not is_remote(one.user)},
        frozenset(connection.execute(_BLOCKED, {"whose": user}).scalars()),
        frozenset(connection.execute(_BLOCKED_BY, {"address": _address(user, domain)}).scalars()),
        seen.get(user, ("", None))[1],
        version,
    )


def _address(user: str, domain: str) -> str:
    """Somebody of another server has their address as id."""
    return user if is_remote(user) else f"{user}@{domain}"
