"""What people say of themselves (`status` events), known on every node: a fold over the log, loaded from the store at a position.

It ends by itself on each node, by that node's clock.
"""

import asyncio
from collections.abc import Callable

import msgspec

from hongyan.core.model import Event
from hongyan.core.own import StatusText
from hongyan.messaging.log import Log
from hongyan.messaging.owned import status_texts
from hongyan.store import Store, reading

_LONGEST_SLEEP = 60.0
"""Seconds until the clock is looked at again, whatever it said before: clocks are set."""

_decode = msgspec.json.Decoder(StatusText).decode


class Statuses:
    """`changed(user)` is called when somebody's words have changed or ended."""

    def __init__(self, store: Store, log: Log, changed: Callable[[str], None], *, clock: Callable[[], int]) -> None:
        self._store = store
        self._changed = changed
        self._clock = clock
        self._texts: dict[str, StatusText] = {}
        self._told: set[str] = set()
        """Of whom an event came before all was loaded."""
        self._loaded = False
        self._ends: int | None = None
        """When the first of them does."""
        self._ending: asyncio.TimerHandle | None = None
        self._log = log
        log.fold(self._apply)

    def of(self, user: str) -> StatusText | None:
        """What they say now."""
        text = self._texts.get(user)
        return None if text is None or text.over(self._clock()) else text

    def __len__(self) -> int:
        return len(self._texts)

    async def start(self) -> None:
        """Once the log is followed."""
        found, head = await self._store.read(
            lambda connection: (status_texts(connection, self._clock()), reading.head(connection))
        )
        await self._log.reached(head)
        for user, text in found.items():
            if user not in self._told:
                self._texts[user] = text
        self._loaded = True
        self._told.clear()
        self._wait()

    def stop(self) -> None:
        if self._ending is not None:
            self._ending.cancel()

    def _apply(self, event: Event) -> None:
        if event.type != "status" or event.sender is None:
            return
        text = _decode(event.content)
        if not self._loaded:
            self._told.add(event.sender)
        if text == StatusText():
            self._texts.pop(event.sender, None)
        else:
            self._texts[event.sender] = text
        self._changed(event.sender)
        if text.until is not None and (self._ends is None or text.until < self._ends):
            self._wait()

    def _wait(self) -> None:
        """Until the first of them ends."""
        self.stop()
        self._ends = min((text.until for text in self._texts.values() if text.until is not None), default=None)
        if self._ends is not None:
            seconds = min(max((self._ends - self._clock()) / 1000, 0.0), _LONGEST_SLEEP)
            self._ending = asyncio.get_running_loop().call_later(seconds, self._end)

    def _end(self) -> None:
        now = self._clock()
        for user in [user for user, text in self._texts.items() if text.over(now)]:
            del self._texts[user]
            self._changed(user)
        self._wait()
