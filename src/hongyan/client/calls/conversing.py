"""Conversations: making, finding, changing them, and who is in them."""

from collections.abc import Sequence

import msgspec

from hongyan.client.model import Ban, ChannelsPage, Conversation, Json, Member, MembersPage
from hongyan.client.rest import Rest, at


class _Conversations(msgspec.Struct):
    conversations: list[Conversation] = []


class _Bans(msgspec.Struct):
    bans: list[Ban] = []


class Conversing:
    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def create_direct(self, user: str) -> Conversation:
        """The conversation with one other person; found again when it is there."""
        return await self._rest.call("POST", "/v1/conversations", {"kind": "direct", "members": [user]}, answer=Conversation)

    async def create_group(self, title: str, members: Sequence[str], history: str | None = None) -> Conversation:
        """A group of the caller's; `history` is `joined` or `all`."""
        body: Json = {"kind": "group", "title": title, "members": list(members)}
        if history is not None:
            body["history"] = history
        return await self._rest.call("POST", "/v1/conversations", body, answer=Conversation)

    async def create_channel(
        self, title: str, members: Sequence[str] = (), *, topic: str | None = None, writers: str = "all", history: str = "all"
    ) -> Conversation:
        """A group that everybody may find and join; `writers` is `all` or `admins`."""
        body: Json = {"kind": "channel", "title": title, "members": list(members), "writers": writers, "history": history}
        if topic is not None:
            body["topic"] = topic
        return await self._rest.call("POST", "/v1/conversations", body, answer=Conversation)

    async def channels(self, part: str = "", *, after: str | None = None, limit: int | None = None) -> ChannelsPage:
        """Channels that have this in their title, in order of titles; `after` is the last id of the page before."""
        query = {"q": part, "after": after, "limit": limit}
        return await self._rest.call("GET", "/v1/channels", answer=ChannelsPage, query=query)

    async def join(self, channel: str) -> Conversation:
        """Come into a channel."""
        return await self._rest.call("POST", at("conversations", channel, "join"), answer=Conversation)

    async def conversations(self) -> list[Conversation]:
        """Asked from the server; `state.conversations` is the same without asking."""
        return (await self._rest.call("GET", "/v1/conversations", answer=_Conversations)).conversations

    async def conversation(self, conversation: str) -> Conversation:
        """One of them, as of its `cursor`."""
        return await self._rest.call("GET", at("conversations", conversation), answer=Conversation)

    async def rename(self, conversation: str, title: str) -> Conversation:
        """Another title."""
        return await self.change(conversation, title=title)

    async def change(
        self,
        conversation: str,
        *,
        title: str | None = None,
        topic: str | None = None,
        history: str | None = None,
        writers: str | None = None,
    ) -> Conversation:
        """Another title, topic (empty: none), history policy, or who may write: `all`, `admins`, `nobody` (archived)."""
        body = {"title": title, "topic": topic, "history": history, "writers": writers}
        given = {name: value for name, value in body.items() if value is not None}
        return await self._rest.call("PATCH", at("conversations", conversation), given, answer=Conversation)

    async def members(self, conversation: str) -> list[Member]:
        """All members, page after page."""
        found: list[Member] = []
        while True:
            query = {"after": found[-1].id if found else None, "limit": 500}
            path = at("conversations", conversation, "members")
            page = await self._rest.call("GET", path, answer=MembersPage, query=query)
            found += page.members
            if not page.more or not page.members:
                return found

    async def add_members(self, conversation: str, users: Sequence[str]) -> Conversation:
        """Bring people in."""
        body = {"users": list(users)}
        return await self._rest.call("POST", at("conversations", conversation, "members"), body, answer=Conversation)

    async def set_role(self, conversation: str, user: str, role: str) -> Conversation:
        """`owner`, `admin` or `member`."""
        path = at("conversations", conversation, "members", user)
        return await self._rest.call("PATCH", path, {"role": role}, answer=Conversation)

    async def remove_member(self, conversation: str, user: str) -> None:
        """Remove somebody; oneself is leaving."""
        await self._rest.call("DELETE", at("conversations", conversation, "members", user))

    async def bans(self, conversation: str) -> list[Ban]:
        """Who may not come in any more; for the owner and admins."""
        return (await self._rest.call("GET", at("conversations", conversation, "bans"), answer=_Bans)).bans

    async def ban(self, conversation: str, user: str) -> None:
        """Remove somebody, if they are in it, and keep them out."""
        await self._rest.call("PUT", at("conversations", conversation, "bans", user))

    async def lift_ban(self, conversation: str, user: str) -> None:
        """They may come in again."""
        await self._rest.call("DELETE", at("conversations", conversation, "bans", user))
