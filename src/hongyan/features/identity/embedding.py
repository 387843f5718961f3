"""Embedded pages: what another site's server asks for, and what its visitors get.

With a named token of a user the site's server gets a ticket for one conversation; the page exchanges it, once, for a token that
is good for that conversation alone. Both act as that user, and end with the named token.
"""

from collections.abc import Callable

import msgspec

from hongyan.core.errors import Forbidden, NotAuthenticated
from hongyan.core.model import Caller, user_lane
from hongyan.features.identity import rows
from hongyan.features.identity.issuing import Change, Fresh, end, fresh
from hongyan.features.identity.model import TokenKind
from hongyan.features.identity.tokens import Embedded, hashed, token_draft
from hongyan.messaging.here import here_of
from hongyan.store import Store, Transaction

TICKET_SECONDS = 600
SESSION_SECONDS = 43_200
_MOST = 5_000
"""Pages of one user, and as many tickets; over it the oldest end. Nobody tells of a page that was closed."""
_TICKET = "embed ticket"
_PAGE = "embed"


class EmbedToken(msgspec.Struct, frozen=True):
    """A ticket, or the token of an embedded page, the one time it is shown."""

    token: str
    conversation: str
    expires: int
    """Milliseconds since 1970 UTC."""

    def __repr__(self) -> str:
        return f"EmbedToken(conversation={self.conversation!r})"


class Embedding:
    """`follow` is told of what was committed."""

    def __init__(
        self, store: Store, *, clock: Callable[[], int], random: Callable[[int], bytes], follow: Callable[[Change], None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._random = random
        self._follow = follow

    async def ticket(self, caller: Caller, conversation: str) -> EmbedToken:
        """For ten minutes. Raises Forbidden for what is no named token, NotFound, NotAuthenticated (it has ended)."""
        return await self._issue(caller, "named", conversation, "ticket", TICKET_SECONDS)

    async def begin(self, caller: Caller) -> EmbedToken:
        """The token of a page in place of its ticket, which ends. Raises Forbidden for what is none."""
        return await self._issue(caller, "ticket", caller.only or "", "embedded", SESSION_SECONDS)

    async def _issue(self, caller: Caller, needed: TokenKind, conversation: str, kind: TokenKind, seconds: int) -> EmbedToken:
        new, now = fresh(self._random), self._clock()

        def write(tx: Transaction) -> tuple[EmbedToken, Change]:
            found = rows.kind_of(tx.connection, caller.user, caller.token_id)
            if found is None:
                raise NotAuthenticated("Your token has ended")
            has, parent = found
            if has != needed:
                raise Forbidden("This needs a named token" if needed == "named" else "This token has begun an embedded page")
            here_of(tx.connection, conversation, caller.user)
            parent = caller.token_id if needed == "named" else parent or ""
            issued = _content(new, caller, kind, now + seconds * 1000, conversation, parent)
            over = rows.oldest_embedded(tx.connection, caller.user, kind, _MOST - 1)
            change = end(tx, over if needed == "named" else [*over, caller.token_id], now)
            rows.add_tokens(tx.connection, [issued], now)
            placed = tx.append(token_draft(issued, now))
            answer = EmbedToken(new.token, conversation, issued.expires)
            return answer, Change(change.ended_at, change.ended, placed.position, issued)

        answer, change = await self._store.transaction(write, scope=user_lane(caller.user))
        self._follow(change)
        return answer


def _content(new: Fresh, caller: Caller, kind: TokenKind, expires: int, conversation: str, parent: str) -> Embedded:
    device = _TICKET if kind == "ticket" else _PAGE
    hash = hashed(new.token).hex()
    return Embedded(new.id, caller.user, hash, device, kind, expires, caller.name, False, conversation, parent)
