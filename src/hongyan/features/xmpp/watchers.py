"""People of other servers who see somebody's presence, or ask to, as that person lists and answers them through any door.

Who sees whom is in `subscriptions.py`; here is what of that the account's own devices are told, by events in its lane.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam, or_, select

from hongyan import config
from hongyan.core.errors import NotFound, Overloaded
from hongyan.core.model import Caller, user_lane
from hongyan.features.xmpp.tables import blocks, subscriptions
from hongyan.store import Draft, Store, reading

State = Literal["asks", "sees"]
Answer = Callable[[str, str, Literal["subscribed", "unsubscribed"]], Awaitable[bool]]
"""Somebody answers an address elsewhere, as clients of XMPP do; whether that address sees them now. Raises HongyanError."""

_SECONDS = 1.0


class Watcher(msgspec.Struct, frozen=True):
    id: str
    """Their address, which is also their id as a user once they have written or were written to."""
    state: State
    """Whether they ask to see the account's presence, or see it."""


class WatcherList(msgspec.Struct, frozen=True):
    """All of an account's that are not blocked, by address, as of exactly `cursor`."""

    watchers: list[Watcher]
    cursor: str


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """Content of a `watcher` event, in the account's own lane: what they do now; without a state neither."""

    id: str
    state: State | None = None


class Watchers:
    def __init__(self, store: Store, settings: config.Settings) -> None:
        self._store = store
        self._on = bool(settings.xmpp.s2s)
        self._answer: Answer | None = None

    def through(self, answer: Answer) -> None:
        """Who tells other servers what was decided."""
        self._answer = answer

    async def all(self, caller: Caller) -> WatcherList:
        """Of nobody where other servers are not talked to."""

        def read(connection: Connection) -> WatcherList:
            found = watching(connection, caller.user) if self._on else {}
            listed = [Watcher(address, state) for address, state in sorted(found.items())]
            return WatcherList(listed, f"{self._store.epoch}.{reading.head(connection)}")

        return await self._store.read(read)

    async def allow(self, caller: Caller, address: str) -> None:
        """They see the account from now on. Raises NotFound when they do not ask, Conflict for one too many, and as `refuse`."""
        if not await self._say(caller, address, "subscribed"):
            raise NotFound("They do not ask to see you, or not any more")

    async def refuse(self, caller: Caller, address: str) -> None:
        """They do not see the account, whatever it was before; they may ask again. Raises Invalid, RateLimited."""
        await self._say(caller, address, "unsubscribed")

    async def _say(self, caller: Caller, address: str, kind: Literal["subscribed", "unsubscribed"]) -> bool:
        if not self._on:
            raise NotFound("This server does not talk to other servers")
        if self._answer is None:
            raise Overloaded("The server has only just been started", retry_after=_SECONDS)
        return await self._answer(caller.user, address, kind)


_user: BindParameter[str] = bindparam("whose")
_s = subscriptions.c
_WATCHING = select(_s.jid, _s.seen).where(_s.user == _user, or_(_s.seen, _s.asked))
_BLOCKED = select(blocks.c.jid).where(blocks.c.user == _user)


def watching(connection: Connection, user: str) -> dict[str, State]:
    """Who sees the account or asks to, by address; without those it has blocked."""
    never = set(connection.execute(_BLOCKED, {"whose": user}).scalars())
    found = connection.execute(_WATCHING, {"whose": user})
    return {jid: "sees" if seen else "asks" for jid, seen in found if never.isdisjoint((jid, jid.rpartition("@")[2]))}


def changes(user: str, before: Mapping[str, State], after: Mapping[str, State], now: int) -> list[Draft]:
    """The events that tell the account's devices, to be appended in the same transaction."""
    told = [Told(jid, after.get(jid)) for jid in sorted(before.keys() | after.keys()) if before.get(jid) != after.get(jid)]
    return [Draft(user_lane(user), "watcher", None, now, msgspec.json.encode(one)) for one in told]
