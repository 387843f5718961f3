"""Reading everything again at the end of a run: the log of each conversation, and each person's events from the beginning."""

import asyncio
import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from hongyan.client.backoff import Backoff
from tests.e2e.sockets import Foreign, Lost
from tests.faults.doors import Account, Door
from tests.faults.history import Chunk, Denied, Event, History, Reading
from tests.serving import Refused


class Reread:
    """What cannot be read until `deadline` is missing in the history, and the checker says so."""

    def __init__(self, history: History, *, dice: random.Random, clock: Callable[[], float], deadline: float) -> None:
        self._history = history
        self._dice = dice
        self._clock = clock
        self._deadline = deadline

    async def conversations(self, door: Door, account: Account, ids: Sequence[str]) -> None:
        """As this person may read them on this node; not those that they were removed from."""
        for id in ids:
            events = await self._whole(door, account, id)
            if events is not None:
                self._history.add(Reading(self._clock(), door.name, account.id, id, events))

    async def events(self, door: Door, account: Account, cursor: str) -> None:
        """By a new device, from `cursor` on."""
        device, more = f"{account.id} again on {door.name}", True
        while more:
            try:
                answer = await self._persist(partial(door.call, account, "GET", "/v1/events", after=cursor, limit=1000))
            except Refused as error:
                self._history.add(Denied(self._clock(), device, door.name, "poll", cursor, error.status, error.code))
                return
            if answer is None:
                return
            events = tuple(msgspec.convert(event, Event) for event in answer["events"])
            limited = answer["reason"] if answer.get("limited") else None
            where = door.name, "poll"
            self._history.add(Chunk(self._clock(), device, account.id, *where, cursor, answer["cursor"], events, limited))
            cursor, more = answer["cursor"], answer.get("more", False)

    async def _whole(self, door: Door, account: Account, id: str) -> tuple[Event, ...] | None:
        found: list[Event] = []
        while True:
            after = found[-1].seq if found else 0
            try:
                page = await self._persist(
                    partial(door.call, account, "GET", f"/v1/conversations/{id}/events", after=after, limit=1000)
                )
            except Refused:
                return None
            if page is None:
                return None
            found += [msgspec.convert(event, Event) for event in page["events"]]
            if not page["more"]:
                return tuple(found)

    async def _persist(self, call: Callable[[], Any]) -> Any:
        """Ask until there is an answer; None when there is none before the deadline. Raises Refused for good."""
        backoff = Backoff(0.05, 1.0, self._dice.random)
        while True:
            try:
                return await call()
            except (Lost, Foreign):
                pass
            except Refused as error:
                if error.status < 500 and error.status not in (401, 408, 429):
                    raise
            if self._clock() >= self._deadline:
                return None
            await asyncio.sleep(backoff.next())
