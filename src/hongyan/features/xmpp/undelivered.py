"""That a message did not come to somebody of another server, for all who read the conversation, through whatever door."""

from collections.abc import Callable

import msgspec

from hongyan.core.model import Event
from hongyan.store import Draft, Store, Transaction

_TEXT = 200


class Undelivered(msgspec.Struct, frozen=True, omit_defaults=True):
    """The content of an `undelivered` event."""

    seq: int
    """Of the message."""
    user: str
    """To whom it did not come."""
    reason: str
    """The defined condition of a stanza error (RFC 6120, section 8.3.3)."""
    text: str = ""
    """The same in words, as far as somebody has said them."""


class Returned:
    def __init__(self, store: Store, *, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock

    async def tell(self, event: Event, user: str, reason: str, text: str) -> None:
        content = msgspec.json.encode(Undelivered(event.seq, user, reason, text[:_TEXT]))
        draft = Draft(event.lane, "undelivered", None, self._clock(), content)

        def write(tx: Transaction) -> None:
            tx.append(draft)

        await self._store.transaction(write, scope=f"xmpp undelivered {event.lane}")
