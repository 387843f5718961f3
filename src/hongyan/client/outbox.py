"""The outbox: every send is written down before its first try and struck out when it was acknowledged or refused for good.

One small SQLite file, so that a send survives the end of the process and of the machine. Each entry keeps its client_id for
ever, therefore a send that was tried twice is one message.
"""

import sqlite3
from pathlib import Path

import msgspec

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
    """The entries in the order in which they were added. Without a path they are kept in memory.

    A commit is one small write with fsync; it is done in the caller's thread, so that `add` returning means kept.
    """

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            path.touch(mode=0o600, exist_ok=True)
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None)
        try:
            self._db.execute("PRAGMA journal_mode=DELETE")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute(_SCHEMA)
        except BaseException:
            self._db.close()
            raise

    def add(self, entry: Entry) -> None:
        """Keep an entry. Raises ValueError when the client_id is there already, sqlite3.Error when it cannot be kept."""
        try:
            self._db.execute(
                "INSERT INTO outbox (sender, client_id, conversation, content) VALUES (?, ?, ?, ?)",
                (entry.sender, entry.client_id, entry.conversation, msgspec.json.encode(entry.content)),
            )
        except sqlite3.IntegrityError:
            raise ValueError(f"client_id {entry.client_id} is waiting already") from None

    def remove(self, entry: Entry) -> None:
        """Strike out; nothing happens when it is gone already."""
        self._db.execute("DELETE FROM outbox WHERE sender = ? AND client_id = ?", (entry.sender, entry.client_id))

    def waiting(self, sender: str) -> list[Entry]:
        """All entries of one user, oldest first."""
        rows = self._db.execute("SELECT client_id, conversation, content FROM outbox WHERE sender = ? ORDER BY place", (sender,))
        return [Entry(sender, client_id, conversation, msgspec.json.decode(content)) for client_id, conversation, content in rows]

    def count(self, sender: str) -> int:
        (number,) = self._db.execute("SELECT count(*) FROM outbox WHERE sender = ?", (sender,)).fetchone()
        return int(number)

    def close(self) -> None:
        self._db.close()
