"""What identity gives out. A token is shown once, to its owner; `repr` never shows it, so that no log and no traceback can."""

from typing import Any, Literal

import msgspec

TokenKind = Literal["session", "xmpp", "named", "ticket", "embedded"]
"""`session` and `xmpp` come from log-ins, the latter for a stream of XMPP. A ticket begins an embedded page, once."""


class Login(msgspec.Struct, frozen=True):
    """The answer to a log-in."""

    token: str
    token_id: str
    user_id: str
    name: str
    device: str
    expires: int
    """Milliseconds since 1970 UTC."""
    change_password: bool
    """The password is one that somebody else chose."""

    def __repr__(self) -> str:
        return f"Login(token_id={self.token_id!r}, user_id={self.user_id!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("token_id", self.token_id), ("user_id", self.user_id)]


class IssuedToken(msgspec.Struct, frozen=True):
    """A named token, the one time it is shown."""

    token: str
    token_id: str
    name: str
    expires: int
    """Milliseconds since 1970 UTC."""

    def __repr__(self) -> str:
        return f"IssuedToken(token_id={self.token_id!r}, name={self.name!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("token_id", self.token_id), ("name", self.name)]


class TokenView(msgspec.Struct, frozen=True):
    """A live token as its owner sees it, or a device that has none and sleeps until it is woken by its push service."""

    id: str
    name: str
    """The device of a log-in, or the name a named token was given."""
    kind: TokenKind | Literal["asleep"]
    created: int
    expires: int | None
    """None: as long as its service wakes it."""
    current: bool
    """It is the one that asks."""


class AccountView(msgspec.Struct, frozen=True):
    """An account as an administrator sees it."""

    id: str
    name: str
    admin: bool
    disabled: bool
    created: int
    change_password: bool
