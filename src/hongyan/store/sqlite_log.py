"""The end of the log on SQLite's one writing connection: gives drafts their places and inserts them."""

import logging
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import islice

import msgspec

from hongyan.core.errors import ClientIdReused, HongyanError
from hongyan.core.model import Event
from hongyan.store import Appended, Draft, Refused, VersionConflict

log = logging.getLogger("hongyan.store")

MOST = 1024
"""Drafts in one statement."""

_KEPT_LANES = 100_000
_COLUMNS = "position, lane, seq, type, sender, time, client_id, content"
_WIDTH = 8


def _insert(rows: int) -> str:
    values = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?)"] * rows)
    return f"INSERT INTO events ({_COLUMNS}) SELECT * FROM (VALUES {values}) WHERE column1 IS NOT NULL"  # noqa: S608


# One statement for any number of rows, because at each step of a statement the loop's thread may take the interpreter's lock:
# beside a busy loop executemany is 3 to 4 times slower. Unused rows are NULL, so that a few statements do for all numbers.
_INSERTS = {1 << power: _insert(1 << power) for power in range(MOST.bit_length())}

_HEAD = "SELECT max(position) FROM events"
_GROWN = "SELECT max(position), count(*) FROM events WHERE position > ?"
_LANES = """
SELECT json_group_array(json_array(
    value, (SELECT seq FROM events WHERE lane = value ORDER BY seq DESC LIMIT 1), (SELECT version FROM lanes WHERE lane = value)))
FROM json_each(?)"""
_BUMP = """
INSERT INTO lanes (lane, version) SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?) WHERE true
ON CONFLICT (lane) DO UPDATE SET version = excluded.version"""
_FIND = """
SELECT json_group_array(json_array(sender, client_id, lane, position, seq, time))
FROM json_each(?) AS wanted JOIN events
ON sender = json_extract(wanted.value, '$[0]') AND client_id = json_extract(wanted.value, '$[1]')"""

_Key = tuple[str, str]
_encode = msgspec.json.Encoder().encode
_decode_lanes = msgspec.json.Decoder(list[tuple[str, int | None, int | None]]).decode
_decode_found = msgspec.json.Decoder(list[tuple[str, str, str, int, int, int]]).decode

_TROUBLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}


class TransactionLost(Exception):
    """SQLite took the whole transaction back by itself, as it does when the disk fails."""


