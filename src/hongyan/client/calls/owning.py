"""What one does for oneself alone (`hongyan.core.own`), and the lists of it."""

from collections.abc import Callable

from hongyan.client.model import BookmarksPage, Positioned, ThreadsPage
from hongyan.client.rest import Rest
from hongyan.core import own as owns
from hongyan.core.preferences import Preferences


class Owning:
    """Each is done once, however often it has to be asked for. What is told by the server comes to `Client.state`."""

    def __init__(self, rest: Rest, next_id: Callable[[], str]) -> None:
        self._rest = rest
        self._next_id = next_id

    async def own(self, act: owns.Own) -> int:
        """Do one of them; gives a position of the log at which it is so."""
        body = {"act": act, "client_id": self._next_id()}
        return (await self._rest.call("POST", "/v1/me/acts", body, answer=Positioned, repeatable=True)).position

    async def draft(self, conversation: str, text: str | None, *, reply: int | None = None, thread: int | None = None) -> int:
        """What stands in the composer, on all devices; None takes it away."""
        return await self.own(owns.Draft(conversation, text, reply, thread))

    async def bookmark(self, conversation: str, seq: int, note: str = "") -> int:
        """Keep a message at hand."""
        return await self.own(owns.Bookmark(conversation, seq, note))

    async def unbookmark(self, conversation: str, seq: int) -> int:
        """No more."""
        return await self.own(owns.Unbookmark(conversation, seq))

    async def hide(self, conversation: str, *seqs: int) -> int:
        """Delete messages for oneself."""
        return await self.own(owns.Hide(conversation, seqs))

    async def unhide(self, conversation: str, *seqs: int) -> int:
        """Take that back."""
        return await self.own(owns.Unhide(conversation, seqs))

    async def mark_unread(self, conversation: str, seq: int) -> int:
        """Count what is there from `seq` on as unread, until it is read again."""
        return await self.own(owns.Unread(conversation, seq))

    async def mute(self, conversation: str, until: int | None = None, *, level: owns.Level = "all") -> int:
        """Only mentions until then (milliseconds since 1970); and of which messages one wants to be told at all."""
        return await self.own(owns.Notify(conversation, level, until))

    async def arrange(self, conversation: str, *, pinned: bool = False, archived: bool = False, place: int | None = None) -> int:
        """Its place in one's own list, and among those that are pinned."""
        return await self.own(owns.Arrange(conversation, pinned, archived, place))

    async def follow(self, conversation: str, seq: int) -> int:
        """Follow the thread of a message."""
        return await self.own(owns.Follow(conversation, seq))

    async def unfollow(self, conversation: str, seq: int) -> int:
        """No more."""
        return await self.own(owns.Unfollow(conversation, seq))

    async def read_thread(self, conversation: str, seq: int, upto: int) -> int:
        """Up to where a followed thread was read."""
        return await self.own(owns.ThreadRead(conversation, seq, upto))

    async def prefer(self, preferences: Preferences) -> int:
        """All preferences at once; `state.preferences` has those of now."""
        return await self.own(owns.SetPreferences(preferences))

    async def say(self, text: str, emoji: str | None = None, until: int | None = None) -> int:
        """A status text, which ends then by itself; an empty one ends it now."""
        return await self.own(owns.Status(text, emoji, until))

    async def bookmarks(self, *, before: int | None = None, limit: int | None = None) -> BookmarksPage:
        """The newest below the place `before`, with their messages."""
        query = {"before": before, "limit": limit}
        return await self._rest.call("GET", "/v1/me/bookmarks", answer=BookmarksPage, query=query)

    async def threads(self, *, before: int | None = None, limit: int | None = None) -> ThreadsPage:
        """The threads that one follows, with what is unread."""
        query = {"before": before, "limit": limit}
        return await self._rest.call("GET", "/v1/me/threads", answer=ThreadsPage, query=query)
