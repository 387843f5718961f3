"""What is told to a resource, in its order, without a server: a play of a session, shapes and a store that fails."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from hongyan.core.errors import NotFound, StoreUnavailable
from hongyan.core.model import Event
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.outgoing import Outgoing
from hongyan.messaging import Chunk

PLACE = SimpleNamespace(pair=("alice", "bob"), peer=lambda user: "alice")


def event(position: int, type: str = "message", lane: str = "lane") -> Event:
    return Event(position, lane, position, type, "alice", 0, None, b"{}")


class Play:
    """A resource that takes everything, and what was told to it."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.faults: list[Any] = []
        self.chunks: list[Chunk] = []
        self.known: dict[str, Any] = {"lane": PLACE}
        self.learn: Callable[[], Awaitable[None]] = self._nothing
        self.follow: Callable[[], Awaitable[Chunk]] = self._no_chunk
        self.looks = 0
        self.tasks: set[asyncio.Task[None]] = set()
        self.session = SimpleNamespace(take=self._take, next=self._next, behind=False, closed=False)
        table = SimpleNamespace(events={}, signals={}, available=[], profile=None)
        places = SimpleNamespace(get=lambda id: self.known.get(id), learn=self._learn)
        self.table = table
        house = SimpleNamespace(
            table=table, xmpp=SimpleNamespace(places=places), log=logging.getLogger("test"), task=self._task, flush=self._flush
        )
        self.resource: Any = SimpleNamespace(
            house=house, user="bob", jid=Jid("bob", "test"), session=self.session, may_write=True, priority=0, since=7,
            around=SimpleNamespace(circle=None), moved=lambda: None, close=self._close,
        )  # fmt: skip
        self.outgoing = Outgoing(self.resource)
        table.events["direct", "message"] = self._tell

    def give(self, *events: Event) -> None:
        self.chunks.append(Chunk([SimpleNamespace(event=one) for one in events], [], ""))  # type: ignore[list-item]
        self.outgoing.wake()

    async def done(self) -> None:
        """Until nothing is under way."""
        async with asyncio.timeout(5):
            while self.tasks:
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            if self.tasks:
                await self.done()

    def _tell(self, resource: Any, event: Event, place: Any) -> None:
        self.told.append(event.position)

    def _take(self, most: int) -> Chunk | None:
        return self.chunks.pop(0) if self.chunks else None

    async def _next(self, most: int) -> Chunk:
        self.looks += 1
        return await self.follow()

    async def _learn(self, lanes: list[str]) -> None:
        self.looks += 1
        await self.learn()

    def _task(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _flush(self, resource: Any) -> None:
        asyncio.get_running_loop().call_soon(self.outgoing.flush)

    def _close(self, fault: Any) -> None:
        self.faults.append(fault.condition)
        self.outgoing.close()

    async def _nothing(self) -> None: ...

    async def _no_chunk(self) -> Chunk:
        return Chunk([], [], "")


async def fails(*_: Any) -> Any:
    raise StoreUnavailable("The store does not answer")


async def gone(*_: Any) -> Any:
    raise NotFound("There is no such thing")


async def test_what_could_not_be_asked_ends_the_stream_and_is_not_passed_over() -> None:
    play = Play()
    play.table.events["direct", "edit"] = fails
    play.give(event(8), event(9, "edit"), event(10))
    await play.done()
    assert (play.told, play.outgoing.upto, play.faults) == ([8], 8, ["internal-server-error"])


async def test_what_is_not_there_any_more_is_passed_over() -> None:
    play = Play()
    play.table.events["direct", "edit"] = gone
    play.give(event(8), event(9, "edit"), event(10))
    await play.done()
    assert (play.told, play.outgoing.upto, play.faults) == ([8, 10], 10, [])


@pytest.mark.parametrize("what", ["places", "log"])
async def test_a_store_that_fails_is_not_asked_again_and_again(what: str) -> None:
    play = Play()
    if what == "places":
        play.learn = fails
        play.give(event(8, lane="another"))
    else:
        play.follow = fails
        play.session.behind = True
        play.outgoing.wake()
    await play.done()
    assert (play.looks, play.faults) == (1, ["internal-server-error"])


async def test_what_a_signal_has_to_ask_is_told_behind_what_came_before_it() -> None:
    play = Play()
    order = play.told

    async def asked() -> None:
        await asyncio.sleep(0)
        order.append(0)

    play.table.signals["read"] = [lambda resource, body: play.outgoing.then(asked)]
    play.chunks.append(Chunk([SimpleNamespace(event=event(8))], [{"type": "read"}], ""))  # type: ignore[list-item]
    play.give(event(9))
    await play.done()
    assert order == [8, 0, 9]


async def test_what_was_missed_waits_for_what_is_under_way() -> None:
    play = Play()
    order: list[str] = []
    asked = asyncio.Event()

    async def slow(*_: Any) -> None:
        order.append("asks")
        await asked.wait()
        order.append("told")

    async def missed(resource: Any) -> None:
        order.append("missed")

    play.table.events["direct", "edit"] = slow
    play.table.available.append(missed)
    play.give(event(8, "edit"), event(9))
    await asyncio.sleep(0.01)
    play.outgoing.begin()
    await asyncio.sleep(0.01)
    asked.set()
    await play.done()
    assert (order, play.told) == (["asks", "told", "missed"], [9])
