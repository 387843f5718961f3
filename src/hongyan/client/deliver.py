"""Delivery of the outbox: for each conversation one task that sends its entries one after the other, for as long as it takes."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from typing import Any

from hongyan.client.backoff import Backoff
from hongyan.client.errors import Closed, is_temporary, wait_of
from hongyan.client.model import Sent
from hongyan.client.outbox import Entry, Outbox
from hongyan.core.errors import NotAuthenticated

log = logging.getLogger("hongyan.client")


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
    """`post` writes down and returns; what was refused for good goes to `failed` and to whoever awaits the Pending."""

    def __init__(
        self,
        outbox: Outbox,
        send: Callable[[Entry], Awaitable[Sent]],
        *,
        sent: Callable[[Entry, Sent], Awaitable[None]],
        failed: Callable[[Entry, Exception], Awaitable[None]],
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        self._outbox = outbox
        self._send = send
        self._sent = sent
        self._failed = failed
        self._backoff = backoff
        self._queues: dict[str, deque[Pending]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._loaded: set[str] = set()
        self._wake = asyncio.Event()
        self._closed = False

    def start(self, sender: str) -> None:
        """Take up what an earlier run left behind."""
        if sender not in self._loaded:
            self._loaded.add(sender)
            for entry in self._outbox.waiting(sender):
                self._enqueue(Pending(entry))

    def post(self, entry: Entry) -> Pending:
        """Write down, then deliver. Raises what Outbox.add raises."""
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

    async def drained(self) -> None:
        """Return when everything is settled."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Stop; what is not settled stays in the outbox."""
        self._closed = True
        tasks = [task for task in self._tasks.values() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for queue in self._queues.values():
            for pending in queue:
                if not pending.future.done():
                    pending.future.set_exception(Closed("the client was closed; the message is sent when it runs again"))
        self._queues.clear()
        self._tasks.clear()

    def _enqueue(self, pending: Pending) -> None:
        conversation = pending.entry.conversation
        self._queues.setdefault(conversation, deque()).append(pending)
        if conversation not in self._tasks:
            self._tasks[conversation] = asyncio.create_task(self._run(conversation), name=f"hongyan outbox {conversation}")

    async def _run(self, conversation: str) -> None:
        queue = self._queues[conversation]
        try:
            while queue:
                await self._settle(queue[0])
                queue.popleft()
        finally:
            if not self._closed:
                del self._queues[conversation], self._tasks[conversation]

    async def _settle(self, pending: Pending) -> None:
        """Try until it is acknowledged or refused for good."""
        backoff = self._backoff()
        entry = pending.entry
        while True:
            try:
                place = await self._send(entry)
            except Exception as error:
                if not is_temporary(error) and not isinstance(error, NotAuthenticated):
                    log.debug("send %s was refused: %r", entry.client_id, error)
                    self._outbox.remove(entry)
                    if not pending.future.done():
                        pending.future.set_exception(error)
                    await self._failed(entry, error)
                    return
                await self._pause(backoff.next(wait_of(error)))
            else:
                self._outbox.remove(entry)
                if not pending.future.done():
                    pending.future.set_result(place)
                await self._sent(entry, place)
                return

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
