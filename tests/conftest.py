"""The real servers of a cluster, one of each for a session (with xdist for each worker), and a database for each test."""

from collections.abc import Iterator

import pytest

from tests.counterparts.nats import Nats
from tests.counterparts.postgresql import PostgreSQL
from tests.counterparts.program import Program


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL]:
    with PostgreSQL(tmp_path_factory.mktemp("postgresql")) as server:
        yield server


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nats]:
    with Nats(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server: PostgreSQL) -> Iterator[str]:
    """A fresh database."""
    _revive(postgresql_server)
    url = postgresql_server.new_database()
    yield url
    _revive(postgresql_server)
    postgresql_server.drop_database(url)


@pytest.fixture
def nats_url(nats_server: Nats) -> str:
    _revive(nats_server)
    return nats_server.url


def _revive(server: Program) -> None:
    """What a test has killed or frozen is there again for the next."""
    if server.runs:
        server.thaw()
    else:
        server.start()
