"""Reading the log: plain functions of a connection, the same on every store, for `Store.read` and inside transactions."""

from collections.abc import Sequence

from sqlalchemy import Connection

from hongyan.core.model import Event
from hongyan.core.policy import Span

# Signatures only, for the helpers; bodies follow.


def head(connection: Connection) -> int:
    """The position of the last event; 0 of an empty log."""
    raise NotImplementedError


def lane_version(connection: Connection, lane: str) -> int:
    """See the package's contract."""
    raise NotImplementedError


def lane_head(connection: Connection, lane: str) -> int:
    """The last `seq` of the lane; 0 when it is empty."""
    raise NotImplementedError


def after(connection: Connection, position: int, limit: int) -> list[Event]:
    """The oldest `limit` events above `position`, of every lane."""
    raise NotImplementedError


def newest(connection: Connection, limit: int) -> list[Event]:
    """The newest `limit` events of every lane, ascending."""
    raise NotImplementedError


def lane_before(connection: Connection, lane: str, first_seq: int, before: int | None, limit: int) -> list[Event]:
    """The newest `limit` events of a lane at or above `first_seq` and below `before` (None: no bound), ascending."""
    raise NotImplementedError


def lane_after(connection: Connection, lane: str, seq: int, limit: int) -> list[Event]:
    """The oldest `limit` events of a lane above `seq`, ascending."""
    raise NotImplementedError


def visible_after(
    connection: Connection, spans: Sequence[tuple[str, Span]], position: int, upto: int, limit: int
) -> list[Event]:
    """The oldest `limit` events of these parts of lanes with `position < event.position <= upto`, in order of position.

    Costs a few reads for a lane with nothing new, and about `limit` rows altogether: where `position` falls inside a lane is found by
    a galloping search backwards over `seq`, since both grow together (docs/decisions/0005).
    """
    raise NotImplementedError


def unread(connection: Connection, lane: str, above: int, reader: str, most: int) -> int:
    """How many messages of others are above the seq `above`, counted up to `most`."""
    raise NotImplementedError


def last_message(connection: Connection, lane: str, first_seq: int) -> Event | None:
    """The newest event of type `message` at or above `first_seq`."""
    raise NotImplementedError
