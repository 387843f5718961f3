"""What people do with subscriptions, and the loop on every node that follows the log and tells of messages.

Each message is taken by one node, in a transaction of all nodes that take any: what was taken is told of by that node or, when it
dies then, by nobody. A message that is not told of is missed by nobody: it is in the log, and unread.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy import delete, insert, select

from hongyan import config
from hongyan.core.errors import HongyanError, Invalid, NotAuthenticated, NotFound
from hongyan.core.model import WRITTEN, Caller, Event, user_lane
from hongyan.features.identity.tables import tokens
from hongyan.features.push import recipients
from hongyan.features.push.encrypting import private_key, receiver_keys
from hongyan.features.push.endpoints import parse
from hongyan.features.push.model import NewSubscription, PushView
from hongyan.features.push.outbox import Outbox
from hongyan.features.push.signing import Signer
from hongyan.features.push.tables import push_claims, push_keys, push_subscriptions
from hongyan.finding import NotPublicError, public_address
from hongyan.messaging import Log
from hongyan.store import Store, Transaction

log = logging.getLogger("hongyan.push")

_SCOPE = "_push"
_LOOK_SECONDS = 0.25
_TROUBLE_SECONDS = 2.0
_AT_ONCE = 500
_KEPT = 100_000
"""Positions that claims are remembered for: nobody is so far behind."""
_PATIENCE_SECONDS = 0.5
_MOST_WAITED_FOR = 4
_RESOLVE_SECONDS = 5.0


class Push:
    """`present` tells which devices of somebody are connected, `rank` how many nodes come before this one."""

    def __init__(
        self,
        store: Store,
        log: Log,
        settings: config.Settings,
        *,
        present: recipients.Present,
        clock: Callable[[], int],
        random: Callable[[int], bytes],
        rank: Callable[[], int] = lambda: 0,
        look: float = _LOOK_SECONDS,
        first_pause: float | None = None,
    ) -> None:
        self._store = store
        self._log = log
        self._settings = settings.push
        self._contact = settings.push.contact or f"mailto:postmaster@{settings.domain}"
        self._present = present
        self._clock = clock
        self._random = random
        self._rank = rank
        self._look = look
        self._first_pause = first_pause
        self._one = asyncio.Lock()
        self._signer: Signer | None = None
        self._outbox: Outbox | None = None
        self._position = 0
        self._task: asyncio.Task[None] | None = None
        self.counts: Counter[str] = Counter()
        """Messages to browsers by outcome: `sent`, `replaced`, `gone`, `refused`, `failed`, `dropped`."""

    @property
    def waiting(self) -> int:
        return len(self._outbox) if self._outbox is not None else 0

    def start(self) -> None:
        """Tell of messages from now on."""
        if self._settings.enabled:
            self._position = self._log.position
            self._task = asyncio.create_task(self._follow(), name="hongyan push follower")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._outbox is not None:
            await self._outbox.stop()

    # Subscriptions

    async def view(self, caller: Caller) -> PushView:
        """The key to subscribe with. Raises NotFound where push is switched off."""
        signer = await self._ready()
        statement = select(push_subscriptions.c.token).where(push_subscriptions.c.token == caller.token_id)
        found = await self._store.read(lambda connection: connection.execute(statement).first())
        return PushView(signer.public, found is not None)

    async def subscribe(self, caller: Caller, new: NewSubscription) -> None:
        """This token's subscription, in place of the one before. Raises Invalid, NotFound (switched off), NotAuthenticated."""
        self._log.require_fresh()
        await self._ready()
        now = self._clock()
        public, auth = receiver_keys(new.keys.p256dh, new.keys.auth)
        await self._look_at(new.endpoint)
        row = dict(token=caller.token_id, user=caller.user, endpoint=new.endpoint, public=public, auth=auth, created=now)

        def write(tx: Transaction) -> None:
            if tx.connection.execute(select(tokens.c.id).where(tokens.c.id == caller.token_id)).first() is None:
                raise NotAuthenticated("Your token has ended; log in again")
            s = push_subscriptions.c
            tx.connection.execute(delete(push_subscriptions).where((s.token == caller.token_id) | (s.endpoint == new.endpoint)))
            tx.connection.execute(insert(push_subscriptions).values(**row))

        await self._store.transaction(write)

    async def unsubscribe(self, caller: Caller) -> None:
        """This token has no subscription any more, or had none."""
        self._log.require_fresh()
        statement = delete(push_subscriptions).where(push_subscriptions.c.token == caller.token_id)

        def write(tx: Transaction) -> None:
            tx.connection.execute(statement)

        await self._store.transaction(write, scope=user_lane(caller.user))

    async def _look_at(self, url: str) -> None:
        private = self._settings.private_addresses
        endpoint = parse(url, private=private)
        try:
            async with asyncio.timeout(_RESOLVE_SECONDS):
                await public_address(endpoint.host, private=private)
        except NotPublicError:
            raise Invalid("The endpoint is no address of the public network") from None
        except OSError:
            raise Invalid("The endpoint's name cannot be resolved") from None

    async def _remove(self, endpoint: str) -> None:
        statement = delete(push_subscriptions).where(push_subscriptions.c.endpoint == endpoint)

        def write(tx: Transaction) -> None:
            tx.connection.execute(statement)

        await self._store.transaction(write, scope=_SCOPE)

    async def _ready(self) -> Signer:
        """The key is made when it is first wanted, once for all nodes."""
        if not self._settings.enabled:
            raise NotFound("Web Push is switched off on this server")
        async with self._one:
            if self._signer is None:
                made = private_key(self._random).private_numbers().private_value.to_bytes(32)

                def write(tx: Transaction) -> bytes:
                    found = tx.connection.execute(select(push_keys.c.private).where(push_keys.c.id == 1)).scalar_one_or_none()
                    if found is None:
                        tx.connection.execute(insert(push_keys).values(id=1, private=made))
                    return found or made

                self._signer = Signer(await self._store.transaction(write, scope=_SCOPE), self._contact, clock=self._clock)
            return self._signer

    # Following

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._look)
            try:
                while self._position < self._log.position:
                    await self.turn()
            except HongyanError as error:
                log.warning("nobody can be told of messages now: %s", error)
                await asyncio.sleep(_TROUBLE_SECONDS)
            except Exception:
                log.exception("nobody could be told of some messages")
                await asyncio.sleep(_TROUBLE_SECONDS)

    async def turn(self) -> None:
        """Look at what is new, and send."""
        begin = max(self._position, self._log.floor)  # what is older is not in memory any more: it is not told of
        entries = self._log.after(begin, _AT_ONCE)
        self._position = entries[-1].event.position if entries else self._log.position
        events = [entry.event for entry in entries if entry.event.type in WRITTEN]
        if not events or self._log.stale:
            return
        now = self._clock()
        lanes = list({event.lane for event in events})
        heard = await self._store.read(lambda connection: recipients.heard(connection, lanes, now))
        events = [event for event in events if event.lane in heard]
        if events:
            taken = set(await self._claim([event.position for event in events]))
            await self._tell([event for event in events if event.position in taken])

    async def _tell(self, events: Sequence[Event]) -> None:
        """A page of subscriptions after the other, until all were looked at or the outbox has no room."""
        if not events:
            return
        now = self._clock()
        outbox = await self._sending()
        telling = recipients.Telling(events, await self._store.read(lambda connection: recipients.known(connection, events)))
        after: recipients.Place | None = recipients.FIRST
        while after is not None:
            page = await self._store.read(lambda connection, after=after: recipients.page(connection, telling, after, now))  # type: ignore[misc]
            devices = {user: self._present(user) for user in page.subscribed}
            made = await asyncio.to_thread(telling.decide, page, devices, now)
            after = page.after if all([outbox.offer(message) for message in made]) else None

    async def _sending(self) -> Outbox:
        if self._outbox is None:
            signer = await self._ready()
            pause = {} if self._first_pause is None else {"first_pause": self._first_pause}
            self._outbox = Outbox(self._settings, signer, self._remove, self.counts, random=self._random, **pause)
            self._outbox.start()
        return self._outbox

    async def _claim(self, positions: Sequence[int]) -> list[int]:
        """Those that no other node has taken."""
        if not self._store.shared:
            return list(positions)
        if before := min(self._rank(), _MOST_WAITED_FOR):
            await asyncio.sleep(before * _PATIENCE_SECONDS)

        def write(tx: Transaction) -> list[int]:
            p = push_claims.c.position
            taken = set(tx.connection.execute(select(p).where(p.in_(positions))).scalars())
            free = [position for position in positions if position not in taken]
            if free:
                tx.connection.execute(insert(push_claims), [{"position": position} for position in free])
                tx.connection.execute(delete(push_claims).where(p < free[0] - _KEPT))
            return free

        return await self._store.transaction(write, scope=_SCOPE)
