from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateways.xmpp.site import Site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One that all tests may use and none stops; its people are each test's own."""
    with Site(tmp_path_factory.mktemp("xmpp") / "data") as site:
        yield site


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Site]:
    """One that the test may stop, and where a log-in may take a second."""
    with Site(tmp_path / "data", XMPP_LOGIN_SECONDS="1") as site:
        yield site
