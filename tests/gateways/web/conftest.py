from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateways.web.webhouse import WebHouse, web_house


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebHouse]:
    """The application with four people, each with a token."""
    async with web_house(tmp_path / "hongyan.db") as built:
        yield built
