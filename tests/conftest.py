"""The real servers of a cluster, one of each for a session (with xdist for each worker), and a database for each test."""

import contextlib
from collections.abc import Callable, Iterator

import pytest

from hongyan.store import migrate
from tests.counterparts.nats import Nats
from tests.counterparts.postgresql import PostgreSQL
from tests.serving import Shared

MakeShared = Callable[[], contextlib.AbstractContextManager[Shared]]


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL]:
    with PostgreSQL(tmp_path_factory.mktemp("postgresql")) as server:
        yield server


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nats]:
    with Nats(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture(scope="session")
def tables(postgresql_server: PostgreSQL) -> str:
    """The name of a database with empty tables of the newest version: a copy of it takes a tenth of the time to make them."""
    postgresql_server.create_database("tables")
    migrate.upgrade(postgresql_server.url("tables"))
    return "tables"


@pytest.fixture
def postgresql_url(postgresql_server: PostgreSQL, tables: str) -> Iterator[str]:
    """A fresh database with empty tables."""
    with postgresql_server.database(tables) as url:
        yield url


@pytest.fixture
def empty_postgresql_url(postgresql_server: PostgreSQL) -> Iterator[str]:
    """A fresh database without tables."""
    with postgresql_server.database() as url:
        yield url


@pytest.fixture
def nats_url(nats_server: Nats) -> str:
    nats_server.revive()
    return nats_server.url


@pytest.fixture(scope="session")
def make_shared(postgresql_server: PostgreSQL, nats_server: Nats, tables: str) -> MakeShared:
    """A store of its own and a bus, for as long as the context lasts: for fixtures of any scope."""

    @contextlib.contextmanager
    def make() -> Iterator[Shared]:
        nats_server.revive()
        with postgresql_server.database(tables) as url:
            yield Shared(url, nats_server.url)

    return make


@pytest.fixture
def shared(make_shared: MakeShared) -> Iterator[Shared]:
    with make_shared() as shared:
        yield shared
