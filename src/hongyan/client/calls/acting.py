"""What is done to messages, and looking at them."""

from collections.abc import Callable, Sequence

from hongyan.client.model import History, Sent, Somebody
from hongyan.client.rest import Rest, at
from hongyan.core import acts


class Acting:
    """Each act is done once, however often it has to be asked for."""

    def __init__(self, rest: Rest, next_id: Callable[[], str]) -> None:
        self._rest = rest
        self._next_id = next_id

    async def act(self, conversation: str, act: acts.Act) -> Sent:
        """Do something to a message (`hongyan.core.acts`); gives the place of the event."""
        body = {"act": act, "client_id": self._next_id()}
        return await self._rest.call("POST", at("conversations", conversation, "acts"), body, answer=Sent, repeatable=True)

    async def edit(self, conversation: str, seq: int, text: str, mentions: Sequence[str] = ()) -> Sent:
        """Another text for one's own message."""
        return await self.act(conversation, acts.Edit(seq, text, tuple(mentions)))

    async def recall(self, conversation: str, seq: int) -> Sent:
        """Take a message back."""
        return await self.act(conversation, acts.Recall(seq))

    async def react(self, conversation: str, seq: int, emoji: str) -> Sent:
        """With one emoji."""
        return await self.act(conversation, acts.React(seq, emoji))

    async def unreact(self, conversation: str, seq: int, emoji: str) -> Sent:
        """Take one's reaction back."""
        return await self.act(conversation, acts.Unreact(seq, emoji))

    async def pin(self, conversation: str, seq: int) -> Sent:
        """Keep it at hand for everybody."""
        return await self.act(conversation, acts.Pin(seq))

    async def unpin(self, conversation: str, seq: int) -> Sent:
        """Take it down."""
        return await self.act(conversation, acts.Unpin(seq))

    async def vote(self, conversation: str, seq: int, *options: int) -> Sent:
        """One's choice in a poll, by the numbers of the options from 0; none takes it back."""
        return await self.act(conversation, acts.Vote(seq, options))

    async def close_poll(self, conversation: str, seq: int) -> Sent:
        """End a poll."""
        return await self.act(conversation, acts.Close(seq))

    async def history(
        self, conversation: str, *, before: int | None = None, after: int | None = None, limit: int | None = None
    ) -> History:
        """Events of a conversation, ascending: the newest below `before`, the oldest above `after`, or the newest."""
        query = {"before": before, "after": after, "limit": limit}
        return await self._rest.call("GET", at("conversations", conversation, "events"), answer=History, query=query)

    async def message(self, conversation: str, seq: int) -> History:
        """One message, and what was done to it."""
        return await self._rest.call("GET", self._at(conversation, seq), answer=History)

    async def edits(self, conversation: str, seq: int) -> History:
        """A message as it was sent, and its edits."""
        return await self._rest.call("GET", self._at(conversation, seq, "edits"), answer=History)

    async def thread(self, conversation: str, seq: int, *, after: int | None = None, limit: int | None = None) -> History:
        """The oldest messages above `after` in the thread of a message."""
        query = {"after": after, "limit": limit}
        return await self._rest.call("GET", self._at(conversation, seq, "thread"), answer=History, query=query)

    async def pins(self, conversation: str) -> History:
        """What is pinned."""
        return await self._rest.call("GET", at("conversations", conversation, "pins"), answer=History)

    async def readers(self, conversation: str, seq: int, *, have: bool = True, after: str | None = None) -> Somebody:
        """Who has read a message, or has not: a page of people."""
        query = {"have": "true" if have else "false", "after": after}
        return await self._rest.call("GET", self._at(conversation, seq, "readers"), answer=Somebody, query=query)

    def _at(self, conversation: str, seq: int, *more: str) -> str:
        return at("conversations", conversation, "messages", str(seq), *more)
