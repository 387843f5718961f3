"""The store of a data directory, as every command opens it."""

from hongyan import config
from hongyan.operation.directory import DataDirectory
from hongyan.store.sqlite import SqliteStore


def store_in(directory: DataDirectory, settings: config.Log) -> SqliteStore:
    """Not started yet."""
    return SqliteStore(
        directory.database, queue=settings.queue, readers=settings.readers, checkpoint_pages=settings.checkpoint_pages
    )
