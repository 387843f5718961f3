"""Live tokens in memory: a fold over the log, loaded from the store at a position (docs/decisions/0003).

What this node itself issues and ends is in the table as soon as it is committed, without waiting for the follower; the event that
comes later changes nothing then.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from hongyan.core.model import DIRECTORY_LANE, Caller, Event
from hongyan.features.identity.model import TokenKind
from hongyan.store import Draft

TOKENS_LANE = "_tokens"
ACCOUNTS_LANE = "_accounts"

_PREFIX = "hy_"
_LENGTH = len(_PREFIX) + 43


class Issued(msgspec.Struct, frozen=True, tag_field="action", tag="issue"):
    """Content of an event in `_tokens`: a token that is good from here on."""

    id: str
    user: str
    hash: str
    """SHA-256 in hexadecimal."""
    device: str
    kind: TokenKind
    expires: int
    name: str
    """Display name of the user, as of this event."""
    admin: bool

    def __repr__(self) -> str:
        return f"Issued(id={self.id!r}, user={self.user!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("id", self.id), ("user", self.user)]


class Embedded(Issued, frozen=True, tag="embed"):
    """The same for a page that is embedded somewhere. A program that does not know of these takes it for no token at all."""

    only: str
    """The conversation."""
    parent: str
    """The token that it comes from."""


class Ended(msgspec.Struct, frozen=True, tag_field="action", tag="end"):
    """Content of an event in `_tokens`: these are not good any more."""

    ids: Sequence[str]


class Account(msgspec.Struct, frozen=True):
    """Content of an event in `_accounts`: what an account is from here on."""

    id: str
    admin: bool
    disabled: bool


class _Profile(msgspec.Struct, frozen=True):
    id: str
    name: str


_encode = msgspec.json.Encoder().encode
_token_event = msgspec.json.Decoder(Issued | Embedded | Ended).decode
_account_event = msgspec.json.Decoder(Account).decode
_profile_event = msgspec.json.Decoder(_Profile).decode


def new_token(random: Callable[[int], bytes]) -> str:
    """256 random bits: `hy_` and 43 URL-safe characters."""
    return _PREFIX + urlsafe_b64encode(random(32)).decode().rstrip("=")


def hashed(token: str) -> bytes:
    """What is kept of a token."""
    return sha256(token.encode(errors="replace")).digest()


def token_draft(content: Issued | Ended, now: int) -> Draft:
    return Draft(TOKENS_LANE, "token", None, now, _encode(content))


def account_draft(content: Account, now: int) -> Draft:
    return Draft(ACCOUNTS_LANE, "account", None, now, _encode(content))


class Live:
    """A token that is good. `caller` is replaced when the name or the rights change."""

    __slots__ = ("caller", "expires", "hash", "since", "ticket")

    def __init__(self, caller: Caller, hash: bytes, expires: int, since: int, *, ticket: bool = False) -> None:
        self.caller = caller
        self.hash = hash
        self.expires = expires
        self.since = since
        """The position that `caller` is true at; older changes are in it already."""
        self.ticket = ticket
        """It is good for beginning an embedded page, and for nothing else."""


class TokenTable:
    """`end` is called for each token that ends: user and token id."""

    def __init__(self, end: Callable[[str, str], None]) -> None:
        self._end = end
        self._by_hash: dict[bytes, Live] = {}
        self._by_id: dict[str, Live] = {}
        self._by_user: dict[str, list[Live]] = {}
        self._ended_early: set[str] = set()
        self._early: list[Event] | None = []
        self._position = 0

    def __len__(self) -> int:
        return len(self._by_id)

    def find(self, token: str) -> Live | None:
        return self._by_hash.get(hashed(token)) if len(token) == _LENGTH else None

    def could_be(self, token: str) -> bool:
        """Whether it has the form of a token."""
        return len(token) == _LENGTH and token.startswith(_PREFIX)

    def load(self, position: int, tokens: Iterable[Live]) -> None:
        """Begin with what the store had at `position`; of the events that came meanwhile those above it follow."""
        for live in tokens:
            self._put(live)
        self._position = position
        early, self._early = self._early or [], None
        for event in early:
            self.apply(event)

    def apply(self, event: Event) -> None:
        """The fold."""
        if self._early is not None:
            self._early.append(event)
        elif event.position > self._position:
            self._position = event.position
            if event.lane == TOKENS_LANE:
                self._token(event)
            elif event.lane == ACCOUNTS_LANE:
                self._account(event)
            elif event.lane == DIRECTORY_LANE and event.type == "profile":
                self._profile(event)

    def issued(self, position: int, content: Issued) -> None:
        """This node committed it at `position`."""
        if self._early is None and position > self._position:
            self._issue(content, position)

    def ended(self, position: int, ids: Iterable[str]) -> None:
        """This node committed it at `position`."""
        if self._early is None and position > self._position:
            ids = list(ids)
            self._ended_early.update(ids)  # the follower may still come to where one was issued
            self._drop(ids)

    def _token(self, event: Event) -> None:
        content = _token_event(event.content)
        if isinstance(content, Ended):
            self._ended_early.difference_update(content.ids)
            self._drop(content.ids)
        else:
            self._issue(content, event.position)

    def _issue(self, content: Issued, position: int) -> None:
        if content.id not in self._by_id and content.id not in self._ended_early:
            only = content.only if isinstance(content, Embedded) else None
            caller = Caller(content.user, content.name, content.admin and only is None, content.id, content.device, only)
            self._put(Live(caller, bytes.fromhex(content.hash), content.expires, position, ticket=content.kind == "ticket"))

    def _account(self, event: Event) -> None:
        account = _account_event(event.content)
        older = [live for live in self._by_user.get(account.id, ()) if live.since < event.position]
        if account.disabled:
            self._drop([live.caller.token_id for live in older])
        else:
            for live in older:
                live.caller = msgspec.structs.replace(live.caller, admin=account.admin and live.caller.only is None)
                live.since = event.position

    def _profile(self, event: Event) -> None:
        profile = _profile_event(event.content)
        for live in self._by_user.get(profile.id, ()):
            if live.since < event.position:
                live.caller = msgspec.structs.replace(live.caller, name=profile.name)
                live.since = event.position

    def _put(self, live: Live) -> None:
        self._by_hash[live.hash] = live
        self._by_id[live.caller.token_id] = live
        self._by_user.setdefault(live.caller.user, []).append(live)

    def _drop(self, ids: Iterable[str]) -> None:
        gone = [live for id in ids if (live := self._by_id.pop(id, None)) is not None]
        for live in gone:
            del self._by_hash[live.hash]
            of_user = self._by_user[live.caller.user]
            of_user.remove(live)
            if not of_user:
                del self._by_user[live.caller.user]
        for live in gone:
            self._end(live.caller.user, live.caller.token_id)