def is_trouble(error: BaseException) -> bool:
    """Whether it is the disk or another process that fails, and not this statement."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, TransactionLost | MemoryError) or (code is not None and code & 0xFF in _TROUBLE)


class _Unsure(Exception):
    """What is stored has to be looked at before this can be answered."""


class _Lane:
    __slots__ = ("seq", "version")

    def __init__(self, seq: int, version: int) -> None:
        self.seq = seq
        self.version = version


class Placed(msgspec.Struct, frozen=True):
    """What became of some drafts, one outcome for each, and the events that were made of them."""

    outcomes: list[Appended | Refused]
    events: list[Event]


class LogEnd:
    """Positions and seqs come from what is known here; the unique indexes refuse the insert when that is not true any more."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw
        self._head: int | None = None
        self._lanes: dict[str, _Lane] = {}

    @property
    def head(self) -> int:
        if self._head is None:
            self._head = self._stored_head()
        return self._head

    def begun(self) -> None:
        """A transaction has begun: nobody else writes from here on. What another process wrote before is found here."""
        stored = self._stored_head()
        if stored != self._head:
            self.forget()
            self._head = stored

    def forget(self) -> None:
        """What is known may be wrong."""
        self._head = None
        self._lanes.clear()

    def rewind(self, head: int, lanes: Iterable[str]) -> None:
        """What was appended to these lanes since `head` was taken back."""
        self._head = head
        for lane in lanes:
            self._lanes.pop(lane, None)

    def grew(self, head: int, count: int) -> bool:
        """Whether what is stored above `head` is `count` events, up to the head that is known here."""
        stored: tuple[int, int] = self._raw.execute(_GROWN, (head,)).fetchone()
        return stored == (self.head, count)

    def trim(self) -> None:
        """Between commits: keep the number of lanes bounded."""
        if len(self._lanes) > _KEPT_LANES:
            self._lanes = dict(islice(self._lanes.items(), len(self._lanes) // 2, None))

    def write(self, drafts: Sequence[Draft]) -> Placed:
        """Place and insert at most MOST drafts that do not bump, in one statement.

        Assumes that none of them is a repetition and that nobody else wrote. Otherwise it raises and has stored nothing.
        """
        return self._write(drafts, None)

    def append(self, drafts: Sequence[Draft]) -> Placed:
        """The same inside a transaction, with an answer for each draft."""
        try:
            return self._write(drafts, None)
        except Exception as error:
            self._still_in_transaction(error)
        return self.append_slowly(drafts)

    def append_slowly(self, drafts: Sequence[Draft]) -> Placed:
        """The same, after a look at which of them are there already."""
        try:
            return self._write(drafts, self._find(drafts))
        except Exception as error:
            self._still_in_transaction(error)
            if len(drafts) == 1:
                log.exception("an event of type %r cannot be stored", drafts[0].type)
                return Placed([HongyanError("This event could not be stored")], [])
        # One of them is at fault: the others are stored.
        alone = [self.append_slowly([draft]) for draft in drafts]
        return Placed([outcome for one in alone for outcome in one.outcomes], [event for one in alone for event in one.events])

    def _still_in_transaction(self, error: Exception) -> None:
        if is_trouble(error):
            raise error
        if not self._raw.in_transaction:
            raise TransactionLost(str(error)) from error

    def _write(self, drafts: Sequence[Draft], known: dict[_Key, tuple[str, Appended]] | None) -> Placed:
        try:
            placed, values, bumped = self._place(drafts, known)
            if placed.events:
                size = 1 << (len(placed.events) - 1).bit_length()
                values += [None] * (size * _WIDTH - len(values))
                if bumped:
                    self._insert_and_bump(_INSERTS[size], values, bumped)
                else:
                    self._raw.execute(_INSERTS[size], values)
                self._head = placed.events[-1].position
            return placed
        except Exception:
            for draft in drafts:
                self._lanes.pop(draft.lane, None)
            raise

    def _insert_and_bump(self, statement: str, values: list[object], bumped: dict[str, int]) -> None:
        """Both or neither; inside a transaction."""
        self._raw.execute("SAVEPOINT bump")
        try:
            self._raw.execute(statement, values)
            self._raw.execute(_BUMP, (_encode(list(bumped.items())).decode(),))
        except Exception:
            if self._raw.in_transaction:
                self._raw.execute("ROLLBACK TO bump")
                self._raw.execute("RELEASE bump")
            raise
        self._raw.execute("RELEASE bump")

    def _place(
        self, drafts: Sequence[Draft], known: dict[_Key, tuple[str, Appended]] | None
    ) -> tuple[Placed, list[object], dict[str, int]]:
        """Give places. `known` are the repetitions; None when they were not looked for."""
        lanes = self._lanes
        if missing := {draft.lane for draft in drafts if draft.lane not in lanes}:
            self._load(missing)
        position = self.head
        outcomes: list[Appended | Refused] = []
        events: list[Event] = []
        values: list[object] = []
        bumped: dict[str, int] = {}
        given: dict[_Key, tuple[str, Appended]] = {} if known is None else known
        for draft in drafts:
            name, sender, client_id = draft.lane, draft.sender, draft.client_id
            key = None if sender is None or client_id is None else (sender, client_id)
            if key is not None and key in given:
                brother, first = given[key]
                if brother == name:
                    outcomes.append(Appended(first.position, first.seq, first.time, repeated=True))
                else:
                    outcomes.append(ClientIdReused())
                continue
            lane = lanes[name]
            if draft.version is not None and draft.version != lane.version:
                if known is None:
                    raise _Unsure
                outcomes.append(VersionConflict(lane.version))
                continue
            position += 1
            lane.seq = seq = lane.seq + 1
            if draft.bumps:
                lane.version = bumped[name] = position
            appended = Appended(position, seq, draft.time)
            if key is not None:
                given[key] = (name, appended)
            outcomes.append(appended)
            events.append(Event(position, name, seq, draft.type, sender, draft.time, client_id, draft.content))
            values += (position, name, seq, draft.type, sender, draft.time, client_id, draft.content)
        return Placed(outcomes, events), values, bumped

    def _load(self, names: Iterable[str]) -> None:
        row = self._raw.execute(_LANES, (_encode(list(names)).decode(),)).fetchone()
        for name, seq, version in _decode_lanes(row[0]):
            self._lanes[name] = _Lane(seq or 0, version or 0)

    def _find(self, drafts: Sequence[Draft]) -> dict[_Key, tuple[str, Appended]]:
        """The events that some of the drafts repeat."""
        keys = [(draft.sender, draft.client_id) for draft in drafts if draft.sender is not None and draft.client_id is not None]
        if not keys:
            return {}
        row = self._raw.execute(_FIND, (_encode(keys).decode(),)).fetchone()
        return {
            (sender, client_id): (lane, Appended(position, seq, time))
            for sender, client_id, lane, position, seq, time in _decode_found(row[0])
        }

    def _stored_head(self) -> int:
        return self._raw.execute(_HEAD).fetchone()[0] or 0
