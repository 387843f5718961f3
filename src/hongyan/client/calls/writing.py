"""Messages that are more than a text: they go through the outbox as every message does."""

from collections.abc import Callable, Sequence

import msgspec

from hongyan.client.deliver import Pending
from hongyan.client.model import Json
from hongyan.core import content as contents

_Post = Callable[[str, Json], Pending]


class Writing:
    """Each puts a message into the outbox and returns; await the result for its place."""

    def __init__(self, post_content: _Post) -> None:
        self._post = post_content

    def reply(self, conversation: str, seq: int, text: str, mentions: Sequence[str] = ()) -> Pending:
        """Answer a message, and quote it."""
        return self._post(conversation, _json(contents.Text(text, tuple(mentions), reply=seq)))

    def reply_in_thread(self, conversation: str, seq: int, text: str, mentions: Sequence[str] = ()) -> Pending:
        """Write in the thread of a message."""
        return self._post(conversation, _json(contents.Text(text, tuple(mentions), thread=seq)))

    def mention(self, conversation: str, text: str, mentions: Sequence[str]) -> Pending:
        """A text that names people: ids, `@all` or `@admins`."""
        return self._post(conversation, _json(contents.Text(text, tuple(mentions))))

    def forward(self, conversation: str, source: str, seqs: Sequence[int], text: str = "") -> Pending:
        """Messages of the conversation `source` as one bundle, with a word to it."""
        return self._post(conversation, _json(contents.Forward(source, tuple(seqs), text)))

    def poll(self, conversation: str, question: str, options: Sequence[str], *, multiple: bool = False) -> Pending:
        """A question with answers to choose from."""
        return self._post(conversation, _json(contents.Poll(question, tuple(options), multiple)))


def _json(content: contents.Content) -> Json:
    made: Json = msgspec.to_builtins(content)
    return made
