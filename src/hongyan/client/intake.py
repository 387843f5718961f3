"""Taking in: each event of the log goes to the fold and to the callbacks exactly once, in order; then its cursor is kept.

Only the follower's dispatcher calls `take`, so there is never more than one event on its way. An event whose callbacks did
not come to their end (the client was closed or killed) is not behind the cursor, and comes again at the next start.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from hongyan.client.callbacks import Callbacks
from hongyan.client.errors import is_temporary
from hongyan.client.model import Batch, Conversation, Event, Snapshot
from hongyan.client.state import State
from hongyan.core.cursor import Cursor, parse_cursor
from hongyan.core.errors import HongyanError, NotAuthenticated, NotFound

log = logging.getLogger("hongyan.client")


class Intake:
    """`load` asks for a snapshot for as long as it takes, `fetch` for one conversation; `restart` makes the follower begin at a
    cursor again; `keep` writes a cursor down.
    """

    def __init__(
        self,
        state: State,
        callbacks: Callbacks,
        *,
        load: Callable[[], Awaitable[Snapshot]],
        fetch: Callable[[str], Awaitable[Conversation]],
        restart: Callable[[str], None],
        keep: Callable[[str], None],
    ) -> None:
        self._state = state
        self._callbacks = callbacks
        self._load = load
        self._fetch = fetch
        self._restart = restart
        self._keep = keep
        self._logged_in = asyncio.Event()
        self._stopped = False
        self.seen: Cursor | None = None
        """Everything up to here was handed over."""

    def begin(self, cursor: str) -> None:
        """What comes after this cursor is new."""
        self.seen = parse_cursor(cursor)
        self._keep(cursor)

    def stop(self) -> None:
        """The event that is being handed over is the last one."""
        self._stopped = True

    def logged_in(self) -> None:
        """There is a new token."""
        self._logged_in.set()

    async def take(self, batch: Batch) -> None:
        """Hand over one batch: signals, then each event that is new."""
        if self.seen is None:
            return
        cursor = parse_cursor(batch.cursor) if batch.cursor else None
        if batch.limited or (cursor is not None and cursor.epoch != self.seen.epoch):
            await self._reload()
            return
        for signal in batch.signals:
            if not self._stopped:
                await self._callbacks.call("signal", signal)
        for event in batch.events:
            if event.position > self.seen.position:
                if self._stopped:
                    return
                await self._hand_over(event)
                self._move(Cursor(self.seen.epoch, event.position))
        if cursor is not None and cursor.position > self.seen.position:
            self._move(cursor)
        await self._load_wanted()

    def _move(self, cursor: Cursor) -> None:
        self.seen = cursor
        self._keep(str(cursor))

    async def _hand_over(self, event: Event) -> None:
        self._state.apply_event(event)
        if event.conversation in self._state.to_load:
            await self._load_wanted()
        await self._callbacks.call("event", event)
        await self._callbacks.call(f"event:{event.type}", event)

    async def _reload(self) -> None:
        """What was between is lost for good. Nothing is handed over before the new snapshot is there."""
        snapshot = await self._load_logged_in()
        self._restart(snapshot.cursor)
        self._move(parse_cursor(snapshot.cursor))
        await self._callbacks.call("reload", self._state)

    async def _load_logged_in(self) -> Snapshot:
        while True:
            self._logged_in.clear()
            try:
                return await self._load()
            except NotAuthenticated:
                await self._logged_in.wait()

    async def _load_wanted(self) -> None:
        for conversation in self._state.to_load:
            try:
                self._state.apply_conversation(await self._fetch(conversation))
            except NotFound:
                self._state.forget_conversation(conversation)
            except Exception as error:
                if not is_temporary(error) and not isinstance(error, HongyanError):
                    raise
                log.debug("conversation %s could not be loaded yet: %r", conversation, error)  # asked again after the next batch
