import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hongyan import config
from hongyan.core.errors import NotAuthenticated
from hongyan.core.model import Caller
from hongyan.features.identity import Identity, Login, scram
from hongyan.features.identity.scram import Hash, Verifier
from tests.build import House, house

HOME, ELSEWHERE = "192.0.2.1", "203.0.113.9"
RIGHT, WRONG = "correct horse", "battery staple"


class Accounts:
    """Identity in a whole house: its clocks are the test's, and ends of tokens are kept."""

    def __init__(self, home: House) -> None:
        self.house = home
        self.now = 1_800_000_000_000
        self.ticks = 5_000
        self.ended: list[tuple[str, str]] = []
        self.identity = self.another()

    def another(self, settings: config.Identity | None = None) -> Identity:
        """Another Identity on the same store, as the command line or another node has one."""
        return Identity(
            self.house.store,
            self.house.messaging.people,
            settings or self.house.settings.identity,
            clock=lambda: self.now,
            ticks=lambda: self.ticks,
        )

    async def start(self) -> None:
        await self.identity.start(self.house.messaging.log, self._end)

    def _end(self, user: str, token_id: str) -> None:
        self.ended.append((user, token_id))
        self.house.messaging.end_token(user, token_id)

    async def login(self, user: str = "lihua", device: str = "laptop", password: str = RIGHT, address: str = HOME) -> Login:
        return await self.identity.login(user, password, device, address)

    async def caller(self, user: str = "lihua", device: str = "laptop") -> Caller:
        return self.identity.check((await self.login(user, device)).token)

    def good(self, login: Any) -> bool:
        try:
            self.identity.check(login.token)
        except NotAuthenticated:
            return False
        return True

    async def log_of(self, lane: str) -> list[dict[str, Any]]:
        return [msgspec.json.decode(event.content) for event in await self.house.log() if event.lane == lane]


@pytest.fixture
def settings() -> config.Settings:
    """The fewest iterations that are allowed: tests log in often."""
    return config.Settings(
        identity=config.Identity(
            iterations=4_096, sha1_iterations=4_096, failures_per_account=3, failures_per_address=5, tokens_per_user=4
        )
    )


@pytest.fixture
async def site(tmp_path: Path, settings: config.Settings) -> AsyncIterator[Accounts]:
    """Two people with passwords, and identity started."""
    async with house(tmp_path / "data", settings) as home:
        site = Accounts(home)
        await site.identity.add("lihua", RIGHT, display="Li Hua")
        await site.identity.add("wang", RIGHT, display="Wang", admin=True)
        await site.start()
        try:
            yield site
        finally:
            await site.identity.stop()


@pytest.fixture
def derived(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, int]]:
    """Salt and iterations of every PBKDF2 from here on."""
    found: list[tuple[bytes, int]] = []
    derive = scram.derive

    def counted(password: str, salt: bytes, iterations: int, hash: Hash = "sha256") -> Verifier:
        found.append((salt, iterations))
        return derive(password, salt, iterations, hash)

    monkeypatch.setattr(scram, "derive", counted)
    return found


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.002)
