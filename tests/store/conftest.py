import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Protocol

import pytest

from hongyan.core.model import Batch
from hongyan.store import Store
from hongyan.store.postgres import PostgresStore
from hongyan.store.sqlite import SqliteStore
from tests.store.build import Opened


class OpenStore(Protocol):
    """Opens a store on the test's data; each further one is another store object on the same data, closed at the end."""

    def __call__(self, *, queue: int = 50_000, on_commit: Callable[[Batch], None] | None = None) -> Awaitable[Opened]: ...


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where an SQLite store of the test is."""
    return tmp_path / "data" / "hongyan.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def make_store(request: pytest.FixtureRequest, database: Path) -> Callable[[int], Store]:
    """Every implementation of the contract; the tests that use it know nothing of which one it is."""
    if request.param == "sqlite":
        return lambda queue: SqliteStore(database, queue=queue, readers=2, checkpoint_pages=200)
    url: str = request.getfixturevalue("postgresql_url")
    return lambda queue: PostgresStore(url, queue=queue, readers=2)


@pytest.fixture
async def open_store(make_store: Callable[[int], Store]) -> AsyncIterator[OpenStore]:
    async with contextlib.AsyncExitStack() as stack:

        async def opening(*, queue: int = 50_000, on_commit: Callable[[Batch], None] | None = None) -> Opened:
            opened = Opened(make_store(queue))
            await opened.store.start(on_commit or opened.heard.append)
            stack.push_async_callback(opened.store.close)
            return opened

        yield opening


@pytest.fixture
async def opened(open_store: OpenStore) -> Opened:
    return await open_store()
