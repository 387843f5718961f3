"""Bare SQLite group commit: the ceiling for durable messages. One thread, synchronous=FULL, WAL, the tables of the log.

    python bench/commit.py DIRECTORY [SECONDS]

Prints one JSON list: for each size of a group, messages a second and CPU seconds for 10,000 messages.
"""

import json
import sqlite3
import sys
import time
from pathlib import Path

GROUPS = (1, 10, 50, 200, 500)
SENDERS = 500
TABLES = """
CREATE TABLE events (
  position INTEGER PRIMARY KEY, lane INTEGER NOT NULL, seq INTEGER NOT NULL, type TEXT NOT NULL, sender TEXT,
  time INTEGER NOT NULL, client_id TEXT, content BLOB NOT NULL
);
CREATE UNIQUE INDEX events_lane_seq ON events (lane, seq);
CREATE UNIQUE INDEX events_sender_client ON events (sender, client_id) WHERE client_id IS NOT NULL;
CREATE TABLE lanes (id INTEGER PRIMARY KEY, head INTEGER NOT NULL);
"""
CONTENT = b'{"type":"text","text":"' + b"x" * 120 + b'"}'


def measure(path: Path, group: int, seconds: float) -> dict[str, float]:
    """Commit groups of `group` messages for `seconds`, each message its row and its lane's head."""
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;" + TABLES)
    db.executemany("INSERT INTO lanes VALUES (?, 0)", [(lane,) for lane in range(SENDERS)])
    position = commits = 0
    began, cpu = time.monotonic(), time.process_time()
    while time.monotonic() - began < seconds:
        now = time.time_ns() // 1_000_000
        rows = []
        for _ in range(group):
            position += 1
            lane, seq = position % SENDERS, position // SENDERS
            rows.append((position, lane, seq, "message", f"user{lane}", now, f"{now:012x}{position:020x}", CONTENT))
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        db.executemany("UPDATE lanes SET head = ? WHERE id = ?", [(row[2], row[1]) for row in rows])
        db.execute("COMMIT")
        commits += 1
    took, spent = time.monotonic() - began, time.process_time() - cpu
    db.close()
    return {"group": group, "rate": position / took, "cpu_per_10k": spent / position * 10_000, "commits": commits / took}


def main() -> None:
    directory = Path(sys.argv[1])
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 2.0
    print(json.dumps([measure(directory / f"commit-{group}.db", group, seconds) for group in GROUPS]))


if __name__ == "__main__":
    main()
