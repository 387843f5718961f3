"""What all streams share: services, counts, tasks, who is connected here."""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import msgspec

from hongyan.config import Settings
from hongyan.gateways.door.rates import Rates
from hongyan.gateways.xmpp.jid import Jid

if TYPE_CHECKING:
    from hongyan.features.identity import Identity, Proven
    from hongyan.features.xmpp import Xmpp
    from hongyan.gateways.xmpp.resource import Resource
    from hongyan.gateways.xmpp.table import Table
    from hongyan.messaging import Messaging

log = logging.getLogger("hongyan.xmpp")

_LABEL = 64


class XmppServices(msgspec.Struct, frozen=True, kw_only=True):
    """Put together by the server and passed in."""

    messaging: "Messaging"
    identity: "Identity"
    xmpp: "Xmpp"
    settings: Settings
    now: Callable[[], int]
    """Milliseconds since 1970 UTC."""


class Counts:
    """Since the start."""

    def __init__(self) -> None:
        self.closed: Counter[str] = Counter()
        """Streams that this side has ended with an error, by condition."""
        self.stanzas_in = 0
        self.stanzas_out = 0


class House:
    def __init__(self, services: XmppServices, table: "Table", *, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self.messaging = services.messaging
        self.identity = services.identity
        self.xmpp = services.xmpp
        self.settings = services.settings
        self.table = table
        self.random = random
        self.log = log
        self.counts = Counts()
        self.domain = services.settings.domain
        self.rooms_domain = f"{services.settings.xmpp.rooms}.{self.domain}"
        limits = services.settings.limits
        self.sites = Rates(limits.requests_per_second, limits.requests_burst)
        self.resources: dict[str, dict[str, Resource]] = {}
        """By user, then by resource."""
        self._resumable: dict[str, Resource] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._dirty: list[Resource] = []
        self.now = services.now
        self.stopping = False

    def jid(self, user: str, resource: str = "") -> Jid:
        return Jid(user, self.domain, resource)

    # Resources

    async def bind(self, proven: "Proven", name: str, address: str) -> "Resource":
        """A resource of theirs, in place of one of the same name. Raises what `Sessions.open` does, and NotAuthenticated."""
        from hongyan.gateways.xmpp.resource import Resource

        login = await self.identity.enter(proven, _label(name))
        caller = self.identity.check(login.token)
        older = self.resources.get(caller.user, {}).get(name)
        if older is not None:
            older.replaced()
        resource = Resource(self, self.jid(caller.user, name), caller)
        self.resources.setdefault(caller.user, {})[name] = resource
        try:
            await resource.begin()
        except BaseException:
            resource.end()
            raise
        log.info("XMPP log-in of %s from %s", caller.user, address)
        return resource

    def of(self, user: str) -> "list[Resource]":
        return list(self.resources.get(user, {}).values())

    def forget(self, resource: "Resource") -> None:
        mine = self.resources.get(resource.user, {})
        if mine.get(resource.jid.resource) is resource:
            del mine[resource.jid.resource]
            if not mine:
                del self.resources[resource.user]
        if resource.ledger is not None:
            self._resumable.pop(resource.ledger.id, None)

    def may_resume(self, resource: "Resource") -> None:
        if resource.ledger is not None:
            self._resumable[resource.ledger.id] = resource

    def resumable(self, id: str, user: str) -> "Resource | None":
        found = self._resumable.get(id)
        return found if found is not None and found.user == user else None

    @property
    def detached(self) -> int:
        """Resources that may be resumed and have no connection."""
        return sum(1 for one in self._resumable.values() if one.stream is None)

    # Work

    def task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run it; `stop` ends it."""
        task = asyncio.create_task(work, name="hongyan xmpp")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def flush(self, resource: "Resource") -> None:
        """Let it write when this turn of the loop is over."""
        if not self._dirty:
            asyncio.get_running_loop().call_soon(self._flush)
        self._dirty.append(resource)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for resource in dirty:
            try:
                resource.flush()
            except Exception:
                log.exception("a stream failed")
                resource.end()

    async def stop(self) -> None:
        self.stopping = True
        for resource in [one for mine in self.resources.values() for one in mine.values()]:
            resource.end()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _label(resource: str) -> str:
    """What the resource is called among somebody's log-ins."""
    from hashlib import sha256

    from hongyan.core.errors import Invalid
    from hongyan.core.text import device_label

    try:
        return device_label(f"XMPP {resource}")
    except Invalid:
        return f"XMPP {sha256(resource.encode()).hexdigest()[:16]}"
