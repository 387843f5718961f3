"""One server for the tests of a module that leave it running, and the devices of one test."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.e2e.devices import Crowd
from tests.serving import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server") / "data") as server:
        yield server


@pytest.fixture
async def crowd(server: Server) -> AsyncIterator[Crowd]:
    async with Crowd(server) as crowd:
        yield crowd
