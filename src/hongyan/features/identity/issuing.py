"""Tokens begin and end: their rows and their events, in one transaction."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from hongyan.core.ids import id_from_bits
from hongyan.features.identity import rows
from hongyan.features.identity.model import TokenKind
from hongyan.features.identity.tokens import Ended, Issued, hashed, new_token, token_draft
from hongyan.store import Transaction

_DAY_MS = 86_400_000


class Change(msgspec.Struct, frozen=True):
    """What a transaction did, for this node's own table. A position is 0 when there was nothing."""

    ended_at: int = 0
    ended: Sequence[str] = ()
    issued_at: int = 0
    issued: Issued | None = None


class Fresh(msgspec.Struct, frozen=True):
    """The random part of a token that is not yet issued."""

    token: str
    id: str

    def __repr__(self) -> str:
        return f"Fresh(id={self.id!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("id", self.id)]

    def content(self, user: str, name: str, admin: bool, device: str, kind: TokenKind, now: int, days: int) -> Issued:
        expires = now + days * _DAY_MS
        return Issued(self.id, user, hashed(self.token).hex(), device, kind, expires, name, admin)


def fresh(random: Callable[[int], bytes]) -> Fresh:
    return Fresh(new_token(random), id_from_bits(random(15)))


def issue(tx: Transaction, token: Issued, now: int, *, most: int, keep: str | None = None, instead: Sequence[str] = ()) -> Change:
    """A new token. Those end that it is `instead` of, and what its user has above `most`: expired ones, then the oldest log-ins,
    never `keep` or a named one.
    """
    over = rows.oldest_beyond(tx.connection, token.user, most - 1, now, keep=keep, ending=instead)
    rows.add_tokens(tx.connection, [token], now)
    change = end(tx, [*instead, *over], now)
    return Change(change.ended_at, change.ended, tx.append(token_draft(token, now)).position, token)


def end(tx: Transaction, ids: Sequence[str], now: int) -> Change:
    """Those that are there end."""
    ended = rows.end_tokens(tx.connection, ids) if ids else []
    if not ended:
        return Change()
    return Change(tx.append(token_draft(Ended(ended), now)).position, ended)


def end_all(tx: Transaction, user: str, now: int, *, keep: str | None = None) -> Change:
    """Every log-in of somebody ends but `keep`, and no device of theirs is woken any more until it asks again."""
    rows.end_registrations(tx.connection, user)
    return end(tx, rows.of_user(tx.connection, user, keep=keep), now)
