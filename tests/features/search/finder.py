"""A search without its background: it indexes when it is asked."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from hongyan.config import Settings
from hongyan.core import acts
from hongyan.core.content import Content, Text
from hongyan.features.search import Fields, Found, Search
from hongyan.store import Appended
from tests.build import House

NOW = datetime(2024, 5, 31, 12, tzinfo=UTC)


class Finder:
    def __init__(self, home: House, settings: Settings | None = None) -> None:
        self.home = home
        self.search = Search(home.store, home.messaging.log, settings or home.settings, lambda: 0, now=lambda: NOW)
        self._sent = 0

    @classmethod
    async def of(cls, home: House, settings: Settings | None = None) -> "Finder":
        finder = cls(home, settings)
        await finder.search.start()
        await finder.search.stop()  # what follows the log by itself
        return finder

    async def say(self, user: str, conversation: str, content: Content | str) -> Appended:
        self._sent += 1
        content = Text(content) if isinstance(content, str) else content
        return await self.home.messaging.sender.send(self.home.caller(user), conversation, f"say{self._sent}", content)

    async def act(self, user: str, conversation: str, act: acts.Act) -> None:
        await self.home.messaging.acts.act(self.home.caller(user), conversation, act)

    async def ask(self, user: str, text: str, fields: Fields = Fields(), **more: Any) -> Found:
        return await self.search.messages(self.home.caller(user), text, fields, **more)

    async def places(self, user: str, text: str, **more: Any) -> list[tuple[str, int]]:
        """Conversation and seq of each hit."""
        found = await self.ask(user, text, **more)
        assert found.complete
        return [(hit.event.conversation, hit.event.seq) for hit in found.hits]

    async def texts(self, user: str, text: str, **more: Any) -> list[str]:
        """What the hits say now."""
        found = await self.ask(user, text, **more)
        assert found.complete
        said = []
        for hit in found.hits:
            now = hit.amended.text if hit.amended is not None else None
            said.append(now or msgspec.json.decode(hit.event.content).get("text", ""))
        return said
