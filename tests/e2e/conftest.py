"""What the tests run on: one server with its own file, and two nodes of a cluster, to which clients are dealt out in turn."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.clustering import Cluster
from tests.e2e.devices import Crowd
from tests.serving import Server

Begin = Callable[[Path], contextlib.AbstractContextManager[Server | Cluster]]


@pytest.fixture(scope="module", params=["embedded", "cluster"])
def begin(request: pytest.FixtureRequest) -> Begin:
    """Starts servers of the test's own, in a directory."""
    if request.param == "embedded":
        return lambda path: Server(path / "data")
    make_shared = request.getfixturevalue("make_shared")

    @contextlib.contextmanager
    def cluster(path: Path) -> Iterator[Cluster]:
        with make_shared() as shared, Cluster(path, shared, 2) as cluster:
            yield cluster

    return cluster


@pytest.fixture(scope="module")
def server(begin: Begin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server | Cluster]:
    """For the tests of a module that leave it running."""
    with begin(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
async def crowd(server: Server) -> AsyncIterator[Crowd]:
    async with Crowd(server) as crowd:
        yield crowd
