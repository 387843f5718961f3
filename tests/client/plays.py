"""Time that passes when nothing else happens, transports that do what a play says, and a log to read from."""

import asyncio
import selectors
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from hongyan.client.errors import TransportBroken
from hongyan.client.model import Batch, Event, TransportName

T = TypeVar("T")
EPOCH = "e1"


class _Waiting(selectors.SelectSelector):
    """Does not wait for the time to pass: it lets it pass."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits for somebody else"
            self.now += max(0.0, timeout)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._waiting = _Waiting()
        super().__init__(self._waiting)

    def time(self) -> float:
        return self._waiting.now


def play(scene: Coroutine[Any, Any, T]) -> T:
    """Run a scene on a loop without real time; an hour's wait takes nothing. Tasks that outlive the scene are a fault."""

    async def whole() -> T:
        try:
            async with asyncio.timeout(100_000):
                return await scene
        finally:
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"left running: {left}"

    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(whole())


def now() -> float:
    return asyncio.get_running_loop().time()


async def until(condition: Callable[[], Any], within: float = 1000.0) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(within):
        step = 0.001
        while not condition():
            await asyncio.sleep(step)
            step = min(0.2, step * 1.2)


def cursor(position: int, epoch: str = EPOCH) -> str:
    return f"{epoch}.{position}"


def message(position: int, text: str = "", *, sender: str = "lihua", conversation: str = "lobby", epoch: str = EPOCH) -> Event:
    content = {"type": "text", "text": text or f"m{position}"}
    return Event(cursor(position, epoch), conversation, position, "message", sender, position * 1000, content)


def batch(*positions: int, epoch: str = EPOCH) -> Batch:
    return Batch(cursor(positions[-1], epoch), [message(position, epoch=epoch) for position in positions])


HOLD = object()
"""In a play: say nothing more until the reader goes away."""
Act = Batch | Exception | Callable[[], Any] | object


class Scripted:
    """A transport. Each time a stream is opened it plays the next act; after the last one it holds.

    An act is a list of batches to give, exceptions to raise, functions to call (awaited when async) and HOLD.
    """

    def __init__(self, name: TransportName, *acts: Sequence[Act]) -> None:
        self.name = name
        self.acts = list(acts)
        self.asked: list[str] = []
        """The cursors that streams began at."""
        self.open = 0

    async def stream(self, cursor: str) -> AsyncGenerator[Batch, None]:
        self.asked.append(cursor)
        self.open += 1
        try:
            for step in self.acts.pop(0) if self.acts else [HOLD]:
                if isinstance(step, Batch):
                    yield step
                elif isinstance(step, Exception):
                    raise step
                elif step is HOLD:
                    await asyncio.Event().wait()
                elif callable(step) and isinstance(result := step(), Awaitable):
                    await result
            raise TransportBroken("the act is over")
        finally:
            self.open -= 1


OPENED = Batch(opened=True)
