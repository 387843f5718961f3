"""Web Push: what people do with the subscriptions of their browsers, and how browsers are told."""

import asyncio
import logging
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Subquery, delete, insert, select

from hongyan import config
from hongyan.bus import Device
from hongyan.core.errors import Invalid, NotAuthenticated, NotFound
from hongyan.core.model import Caller, user_lane
from hongyan.features.identity.tables import tokens
from hongyan.features.push.encrypting import encrypt, private_key, receiver_keys
from hongyan.features.push.endpoints import parse
from hongyan.features.push.model import Letter, NewSubscription, Notice, PushView, Subscription
from hongyan.features.push.outbox import FIRST_PAUSE_SECONDS, Message, Outbox, Outcome
from hongyan.features.push.posting import Answer, BadAnswerError, post
from hongyan.features.push.recipients import Told
from hongyan.features.push.signing import Signer
from hongyan.features.push.tables import push_keys, push_subscriptions
from hongyan.finding import NotPublicError, public_address
from hongyan.messaging import Log
from hongyan.store import Store, Transaction

log = logging.getLogger("hongyan.push")

_AT_ONCE = 32
_SECONDS = 15.0
"""For one request, from the name to the answer."""
_RESOLVE_SECONDS = 5.0
_LIFE_SECONDS = 86_400
"""So long a push service keeps a message for a browser that is not there."""
_GONE = (404, 410)
_USELESS = (400, 413)
"""It will not be taken later either."""
TEXT_LENGTH = 200
_TITLE_LENGTH = 100
_SCOPE = "_push"

_encode = msgspec.json.Encoder().encode


class Browsers:
    """The way of telling them; see `Way`."""

    anybody = select(push_subscriptions.c.user).limit(1)

    def __init__(
        self,
        store: Store,
        log: Log,
        settings: config.Settings,
        *,
        clock: Callable[[], int],
        random: Callable[[int], bytes],
        first_pause: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        self._store = store
        self._log = log
        self._settings = settings.push
        self._contact = settings.push.contact or f"mailto:postmaster@{settings.domain}"
        self._clock = clock
        self._random = random
        self._one = asyncio.Lock()
        self._signer: Signer | None = None
        self.counts: Counter[str] = Counter()
        """Messages to browsers by outcome: `sent`, `replaced`, `gone`, `refused`, `failed`, `dropped`."""
        self._outbox: Outbox[Letter] = Outbox(
            self._send, self.counts, queue=settings.push.queue, at_once=_AT_ONCE, first_pause=first_pause
        )

    @property
    def waiting(self) -> int:
        return len(self._outbox)

    async def stop(self) -> None:
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

    # Telling

    def subscribed(self, now: int) -> Subquery:
        s = push_subscriptions.c
        joined = push_subscriptions.join(tokens, tokens.c.id == s.token)
        columns = (s.user, s.token.label("id"), s.endpoint, s.public, s.auth)
        return select(*columns).select_from(joined).where(tokens.c.expires > now).subquery()

    def reached(self, row: Any, devices: Sequence[Device]) -> bool:
        return False  # a page that is open and not looked at shows nothing

    def offer(self, row: Any, told: Told) -> bool:
        told.made = told.made or _encode(notice(told))
        letter = Letter(Subscription(row.endpoint, row.public, row.auth), told.made, topic(told.event.lane), told.urgency)
        return self._outbox.offer(Message(row.endpoint, letter.topic, letter))

    async def _send(self, message: Message[Letter]) -> Outcome:
        try:
            answer = await self._post(message.content)
        except (Invalid, NotPublicError):
            return Outcome("refused")
        except (OSError, BadAnswerError) as error:
            log.debug("a push service cannot be reached: %s", error)
            return Outcome("later")
        if 200 <= answer.status < 300:
            return Outcome("sent")
        if answer.status in _GONE:
            await self._remove(message.key)
            return Outcome("gone")
        if answer.status in _USELESS:
            log.warning("a push service refused a message with %d", answer.status)
            return Outcome("failed")
        return Outcome("later", answer.retry_after)

    async def _post(self, letter: Letter) -> Answer:
        private, to = self._settings.private_addresses, letter.to
        endpoint = parse(to.endpoint, private=private)
        signer = await self._ready()
        async with asyncio.timeout(_SECONDS):
            address = await public_address(endpoint.host, private=private)
            salt = self._random(16)
            body = await asyncio.to_thread(lambda: encrypt(letter.payload, to.public, to.auth, private_key(self._random), salt))
            headers = {
                "Authorization": signer.authorization(endpoint.origin),
                "Content-Encoding": "aes128gcm",
                "Content-Type": "application/octet-stream",
                "TTL": str(_LIFE_SECONDS),
                "Topic": letter.topic,
                "Urgency": letter.urgency,
            }
            return await post(endpoint, address, headers, body)


def topic(conversation: str) -> str:
    """A newer message of a conversation takes the place of one that waits, here and at the service (RFC 8030, 5.4)."""
    return urlsafe_b64encode(sha256(conversation.encode()).digest()[:24]).decode()


def notice(told: Told) -> Notice:
    event, name, words = told.event, told.name, told.words
    title, text = (name, words) if told.kind == "direct" else (told.title, f"{name}: {words}" if name else words)
    shown = _cut(title, _TITLE_LENGTH), _cut(text, TEXT_LENGTH)
    return Notice(*shown, event.lane, event.seq, told.kind, event.sender, event.time, told.why, told.thread)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
