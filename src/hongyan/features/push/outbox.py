"""Sending: a bounded queue, a few requests at a time, and patience with services that do not take a message now."""

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable

import msgspec

from hongyan import config
from hongyan.core.errors import Invalid
from hongyan.features.push.encrypting import encrypt, private_key
from hongyan.features.push.endpoints import NotPublicError, parse, resolve
from hongyan.features.push.model import Message
from hongyan.features.push.posting import Answer, BadAnswerError, post
from hongyan.features.push.signing import Signer

log = logging.getLogger("hongyan.push")

_AT_ONCE = 8
_SECONDS = 15.0
"""For one request, from the name to the answer."""
_LIFE_SECONDS = 86_400
"""So long a push service keeps a message for a browser that is not there."""
_TRIES = 4
_FIRST_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 900.0
_PAUSES = 5_000
_GONE = (404, 410)
_USELESS = (400, 413)
"""It will not be taken later either."""

Remove = Callable[[str], Awaitable[None]]


class Outbox:
    """`remove` takes a subscription away whose endpoint says that it is none any more. Full, it drops what comes."""

    def __init__(
        self,
        settings: config.Push,
        signer: Signer,
        remove: Remove,
        counts: Counter[str],
        *,
        random: Callable[[int], bytes],
        first_pause: float = _FIRST_PAUSE_SECONDS,
    ) -> None:
        self._settings = settings
        self._signer = signer
        self._remove = remove
        self._random = random
        self._first_pause = first_pause
        self._counts = counts
        self._queue: asyncio.Queue[Message] = asyncio.Queue()
        self._later: set[asyncio.TimerHandle] = set()
        self._pauses: OrderedDict[str, tuple[float, int]] = OrderedDict()
        """By endpoint: until when nothing is sent there, and how often in a row it has failed."""
        self._tasks: list[asyncio.Task[None]] = []

    def __len__(self) -> int:
        """Those that wait, also for another try."""
        return self._queue.qsize() + len(self._later)

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._work(), name="hongyan push") for _ in range(_AT_ONCE)]

    async def stop(self) -> None:
        for handle in self._later:
            handle.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def offer(self, message: Message) -> None:
        if len(self) >= self._settings.queue:
            self._counts["dropped"] += 1
        else:
            self._queue.put_nowait(message)

    async def _work(self) -> None:
        while True:
            message = await self._queue.get()
            try:
                await self._send(message)
            except Exception:
                self._counts["failed"] += 1
                log.exception("a push message could not be sent")

    async def _send(self, message: Message) -> None:
        url = message.to.endpoint
        loop = asyncio.get_running_loop()
        until, _ = self._pauses.get(url, (0.0, 0))
        if until > loop.time():
            self._again(message, until - loop.time())
            return
        try:
            answer = await self._post(message)
        except (Invalid, NotPublicError):
            self._counts["refused"] += 1
            return
        except (OSError, BadAnswerError) as error:
            log.debug("a push service cannot be reached: %s", error)
            answer = Answer(0)
        if 200 <= answer.status < 300:
            self._counts["sent"] += 1
            self._pauses.pop(url, None)
        elif answer.status in _GONE:
            self._counts["gone"] += 1
            self._pauses.pop(url, None)
            await self._remove(url)
        elif answer.status in _USELESS:
            self._counts["failed"] += 1
            log.warning("a push service refused a message with %d", answer.status)
        else:
            self._again(message, self._pause(url, answer))

    async def _post(self, message: Message) -> Answer:
        private = self._settings.private_addresses
        endpoint = parse(message.to.endpoint, private=private)
        async with asyncio.timeout(_SECONDS):
            address = await resolve(endpoint, private=private)
        salt = self._random(16)
        to = message.to
        body = await asyncio.to_thread(lambda: encrypt(message.payload, to.public, to.auth, private_key(self._random), salt))
        headers = {
            "Authorization": self._signer.authorization(endpoint.origin),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(_LIFE_SECONDS),
            "Topic": message.topic,
            "Urgency": message.urgency,
        }
        return await post(endpoint, address, headers, body, _SECONDS)

    def _pause(self, url: str, answer: Answer) -> float:
        """Twice as long after each failure, or as long as the service says; an endpoint that fails holds up no other."""
        _, failures = self._pauses.get(url, (0.0, 0))
        seconds = self._first_pause * 2**failures if answer.retry_after is None else answer.retry_after
        seconds = min(seconds, _LONGEST_PAUSE_SECONDS)
        self._pauses[url] = (asyncio.get_running_loop().time() + seconds, min(failures + 1, 20))
        self._pauses.move_to_end(url)
        while len(self._pauses) > _PAUSES:
            self._pauses.popitem(last=False)
        return seconds

    def _again(self, message: Message, seconds: float) -> None:
        if message.tries + 1 >= _TRIES or len(self) >= self._settings.queue:
            self._counts["failed"] += 1
            return
        message = msgspec.structs.replace(message, tries=message.tries + 1)

        def now() -> None:
            self._later.discard(handle)
            self._queue.put_nowait(message)

        handle = asyncio.get_running_loop().call_later(seconds, now)
        self._later.add(handle)
