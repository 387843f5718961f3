"""The store and the bus that the settings name, as every command opens them."""

from hongyan import finding
from hongyan.bus import Bus
from hongyan.bus.local import LocalBus
from hongyan.bus.nats import NatsBus
from hongyan.config import Settings
from hongyan.operation.directory import DataDirectory
from hongyan.store.postgres import PostgresStore
from hongyan.store.sqlite import SqliteStore

OpenedStore = SqliteStore | PostgresStore


def store_of(settings: Settings, directory: DataDirectory | None = None) -> OpenedStore:
    """Not started yet. `directory` in place of the settings' own."""
    log = settings.log
    if settings.shares_store:
        return PostgresStore(database_of(settings), queue=log.queue, readers=log.readers)
    return sqlite_in(directory or DataDirectory(settings.data), settings)


def database_of(settings: Settings) -> str:
    """The URL of the shared database; where its hosts are looked up, with the name server that is asked."""
    if "+srv://" not in settings.store or settings.dns.server is None:
        return settings.store
    return f"{settings.store}{'&' if '?' in settings.store else '?'}name_server={settings.dns.server}"


def sqlite_in(directory: DataDirectory, settings: Settings) -> SqliteStore:
    """The embedded store of a data directory, not started yet."""
    log = settings.log
    return SqliteStore(directory.database, queue=log.queue, readers=log.readers, checkpoint_pages=log.checkpoint_pages)


def bus_of(settings: Settings) -> Bus:
    """Not started yet."""
    if not settings.has_bus:
        return LocalBus()

    async def servers() -> list[str]:
        found = await finding.find(settings.bus, name_server=settings.dns.server)
        return [finding.aimed(settings.bus, target) for target in found]

    return NatsBus(servers)
