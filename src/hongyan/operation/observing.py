"""The nodes of a cluster, seen from outside: somebody who reads the store's key and listens on the bus, and says nothing."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator

from hongyan.bus import Beat, Bus, Gone, NodeInfo
from hongyan.config import Settings
from hongyan.core.errors import StoreUnavailable
from hongyan.operation.opening import bus_of
from hongyan.store import postgres_connection
from hongyan.store.epoch import Identity, identity_of

_SILENT_SECONDS = 4.0
"""Who has said nothing for so long is gone."""


class Observer:
    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._heard: dict[str, tuple[NodeInfo, float]] = {}
        bus.listen(Beat, self._on_beat)
        bus.listen(Gone, lambda gone: self._heard.pop(gone.node, None) and None)

    @property
    def trouble(self) -> str | None:
        return self._bus.trouble

    def nodes(self) -> list[NodeInfo]:
        """Those that are there now, by name."""
        since = asyncio.get_running_loop().time() - _SILENT_SECONDS
        return sorted((node for node, at in self._heard.values() if at >= since), key=lambda node: (node.name, node.id))

    def _on_beat(self, beat: Beat) -> None:
        self._heard[beat.node.id] = beat.node, asyncio.get_running_loop().time()


@contextlib.asynccontextmanager
async def observing(settings: Settings) -> AsyncIterator[Observer]:
    """Raises StoreUnavailable when the database is not there or no server has used it."""
    identity = await _identity(settings.store)
    bus = bus_of(settings)
    observer = Observer(bus)
    await bus.start(identity.epoch, identity.key, f"observer-{secrets.token_hex(5)}")
    try:
        yield observer
    finally:
        await bus.close()


async def _identity(url: str) -> Identity:
    engine = postgres_connection.engine(url, 0)
    try:
        async with engine.connect() as connection:
            found = await connection.run_sync(identity_of)
    except Exception as error:
        raise StoreUnavailable(f"The nodes' key cannot be read from the database: {postgres_connection.told(error)}") from error
    finally:
        await engine.dispose()
    if found is None:
        raise StoreUnavailable("No server has used this database yet")
    return found
