"""People of other servers who see one's presence, or ask to."""

from hongyan.client.model import WatcherList
from hongyan.client.rest import Rest, at


class Watching:
    """`user` is their address. A server that talks to no others knows of nobody."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def watchers(self) -> WatcherList:
        """All of them, as of exactly its `cursor`."""
        return await self._rest.call("GET", "/v1/me/watchers", answer=WatcherList)

    async def allow_watcher(self, user: str) -> None:
        """Who asks sees one from now on. Raises NotFound when they do not ask."""
        await self._rest.call("PUT", at("me", "watchers", user))

    async def refuse_watcher(self, user: str) -> None:
        """They do not see one: what they ask is refused, what was allowed is taken back. They may ask again."""
        await self._rest.call("DELETE", at("me", "watchers", user), repeatable=True)
