"""Sending: endpoints with something to do, in turn, one request at a time for each, and patience with who takes nothing now.

An endpoint is a stranger's server: that one is slow, or says "later", costs it its own turns and nobody else's.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable

import msgspec

from hongyan import config
from hongyan.core.errors import Invalid
from hongyan.features.push.encrypting import encrypt, private_key
from hongyan.features.push.endpoints import parse
from hongyan.features.push.model import Message
from hongyan.features.push.posting import Answer, BadAnswerError, post
from hongyan.features.push.signing import Signer
from hongyan.finding import NotPublicError, public_address

log = logging.getLogger("hongyan.push")

_AT_ONCE = 32
_SECONDS = 15.0
"""For one request, from the name to the answer."""
_SLOW_SECONDS = 1.0
_RESTS = 4.0
"""After a slow request an endpoint rests so many times as long as that took: it is not asked more than a fifth of the time."""
_LIFE_SECONDS = 86_400
"""So long a push service keeps a message for a browser that is not there."""
_TRIES = 4
_TOPICS = 50
"""Messages that wait for one endpoint."""
_FIRST_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 900.0
_GONE = (404, 410)
_USELESS = (400, 413)
"""It will not be taken later either."""

Remove = Callable[[str], Awaitable[None]]


class _Line:
    """One endpoint. It is in turn, being asked, or resting; when nothing waits and it needs no rest, it is forgotten."""

    __slots__ = ("failures", "rest", "url", "waiting")

    def __init__(self, url: str) -> None:
        self.url = url
        self.waiting: dict[str, Message] = {}
        """By topic, oldest first."""
        self.failures = 0
        """In a row."""
        self.rest: asyncio.TimerHandle | None = None


class Outbox:
    """`remove` takes a subscription away whose endpoint says that it is none any more."""

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
        self._lines: dict[str, _Line] = {}
        self._turn: asyncio.Queue[_Line] = asyncio.Queue()
        """Each with something waiting, and each once."""
        self._resting: dict[str, _Line] = {}
        """Where something waits, the longest rest first: these make room when there is none."""
        self._waiting = 0
        self._tasks: list[asyncio.Task[None]] = []

    def __len__(self) -> int:
        """Messages that wait, also for another try."""
        return self._waiting

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._work(), name="hongyan push") for _ in range(_AT_ONCE)]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for line in self._lines.values():
            if line.rest is not None:
                line.rest.cancel()

    def offer(self, message: Message) -> bool:
        """It takes the place of one of the same topic that waits. False: there is no room, it is dropped."""
        line = self._lines.get(message.to.endpoint) or _Line(message.to.endpoint)
        if message.topic in line.waiting:
            self._counts["replaced"] += 1
            line.waiting[message.topic] = message
            return True
        if len(line.waiting) >= _TOPICS:
            self._drop_oldest(line)
        elif self._waiting >= self._settings.queue and not self._make_room():
            self._counts["dropped"] += 1
            return False
        line.waiting[message.topic] = message
        self._waiting += 1
        if line.url not in self._lines:
            self._lines[line.url] = line
            self._turn.put_nowait(line)
        elif line.rest is not None:
            self._resting.setdefault(line.url, line)
        return True

    def _drop_oldest(self, line: _Line) -> None:
        self._counts["dropped"] += 1
        self._take(line)

    def _take(self, line: _Line) -> Message:
        self._waiting -= 1
        return line.waiting.pop(next(iter(line.waiting)))

    def _make_room(self) -> bool:
        while self._resting:
            url, line = next(iter(self._resting.items()))
            if line.waiting:
                self._drop_oldest(line)
                return True
            del self._resting[url]
        return False

    async def _work(self) -> None:
        while True:
            line = await self._turn.get()
            seconds = 0.0
            try:
                seconds = await self._send(line)
            except Exception:
                self._counts["failed"] += 1
                log.exception("a push message could not be sent")
            self._rest(line, seconds)

    def _rest(self, line: _Line, seconds: float) -> None:
        """Its next turn is after so long a rest. Rests are remembered of as many endpoints as messages may wait."""
        if seconds > 0 and (line.waiting or len(self._lines) <= self._settings.queue):
            line.rest = asyncio.get_running_loop().call_later(seconds, self._rested, line)
            self._resting[line.url] = line
        elif line.waiting:
            self._turn.put_nowait(line)
        else:
            del self._lines[line.url]

    def _rested(self, line: _Line) -> None:
        line.rest = None
        self._resting.pop(line.url, None)
        self._rest(line, 0.0)

    async def _send(self, line: _Line) -> float:
        """The oldest that waits. Gives how long the endpoint is to rest."""
        loop = asyncio.get_running_loop()
        message = self._take(line)
        began = loop.time()
        try:
            answer = await self._post(message)
        except (Invalid, NotPublicError):
            self._counts["refused"] += 1
            return 0.0
        except (OSError, BadAnswerError) as error:
            log.debug("a push service cannot be reached: %s", error)
            answer = Answer(0)
        took = loop.time() - began
        rest = _RESTS * took if took > _SLOW_SECONDS else 0.0
        if 200 <= answer.status < 300:
            self._counts["sent"] += 1
            line.failures = 0
        elif answer.status in _GONE:
            self._counts["gone"] += 1 + len(line.waiting)
            self._waiting -= len(line.waiting)
            line.waiting.clear()
            await self._remove(line.url)
        elif answer.status in _USELESS:
            self._counts["failed"] += 1
            log.warning("a push service refused a message with %d", answer.status)
        else:
            self._again(line, message)
            rest = max(rest, self._pause(line, answer))
        return rest

    async def _post(self, message: Message) -> Answer:
        private = self._settings.private_addresses
        endpoint = parse(message.to.endpoint, private=private)
        async with asyncio.timeout(_SECONDS):
            address = await public_address(endpoint.host, private=private)
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
            return await post(endpoint, address, headers, body)

    def _pause(self, line: _Line, answer: Answer) -> float:
        """Twice as long after each failure, or as long as the service says."""
        seconds = self._first_pause * 2**line.failures if answer.retry_after is None else answer.retry_after
        line.failures = min(line.failures + 1, 20)
        return min(seconds, _LONGEST_PAUSE_SECONDS)

    def _again(self, line: _Line, message: Message) -> None:
        """It is the first again, unless a newer one has come meanwhile."""
        if message.topic in line.waiting:
            self._counts["replaced"] += 1
        elif message.tries + 1 >= _TRIES or self._waiting >= self._settings.queue or len(line.waiting) >= _TOPICS:
            self._counts["failed"] += 1
        else:
            message = msgspec.structs.replace(message, tries=message.tries + 1)
            line.waiting = {message.topic: message, **line.waiting}
            self._waiting += 1
