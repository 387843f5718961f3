"""What the CIM feature takes and gives."""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from hongyan.core.model import Caller

Reason = Literal["mismatch", "repeated"]


class LoginRefused(Exception):
    """`mismatch`: no such number, another name, no good token, or a disabled account. `repeated`: an older log-in stands."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason


class NotTrusted(Exception):
    """Who asks has not shown that they are who they say. The text is for the log."""


class Record(msgspec.Struct, frozen=True):
    """A log-in that stands."""

    node: str
    session: str
    address: str
    since: int


class Account(msgspec.Struct, frozen=True):
    """A user with their number."""

    number: int
    user: str
    name: str
    open: bool
    """Made by a CIM client: the number and the name are enough to log in."""
    disabled: bool
    position: int | None
    """Everything that they may see up to here was given to them over CIM; None: they were never there."""
    record: Record | None


class Missed(msgspec.Struct, frozen=True):
    """A part of the log that went by while they were away: above `after`, up to `upto`."""

    after: int
    upto: int


class Admitted(msgspec.Struct, frozen=True):
    """A log-in that stands from now on."""

    caller: Caller
    number: int
    session: str
    cursor: str
    """Live events begin behind it."""
    begun: int
    """The position of the log in which it has begun: what was said of older log-ins up to there is not about this one."""
    token: str | None
    missed: Sequence[Missed]


class Confirmed(msgspec.Struct, frozen=True):
    """What has reached the other end of a connection."""

    position: int
    """Of live events: everything visible up to here."""
    missed: Sequence[Missed] = ()
    """Of each part that was asked for, what is left of it; nothing is left where `after` is `upto`."""
    whole: bool = True
    """It is everything that was written."""


class Connected(Protocol):
    """A connection of this node that is logged in."""

    @property
    def admitted(self) -> Admitted: ...

    @property
    def address(self) -> str: ...

    def confirmed(self) -> Confirmed: ...

    def fetch(self) -> None:
        """Push what was missed, once."""

    def end(self, reason: str) -> None:
        """Close it."""
