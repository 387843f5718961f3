"""Sending: whoever has something to be told, in turn, one at a time for each, and patience with who takes nothing now.

Where it goes is a stranger's server: that one is slow, or says "later", costs it its own turns and nobody else's.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import Generic, Literal, TypeVar

import msgspec

log = logging.getLogger("hongyan.push")

_SLOW_SECONDS = 1.0
_RESTS = 4.0
"""After a slow answer so many times as long as that took nothing is sent: nobody is asked more than a fifth of the time."""
_TRIES = 4
_TOPICS = 50
"""Messages that wait for one subscription."""
FIRST_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 900.0

T = TypeVar("T")


class Message(msgspec.Struct, Generic[T], frozen=True):
    """One on its way to one subscription."""

    key: str
    """Of the subscription."""
    topic: str
    """A newer one takes the place of one that waits."""
    content: T
    site: str = ""
    """Who else shares the server that it goes to."""
    tries: int = 0


class Outcome(msgspec.Struct, frozen=True):
    what: Literal["sent", "gone", "refused", "failed", "replaced", "later"]
    """`gone`: there is no such subscription any more. `later`: it may be tried again."""
    after: float | None = None
    """Seconds to wait, where that was said."""


class _Line(Generic[T]):
    """One subscription. It is in turn, being asked, or resting; when nothing waits and it needs no rest, it is forgotten."""

    __slots__ = ("failures", "key", "rest", "site", "waiting")

    def __init__(self, key: str, site: str) -> None:
        self.key = key
        self.site = site
        self.waiting: dict[str, Message[T]] = {}
        """By topic, oldest first."""
        self.failures = 0
        """In a row."""
        self.rest: asyncio.TimerHandle | None = None


class Outbox(Generic[T]):
    """`send` brings one message to its subscription, or tells why not; of one site so many are under way at a time, and of a
    subscription one, the next not before `rest` seconds. Counts are by outcome.
    """

    def __init__(
        self,
        send: Callable[[Message[T]], Awaitable[Outcome]],
        counts: Counter[str],
        *,
        queue: int,
        at_once: int,
        of_a_site: int | None = None,
        rest: float = 0.0,
        first_pause: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        self._to_send = send
        self._counts = counts
        self._queue = queue
        self._at_once = at_once
        self._of_a_site = of_a_site or at_once
        self._least_rest = rest
        self._first_pause = first_pause
        self._lines: dict[str, _Line[T]] = {}
        self._turn: asyncio.Queue[_Line[T]] = asyncio.Queue()
        """Each with something waiting, and each once."""
        self._busy: Counter[str] = Counter()
        """By site: lines in turn or being asked."""
        self._aside: dict[str, deque[_Line[T]]] = {}
        """By site: those that would be in turn, if there were not so many of it."""
        self._resting: dict[str, _Line[T]] = {}
        """Where something waits, the longest rest first: these make room when there is none."""
        self._waiting = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._stopped = False

    def __len__(self) -> int:
        """Messages that wait, also for another try."""
        return self._waiting

    async def stop(self) -> None:
        self._stopped = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for line in self._lines.values():
            if line.rest is not None:
                line.rest.cancel()

    def offer(self, message: Message[T]) -> bool:
        """It takes the place of one of the same topic that waits. False: there is no room, it is dropped."""
        if not self._tasks and not self._stopped:
            self._tasks = [asyncio.create_task(self._work(), name="hongyan push") for _ in range(self._at_once)]
        line = self._lines.get(message.key) or _Line(message.key, message.site)
        if message.topic in line.waiting:
            self._counts["replaced"] += 1
            line.waiting[message.topic] = message
            return True
        if len(line.waiting) >= _TOPICS:
            self._drop_oldest(line)
        elif self._waiting >= self._queue and not self._make_room():
            self._counts["dropped"] += 1
            return False
        line.waiting[message.topic] = message
        self._waiting += 1
        if line.key not in self._lines:
            self._lines[line.key] = line
            self._in_turn(line)
        elif line.rest is not None:
            self._resting.setdefault(line.key, line)
        return True

    def _drop_oldest(self, line: _Line[T]) -> None:
        self._counts["dropped"] += 1
        self._take(line)

    def _take(self, line: _Line[T]) -> Message[T]:
        self._waiting -= 1
        return line.waiting.pop(next(iter(line.waiting)))

    def _make_room(self) -> bool:
        while self._resting:
            key, line = next(iter(self._resting.items()))
            if line.waiting:
                self._drop_oldest(line)
                return True
            del self._resting[key]
        return False

    def _in_turn(self, line: _Line[T]) -> None:
        if self._busy[line.site] < self._of_a_site:
            self._busy[line.site] += 1
            self._turn.put_nowait(line)
        else:
            self._aside.setdefault(line.site, deque()).append(line)

    def _had_turn(self, site: str) -> None:
        """Another one of this site has it."""
        aside = self._aside.get(site)
        if aside is None:
            self._busy[site] -= 1
            if not self._busy[site]:
                del self._busy[site]
            return
        self._turn.put_nowait(aside.popleft())
        if not aside:
            del self._aside[site]

    async def _work(self) -> None:
        while True:
            line = await self._turn.get()
            seconds = 0.0
            try:
                seconds = await self._send(line)
            except Exception:
                self._counts["failed"] += 1
                log.exception("a push message could not be sent")
            self._had_turn(line.site)
            self._rest(line, seconds)

    def _rest(self, line: _Line[T], seconds: float) -> None:
        """Its next turn is after so long a rest. Rests are remembered of as many subscriptions as messages may wait."""
        if seconds > 0 and (line.waiting or len(self._lines) <= self._queue):
            line.rest = asyncio.get_running_loop().call_later(seconds, self._rested, line)
            self._resting[line.key] = line
        elif line.waiting:
            self._in_turn(line)
        else:
            del self._lines[line.key]

    def _rested(self, line: _Line[T]) -> None:
        line.rest = None
        self._resting.pop(line.key, None)
        self._rest(line, 0.0)

    async def _send(self, line: _Line[T]) -> float:
        """The oldest that waits. Gives how long nothing is to be sent there."""
        loop = asyncio.get_running_loop()
        message = self._take(line)
        began = loop.time()
        outcome = await self._to_send(message)
        took = loop.time() - began
        rest = max(self._least_rest, _RESTS * took if took > _SLOW_SECONDS else 0.0)
        if outcome.what == "later":
            self._again(line, message)
            return max(rest, self._pause(line, outcome))
        self._counts[outcome.what] += 1
        if outcome.what == "sent":
            line.failures = 0
        elif outcome.what == "gone":
            self._counts["gone"] += len(line.waiting)
            self._waiting -= len(line.waiting)
            line.waiting.clear()
        return 0.0 if outcome.what in ("refused", "gone") else rest

    def _pause(self, line: _Line[T], outcome: Outcome) -> float:
        """Twice as long after each failure, or as long as was said."""
        seconds = self._first_pause * 2**line.failures if outcome.after is None else outcome.after
        line.failures = min(line.failures + 1, 20)
        return min(seconds, _LONGEST_PAUSE_SECONDS)

    def _again(self, line: _Line[T], message: Message[T]) -> None:
        """It is the first again, unless a newer one has come meanwhile."""
        if message.topic in line.waiting:
            self._counts["replaced"] += 1
        elif message.tries + 1 >= _TRIES or self._waiting >= self._queue or len(line.waiting) >= _TOPICS:
            self._counts["failed"] += 1
        else:
            message = msgspec.structs.replace(message, tries=message.tries + 1)
            line.waiting = {message.topic: message, **line.waiting}
            self._waiting += 1
