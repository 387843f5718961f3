"""Delivery of the outbox: for each sender and conversation one task that sends the entries in order, for as long as it takes."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from typing import Any

from hongyan.client.backoff import Backoff
from hongyan.client.errors import ClientError, Closed, StateUnusable, is_temporary, wait_of
from hongyan.client.model import Sent
from hongyan.client.outbox import Entry, Outbox
from hongyan.core.errors import HongyanError, NotAuthenticated

log = logging.getLogger("hongyan.client")

_Lane = tuple[str, str]
"""Sender and conversation."""


class Pending:
    """A send that is on its way. Await it for its place; it may also be left alone."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.client_id = entry.client_id
        self.future: asyncio.Future[Sent] = asyncio.get_running_loop().create_future()
        self.future.add_done_callback(_seen)

    def __await__(self) -> Generator[Any, None, Sent]:
        return asyncio.shield(self.future).__await__()


def _seen(future: asyncio.Future[Sent]) -> None:
    if not future.cancelled():
        future.exception()


class Delivery:
    """`post` writes down and returns; what was refused for good goes to `failed` and to whoever awaits the Pending.

    `send` raises a refusal of `hongyan.core.errors`; anything else it raises is tried again, since a message is only given up
    when the server said so. At most `at_once` sends are under way.
    """

    def __init__(
        self,
        outbox: Outbox,
        send: Callable[[Entry], Awaitable[Sent]],
        *,
        sent: Callable[[Entry, Sent], Awaitable[None]],
        failed: Callable[[Entry, Exception], Awaitable[None]],
        backoff: Callable[[], Backoff] = Backoff,
        at_once: int = 32,
    ) -> None:
        self._outbox = outbox
        self._send = send
        self._sent = sent
        self._failed = failed
        self._backoff = backoff
        self._places = asyncio.Semaphore(at_once)
        self._queues: dict[_Lane, deque[Pending]] = {}
        self._tasks: dict[_Lane, asyncio.Task[None]] = {}
        self._loaded: set[str] = set()
        self._wake = asyncio.Event()
        self._closed = False

    def start(self, sender: str) -> None:
        """Take up what an earlier run left behind."""
        if sender not in self._loaded and not self._closed:
            self._loaded.add(sender)
            for entry in self._outbox.waiting(sender):
                self._enqueue(Pending(entry))

    def post(self, entry: Entry) -> Pending:
        """Write down, then deliver. Raises Closed, and what Outbox.add raises."""
        if self._closed:
            raise Closed("the client is closed")
        self.start(entry.sender)
        self._outbox.add(entry)
        pending = Pending(entry)
        self._enqueue(pending)
        return pending

    def hurry(self) -> None:
        """Something changed for the better (connected, logged in): do not sit out the waits."""
        self._wake.set()
        self._wake = asyncio.Event()

    async def drained(self, sender: str) -> None:
        """Return when everything of this sender is settled."""
        while tasks := [task for lane, task in self._tasks.items() if lane[0] == sender and task is not asyncio.current_task()]:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Stop; what is not settled stays in the outbox."""
        self._closed = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for queue in self._queues.values():
            for pending in queue:
                if not pending.future.done():
                    pending.future.set_exception(Closed("the client was closed; the message is sent when it runs again"))
        self._queues.clear()

    def _enqueue(self, pending: Pending) -> None:
        lane = (pending.entry.sender, pending.entry.conversation)
        self._queues.setdefault(lane, deque()).append(pending)
        if lane not in self._tasks:
            self._tasks[lane] = asyncio.create_task(self._run(lane), name=f"hongyan outbox {lane[1]}")

    async def _run(self, lane: _Lane) -> None:
        queue = self._queues[lane]
        try:
            while queue:
                await self._settle(queue[0])
                queue.popleft()
            del self._queues[lane]
        finally:
            del self._tasks[lane]

    async def _settle(self, pending: Pending) -> None:
        """Try until it is acknowledged or refused for good."""
        backoff = self._backoff()
        entry = pending.entry
        while True:
            wake = self._wake
            try:
                async with self._places:
                    place = await self._send(entry)
            except Exception as error:
                if isinstance(error, HongyanError) and not isinstance(error, NotAuthenticated) and not is_temporary(error):
                    log.debug("send %s was refused: %r", entry.client_id, error)
                    self._strike_out(entry)
                    if not pending.future.done():
                        pending.future.set_exception(error)
                    await self._failed(entry, error)
                    return
                if not isinstance(error, (ClientError, HongyanError)):
                    log.error("send %s failed and is tried again", entry.client_id, exc_info=error)
                await _pause(wake, backoff.next(wait_of(error)))
            else:
                self._strike_out(entry)
                if not pending.future.done():
                    pending.future.set_result(place)
                await self._sent(entry, place)
                return

    def _strike_out(self, entry: Entry) -> None:
        try:
            self._outbox.remove(entry)
        except StateUnusable as error:  # sent once more after the next start, with the same id
            log.error("%s", error)


async def _pause(wake: asyncio.Event, seconds: float) -> None:
    """`wake` is the one from before the try that failed: what changed meanwhile counts too."""
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        pass
