"""The bus of a single process: everything arrives at once."""

from collections.abc import Callable

from hongyan.bus import Signal
from hongyan.core.model import Batch


class LocalBus:
    """Keeps the contract of `hongyan.bus.Bus` for one node."""

    def __init__(self) -> None:
        self._on_batch: Callable[[Batch], None] | None = None
        self._on_signal: Callable[[Signal], None] | None = None

    async def start(self, on_batch: Callable[[Batch], None], on_signal: Callable[[Signal], None]) -> None:
        self._on_batch = on_batch
        self._on_signal = on_signal

    async def close(self) -> None:
        self._on_batch = self._on_signal = None

    def publish_batch(self, batch: Batch) -> None:
        if self._on_batch is not None:
            self._on_batch(batch)

    def publish_signal(self, signal: Signal) -> None:
        if self._on_signal is not None:
            self._on_signal(signal)
