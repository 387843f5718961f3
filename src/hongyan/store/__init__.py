"""The store: the log and the features' tables, durable. This page is the contract; `sqlite.py` and `postgres.py` keep it.

What every store guarantees:

- **Positions** are dense from 1 and in commit order. Whoever reads sees a prefix of the log: no hole is ever filled later.
- **seq** is dense from 1 in each lane, and in the order of the positions.
- **Acknowledged means durable**: `done` is called with an Appended, and `transaction` returns, only after the commit is on
  the disk.
- **One send, one event**: `(sender, client_id)` is unique. A repeated append stores nothing and answers with the first one's
  place, `repeated=True`; a twin in the same commit gets its brother's. In another lane it is refused with ClientIdReused.
- **Membership version**: each lane has a version, the position of its last event that was appended with `bumps` (0 before the
  first). An append that names a version is refused with VersionConflict when the lane's is another. The check is inside the
  commit.
- **Group commit**: what has queued is committed together. A transaction that raises takes back its own writes and nobody else's.
- **As if alone**: a transaction sees no other one half done. Without a `scope` it waits for all others and they for it; with
  one it waits for those of the same scope, and must not mind what those of other scopes do.
- **Refusal is clean**: an append or transaction that was refused stored nothing. When the disk fails, or the database is away
  for longer than a few seconds, it is refused with StoreUnavailable, `trouble` has the reason until a commit succeeds again,
  and nothing needs to be restarted. A commit whose answer was lost is found out; only where the database stays away it is
  OutcomeUnknown.
- **Other nodes and processes** may write to the same store at the same time (`hongyan user add` beside a server). Their events
  take their places in the same order; `on_commit` is only called for this store object's own commits, so whoever follows also
  looks at `head` now and then. With many writers the calls of `on_commit` need not come in order.

Order among calls: appends of one store object are committed in the order of the calls, and what is called after a transaction was
awaited comes after it.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import msgspec
from sqlalchemy import Connection

from hongyan.core.errors import HongyanError
from hongyan.core.model import Batch, Event

T = TypeVar("T")


class Draft(msgspec.Struct, frozen=True, gc=False):
    """An event before it has a place."""

    lane: str
    type: str
    sender: str | None
    time: int
    """Milliseconds since 1970 UTC."""
    content: bytes
    """A JSON object."""
    client_id: str | None = None
    version: int | None = None
    """Refuse unless the lane's version is this."""
    bumps: bool = False
    """Who may see or do what in this lane changes with this event."""


class Appended(msgspec.Struct, frozen=True, gc=False):
    """The place of an event that is durable."""

    position: int
    seq: int
    time: int
    repeated: bool = False


class VersionConflict(Exception):
    """The lane's membership is not the one that the append was decided on: wait for `version`, decide again."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


Refused = HongyanError | VersionConflict


def accepted(outcomes: Sequence[Appended | Refused]) -> list[Appended]:
    """All of them. Raises the first that is a refusal."""
    found: list[Appended] = []
    for outcome in outcomes:
        if not isinstance(outcome, Appended):
            raise outcome
        found.append(outcome)
    return found


Done = Callable[[Appended | Refused], None]


class Transaction(Protocol):
    """Inside `Store.transaction`: a feature's writes and its events, committed together."""

    @property
    def connection(self) -> Connection:
        """For SQLAlchemy Core statements. Never commit or roll it back yourself."""
        ...

    def append(self, draft: Draft) -> Appended:
        """Append inside the transaction. Comes last: on a store with many writers it takes the lock of the log's head.

        Raises VersionConflict and ClientIdReused.
        """
        ...

    def append_all(self, drafts: Sequence[Draft]) -> list[Appended]:
        """The same for several that do not bump, at the price of one. Raises for the first that is refused."""
        ...


class Store(Protocol):
    """All methods are called in the event loop's thread; `fn` runs in a thread of the store."""

    @property
    def epoch(self) -> str:
        """Which history this is: 1 to 16 lower-case letters and digits. Another one after every restore."""
        ...

    @property
    def key(self) -> bytes:
        """32 random bytes that only who can read the store knows: nodes recognise each other by it."""
        ...

    @property
    def shared(self) -> bool:
        """Other nodes may append: who has not looked at it for a while knows nothing for sure."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why writing does not work now; None when it does."""
        ...

    async def start(self, on_commit: Callable[[Batch], None]) -> None:
        """Open. `on_commit` is called in the loop's thread for each own commit with events, after every `done` of that commit."""
        ...

    async def close(self) -> None:
        """Commit what has queued, then close."""
        ...

    def append(self, draft: Draft, done: Done) -> None:
        """Queue one event. `done` is called once, in the loop's thread, never inside this call.

        Raises Overloaded when the queue is at its bound: then nothing was queued.
        """
        ...

    async def transaction(self, fn: Callable[[Transaction], T], *, scope: str | None = None) -> T:
        """Run `fn` as one transaction. What it raises is raised here, after its writes were taken back.

        It may be run more than once: what it does beside the database has to be the same each time.
        """
        ...

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` on a connection that sees one consistent state and cannot write."""
        ...

    async def log_after(self, position: int, limit: int) -> list[Event]:
        """The oldest `limit` events above `position`, of every lane: for the follower alone, which nobody's reads may hold up."""
        ...
