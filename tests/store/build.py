"""Builders: drafts, and a store whose answers and commits are written down in the order they came."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterable
from typing import Any

from hongyan.core.model import Batch, Event
from hongyan.store import Appended, Draft, Refused, Store, reading


def draft(lane: str = "room", client_id: str | None = None, sender: str | None = "alice", **more: Any) -> Draft:
    fields: dict[str, Any] = {"type": "message", "time": 1_700_000_000_000, "content": b'{"type":"text","text":"hi"}'}
    return Draft(lane=lane, sender=sender, client_id=client_id, **(fields | more))


class Opened:
    """A started store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.heard: list[Appended | Refused | Batch] = []
        """Every answer and every commit, in the order in which they came."""

    @property
    def batches(self) -> list[Batch]:
        return [one for one in self.heard if isinstance(one, Batch)]

    def append(self, one: Draft) -> "asyncio.Future[Appended | Refused]":
        """Queue it now; the future is its answer."""
        future: asyncio.Future[Appended | Refused] = asyncio.get_running_loop().create_future()

        def done(outcome: Appended | Refused) -> None:
            self.heard.append(outcome)
            future.set_result(outcome)

        self.store.append(one, done)
        return future

    async def add(self, one: Draft) -> Appended:
        outcome = await self.append(one)
        assert isinstance(outcome, Appended), repr(outcome)
        return outcome

    async def add_all(self, drafts: Iterable[Draft]) -> list[Appended]:
        return [outcome for outcome in await self.answers(drafts) if isinstance(outcome, Appended)]

    async def answers(self, drafts: Iterable[Draft]) -> list[Appended | Refused]:
        return await asyncio.gather(*[self.append(one) for one in drafts])

    @contextlib.asynccontextmanager
    async def one_commit(self) -> AsyncIterator[None]:
        """Everything that is called inside is committed together."""
        loop = asyncio.get_running_loop()
        busy, go_on = asyncio.Event(), threading.Event()

        def hold(_: object) -> None:
            loop.call_soon_threadsafe(busy.set)
            assert go_on.wait(30)

        holding = asyncio.ensure_future(self.store.transaction(hold))
        await busy.wait()
        try:
            yield
            await asyncio.sleep(0)  # tasks that were made inside begin
        finally:
            go_on.set()
            await holding

    async def log(self) -> list[Event]:
        return await self.store.read(lambda connection: reading.after(connection, 0, 1_000_000))


def assert_whole(log: Iterable[Event]) -> None:
    """Positions are dense from 1, and so are the seqs of each lane in the order of the positions."""
    seqs: dict[str, int] = {}
    for number, event in enumerate(log, 1):
        assert event.position == number
        seqs[event.lane] = seqs.get(event.lane, 0) + 1
        assert event.seq == seqs[event.lane]
