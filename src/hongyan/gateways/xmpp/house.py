"""What all streams share: services, counts, tasks, who is connected here."""

import asyncio
import logging
import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from hongyan.config import Settings
from hongyan.core.errors import Invalid
from hongyan.core.ids import id_from_bits
from hongyan.core.text import device_label
from hongyan.gateways.door.rates import Rates
from hongyan.gateways.door.turns import Turns
from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.clients import Clients
from hongyan.gateways.xmpp.codec import quote
from hongyan.gateways.xmpp.faults import StreamFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.people import People
from hongyan.gateways.xmpp.reach import Reach
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.shared import Shared

if TYPE_CHECKING:
    from hongyan.features.avatars import Avatars
    from hongyan.features.files import Files
    from hongyan.features.identity import Identity, Proven
    from hongyan.features.push import Push
    from hongyan.features.xmpp import Waking, Watchers, Xmpp
    from hongyan.gateways.xmpp.s2s.federation import Federation
    from hongyan.gateways.xmpp.table import Table
    from hongyan.messaging import Messaging

log = logging.getLogger("hongyan.xmpp")

_CHANGES_PER_SECOND = 5.0
_CHANGES_BURST = 200
_ASKED = 20_000
_QUOTED = 20_000
_SILENCE_SECONDS = 30.0
_LEAVE_SECONDS = 1.0
"""For the log-outs of those who are connected when the server stops."""

T = TypeVar("T")


class XmppServices(msgspec.Struct, frozen=True, kw_only=True):
    """Put together by the server and passed in."""

    messaging: "Messaging"
    identity: "Identity"
    avatars: "Avatars"
    files: "Files"
    push: "Push"
    xmpp: "Xmpp"
    watchers: "Watchers"
    settings: Settings
    url: Callable[[], str]
    """Of the web port, as people reach it, without a path."""
    now: Callable[[], int]
    """Milliseconds since 1970 UTC."""


class Counts:
    """Since the start."""

    def __init__(self) -> None:
        self.closed: Counter[str] = Counter()
        """Streams that this side has ended with an error, by condition."""
        self.stanzas_in = 0
        self.stanzas_out = 0


class Recent:
    """What was put in last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._in: OrderedDict[object, None] = OrderedDict()

    def add(self, one: object) -> None:
        while len(self._in) >= self._most:
            self._in.popitem(last=False)
        self._in[one] = None

    def __contains__(self, one: object) -> bool:
        return one in self._in


class House:
    def __init__(self, services: XmppServices, table: "Table", *, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self.messaging = services.messaging
        self.identity = services.identity
        self.avatars = services.avatars
        self.files = services.files
        self.url = services.url
        self.push = services.push
        self.xmpp = services.xmpp
        self.watchers = services.watchers
        self.settings = services.settings
        self.table = table
        self.random = random
        self.log = log
        self.counts = Counts()
        self.domain = services.settings.domain
        self.rooms_domain = f"{services.settings.xmpp.rooms}.{self.domain}"
        upload = services.settings.xmpp.upload
        self.upload_domain = f"{upload}.{self.domain}" if upload else ""
        """Empty: no files are taken."""
        limits = services.settings.limits
        self.stanzas = Rates(limits.sends_per_second + limits.requests_per_second, limits.sends_burst + limits.requests_burst)
        """By user: what elsewhere are messages and requests is stanzas here."""
        self.resources: dict[str, dict[str, Resource]] = {}
        """By user, then by resource."""
        self.asked = Recent(_ASKED)
        """Messages (sender and client id) whose senders want to know that they came (XEP-0184)."""
        self._resumable: dict[str, Resource] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._leaving: set[asyncio.Task[Any]] = set()
        self._turns: Turns[Resource] = Turns(self._flush)
        self.now = services.now
        self.federation: Federation | None = None
        """None: other servers are not talked to."""
        self.waking: Waking | None = None
        """None: no push service is told of anything."""
        self.unanswered: dict[Reach, float] = {}
        """Clients that were asked for an acknowledgement, and when; the longest ago first."""
        self.stopping = False
        self._quoted: dict[str, str] = {}
        self.changes = Rates(_CHANGES_PER_SECOND, _CHANGES_BURST)
        """By account: what it stores besides messages."""
        self.shared = Shared(self)
        self.people = People(self)
        self.clients = Clients(self)
        for begin in table.started:
            begin(self)

    def jid(self, user: str, resource: str = "") -> Jid:
        return jid.of_user(user, self.domain, resource)

    def quoted(self, user: str) -> str:
        """Their address, for an attribute."""
        found = self._quoted.get(user)
        if found is None:
            while len(self._quoted) >= _QUOTED:
                del self._quoted[next(iter(self._quoted))]
            found = self._quoted[user] = quote(str(self.jid(user)))
        return found

    def user(self, jid: Jid) -> str:
        """Whose address it is."""
        return jid.local if jid.domain == self.domain else str(jid.bare)

    def fresh_id(self) -> str:
        return id_from_bits(self.random(10))

    # Resources

    async def bind(self, proven: "Proven", name: str, address: str) -> "Resource":
        """A resource of theirs, in place of one of the same name. Raises what `Sessions.open` does, and NotAuthenticated."""
        older = self.resources.get(proven.user, {}).get(name)
        if older is not None:
            older.replaced = True
        login = await self.identity.enter(proven, _label(name))  # the token of an older one ends with it
        caller = self.identity.check(login.token)
        older = self.resources.get(caller.user, {}).get(name)
        if older is not None:
            older.yield_to_another()
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

    def missed(self, resource: "Resource", after: int) -> None:
        """Its client may not have what is above this position, and is woken for what comes."""
        if self.waking is not None and not self.stopping:
            self.push.missed(self.waking, resource.user, resource.caller.device, after)

    def look_for_silence(self, now: float) -> None:
        """Who owes an acknowledgement for long does not hear us, whatever its connection pretends."""
        while self.unanswered and now - next(iter(self.unanswered.values())) > _SILENCE_SECONDS:
            reach = next(iter(self.unanswered))
            del self.unanswered[reach]
            reach.lost()

    # Work

    def task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run it; `stop` ends it."""
        return self._run(work, self._tasks)

    def leaving(self, work: Coroutine[Any, Any, None]) -> None:
        """The same for what is done when somebody leaves: `stop` waits for it, for a moment."""
        self._run(work, self._leaving)

    def _run(self, work: Coroutine[Any, Any, T], among: set[asyncio.Task[Any]]) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name="hongyan xmpp")
        among.add(task)
        task.add_done_callback(among.discard)
        return task

    def flush(self, resource: "Resource") -> None:
        """Let it write when this turn of the loop is over."""
        self._turns.add(resource)

    def _flush(self, dirty: "list[Resource]") -> None:
        for resource in dirty:
            try:
                resource.flush()
            except Exception:
                log.exception("a stream failed")
                resource.end()

    async def stop(self) -> None:
        self.stopping = True
        for resource in [one for mine in self.resources.values() for one in mine.values()]:
            resource.close(StreamFault("system-shutdown", "The server is stopping"))
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._leaving:
            _, late = await asyncio.wait(self._leaving, timeout=_LEAVE_SECONDS)
            for task in late:
                task.cancel()
        await self.xmpp.positions.stop()


def _label(resource: str) -> str:
    """What the resource is called among somebody's log-ins."""
    try:
        return device_label(f"XMPP {resource}")
    except Invalid:
        return f"XMPP {sha256(resource.encode()).hexdigest()[:16]}"
