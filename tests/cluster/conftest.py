"""Real nodes on a real PostgreSQL and a real NATS."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.clustering import Cluster
from tests.conftest import MakeShared
from tests.e2e.devices import Crowd
from tests.serving import PASSWORD, Person, Server, Shared


@pytest.fixture(scope="module")
def cluster(make_shared: MakeShared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes, which the tests of a module leave running."""
    with make_shared() as shared, Cluster(tmp_path_factory.mktemp("cluster"), shared, 2) as cluster:
        yield cluster


@pytest.fixture
def one(cluster: Cluster) -> Server:
    return cluster.nodes[0]


@pytest.fixture
def other(cluster: Cluster) -> Server:
    return cluster.nodes[1]


@pytest.fixture
def own(shared: Shared, tmp_path: Path) -> Iterator[Cluster]:
    """Two nodes that the test may stop."""
    with Cluster(tmp_path, shared, 2) as cluster:
        yield cluster


@pytest.fixture
async def on_one(one: Server) -> AsyncIterator[Crowd]:
    async with Crowd(one) as crowd:
        yield crowd


@pytest.fixture
async def on_other(other: Server) -> AsyncIterator[Crowd]:
    async with Crowd(other) as crowd:
        yield crowd


def administrator(node: Server) -> Person:
    node.add("root", admin=True)
    return node.login("root", PASSWORD)
