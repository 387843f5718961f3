"""Read marks on their way: only the highest of each conversation is told, and not more often than every `pause` seconds."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from hongyan.client.backoff import Backoff
from hongyan.client.errors import is_temporary, wait_of


class Marks:
    """`tell(conversation, seq)` is the call to the server. A mark that was refused for good is dropped."""

    def __init__(self, tell: Callable[[str, int], Awaitable[None]], *, pause: float = 0.3) -> None:
        self._tell = tell
        self._pause = pause
        self._waiting: dict[str, int] = {}
        self._told: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def read(self, conversation: str, seq: int) -> None:
        """Move the mark up to `seq`, soon."""
        if self._closed or seq <= max(self._waiting.get(conversation, 0), self._told.get(conversation, 0)):
            return
        self._waiting[conversation] = seq
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="hongyan read marks")

    def forget(self, conversation: str) -> None:
        """It was marked as unread: a mark that was told before is told again."""
        self._told.pop(conversation, None)

    async def close(self, within: float = 2.0) -> None:
        """Tell what is left, if that is quickly done."""
        self._closed = True
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(Exception):  # a mark that is not told is told by the next one
            async with asyncio.timeout(within):
                await self._flush()

    async def _run(self) -> None:
        backoff = Backoff()
        await asyncio.sleep(self._pause)
        while self._waiting:
            try:
                await self._flush()
            except Exception as error:
                await asyncio.sleep(backoff.next(wait_of(error)))
            else:
                backoff.reset()
                await asyncio.sleep(self._pause)

    async def _flush(self) -> None:
        for conversation, seq in list(self._waiting.items()):
            try:
                await self._tell(conversation, seq)
            except Exception as error:
                if is_temporary(error):
                    raise
            else:
                self._told[conversation] = seq
            if self._waiting.get(conversation) == seq:
                del self._waiting[conversation]
