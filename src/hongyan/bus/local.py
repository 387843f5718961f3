"""The bus of a single process: everything arrives at once, and there is nobody else."""

from collections.abc import Callable
from typing import Any, TypeVar

from hongyan.bus import Counts, Message

M = TypeVar("M", bound=Message)


class Ears:
    """Who listens to what. Every bus has one."""

    def __init__(self) -> None:
        self._heard: dict[type, Callable[[Any], None]] = {}

    def listen(self, kind: type[M], heard: Callable[[M], None]) -> None:
        self._heard[kind] = heard

    def hear(self, message: Message) -> None:
        heard = self._heard.get(type(message))
        if heard is not None:
            heard(message)


class LocalBus:
    """Keeps the contract of `hongyan.bus.Bus` for one node."""

    trouble = None
    doubtful = False
    alone = True

    def __init__(self) -> None:
        self._ears = Ears()
        self._open = False
        self._node = ""
        self.counts = Counts()

    def listen(self, kind: type[M], heard: Callable[[M], None]) -> None:
        self._ears.listen(kind, heard)

    async def start(self, epoch: str, key: bytes, node: str) -> None:
        self._open = True
        self._node = node

    async def close(self) -> None:
        self._open = False

    def publish(self, message: Message, to: str | None = None) -> None:
        if self._open and (to is None or to == self._node):
            self._ears.hear(message)
