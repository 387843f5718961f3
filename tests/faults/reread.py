"""Reading everything again at the end of a run: the log of each conversation, and each person's events from the beginning."""

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from tests.e2e.sockets import Foreign, Lost
from tests.faults.doors import Account, Door, insist
from tests.faults.history import Chunk, Denied, Event, History, Reading, Switch
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
        device, where, more = f"{account.id} again on {door.name}", (door.name, "poll"), True
        self._history.add(Switch(self._clock(), device, account.id, *where, cursor, "start"))
        while more:
            try:
                answer = await self._insist(partial(door.call, account, "GET", "/v1/events", after=cursor, limit=1000))
            except (Lost, Foreign):
                return
            except Refused as error:
                self._history.add(Denied(self._clock(), device, *where, cursor, error.status, error.code))
                return
            events = tuple(msgspec.convert(event, Event) for event in answer["events"])
            limited = answer["reason"] if answer.get("limited") else None
            self._history.add(Chunk(self._clock(), device, account.id, *where, cursor, answer["cursor"], events, limited))
            cursor, more = answer["cursor"], answer.get("more", False)

    async def _whole(self, door: Door, account: Account, id: str) -> tuple[Event, ...] | None:
        found: list[Event] = []
        path, more = f"/v1/conversations/{id}/events", True
        while more:
            after = found[-1].seq if found else 0
            try:
                page = await self._insist(partial(door.call, account, "GET", path, after=after, limit=1000))
            except (Lost, Foreign, Refused):
                return None
            found += [msgspec.convert(event, Event) for event in page["events"]]
            more = page["more"]
        return tuple(found)

    async def _insist(self, call: Callable[[], Any]) -> Any:
        return await insist(call, dice=self._dice, clock=self._clock, deadline=self._deadline)
