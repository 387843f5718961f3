"""The faults that are done to a cluster: each begins, lasts as long as the body of its `async with`, and is mended.

    nemesis = Nemesis(load.history, seed=seed, moment=load.moment)
    await nemesis.torment([Deed("node 1 is killed", lambda: killed(node)), ...], rounds=20)

What they are done to are the servers of `tests.counterparts` and `tests.serving.Server`, or anything with the same verbs. The
verbs wait, so they run in threads, one after the other, while people go on using the cluster.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import msgspec

from tests.faults.history import Fault, History

Verb = Callable[[], Any]


class Mortal(Protocol):
    """A node, the database, the bus."""

    def kill(self) -> Any:
        """kill -9."""

    def start(self) -> Any:
        """Back with the same data, at the same address; returns when it answers."""


class Stoppable(Protocol):
    def stop(self) -> Any: ...

    def start(self) -> Any: ...


class Freezable(Protocol):
    def freeze(self) -> Any:
        """SIGSTOP."""

    def thaw(self) -> Any: ...


class Line(Protocol):
    """The way from a node to the database or the bus."""

    def cut(self) -> Any:
        """Connections are reset, new ones refused."""

    def stall(self) -> Any:
        """Nothing passes, and nobody is told."""

    def heal(self) -> Any: ...


class Watch(Protocol):
    """What processes take for the time of day."""

    def jump(self, seconds: float) -> Any: ...


def killed(*victims: Mortal) -> AbstractAsyncContextManager[None]:
    """All of them, and started again in the opposite order: name a node before the database that it needs."""
    return _done([(victim.kill, victim.start) for victim in victims])


def stopped(*victims: Stoppable) -> AbstractAsyncContextManager[None]:
    return _done([(victim.stop, victim.start) for victim in victims])


def frozen(*victims: Freezable) -> AbstractAsyncContextManager[None]:
    return _done([(victim.freeze, victim.thaw) for victim in victims])


def cut(*lines: Line) -> AbstractAsyncContextManager[None]:
    return _done([(line.cut, line.heal) for line in lines])


def stalled(*lines: Line) -> AbstractAsyncContextManager[None]:
    return _done([(line.stall, line.heal) for line in lines])


def jumped(watch: Watch, seconds: float) -> AbstractAsyncContextManager[None]:
    """And back again."""
    return _done([(lambda: watch.jump(seconds), lambda: watch.jump(-seconds))])


@contextlib.asynccontextmanager
async def _done(verbs: Sequence[tuple[Verb, Verb]]) -> AsyncIterator[None]:
    """What was done is undone, the last first; also when only a part of it was done, or the run ends in the middle."""
    async with contextlib.AsyncExitStack() as undoing:
        for do, undo in verbs:
            undoing.push_async_callback(_whole, undo)
            await _whole(do)
        yield


async def _whole(verb: Verb) -> None:
    """In a thread. It is waited for even when the run ends meanwhile: half a kill cannot be undone."""
    work = asyncio.ensure_future(asyncio.to_thread(verb))
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


class Deed(msgspec.Struct, frozen=True):
    """A fault that may be chosen."""

    name: str
    begin: Callable[[], AbstractAsyncContextManager[None]]
    shortest: float = 0.0
    longest: float = 3.0
    """Seconds that it lasts."""


class Nemesis:
    """`moment` waits until the next fault may begin: `Workload.moment`. The seed is printed, so that the dice fall again so."""

    def __init__(
        self,
        history: History,
        *,
        seed: int,
        moment: Callable[[random.Random], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        print(f"the nemesis has the seed {seed}")
        self._history = history
        self._dice = random.Random(seed)
        self._moment = moment
        self._clock = clock

    async def torment(self, deeds: Sequence[Deed], rounds: int) -> None:
        """So many faults, one after the other, in random order; each of the deeds before any comes again."""
        left: list[Deed] = []
        for _ in range(rounds):
            left = left or self._dice.sample(list(deeds), len(deeds))
            await self._moment(self._dice)
            await self.do(left.pop())

    async def do(self, deed: Deed) -> None:
        """One fault, noted in the history with when it began and when it was mended."""
        began = self._clock()
        print(f"{deed.name} ...")
        try:
            async with deed.begin():
                await asyncio.sleep(self._dice.uniform(deed.shortest, deed.longest))  # as long as the fault is to last
        finally:
            ended = self._clock()
            print(f"{deed.name}: {ended - began:.1f} s")
            self._history.add(Fault(began, ended, deed.name))
