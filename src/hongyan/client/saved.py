"""The state directory: what a client must remember between two runs. Without a directory everything is in memory.

`session.json` the token (mode 0600), `kept.db` what is not sent yet and where the callbacks have got to, `lock`.
"""

import logging
import os
import sqlite3
import sys
from pathlib import Path

import msgspec

from hongyan.client.errors import StateInUse, StateUnusable
from hongyan.client.model import Session
from hongyan.client.outbox import Outbox

if sys.platform != "win32":
    import fcntl

log = logging.getLogger("hongyan.client")


class _Kept(msgspec.Struct):
    """A token is for the server that gave it and is never shown to another."""

    server: str
    session: Session


class Saved:
    """Opens (and locks) the directory. Raises StateInUse when another client has it, StateUnusable when it cannot be used."""

    def __init__(self, directory: Path | None, server: str) -> None:
        self._directory = directory
        self._server = server
        self._lock: int | None = None
        self._cursors: dict[str, str] = {}
        if directory is not None:
            try:
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._lock = _take_lock(directory)
            except OSError as error:
                raise StateUnusable(f"{directory}: {error.strerror or error}") from error
        try:
            self._db = _open(directory / "kept.db" if directory is not None else None)
            self.outbox = Outbox(self._db)
            self._cursors.update(self._db.execute("SELECT user, cursor FROM place"))
        except (OSError, sqlite3.Error) as error:
            self._release()
            raise StateUnusable(
                f"{directory}: {error}. Unsent messages may be in kept.db; move it away to begin with an empty outbox"
            ) from error

    def session(self) -> Session | None:
        """The log-in that this server gave."""
        return session_in(self._directory, self._server) if self._directory is not None else None

    def save_session(self, session: Session) -> None:
        if self._directory is not None:
            try:
                _write(self._directory / "session.json", msgspec.json.encode(_Kept(self._server, session)))
            except OSError as error:
                raise StateUnusable(f"The log-in could not be kept: {error}") from error

    def forget_session(self) -> None:
        if self._directory is not None:
            (self._directory / "session.json").unlink(missing_ok=True)

    def cursor(self, user: str) -> str | None:
        """Where this user's callbacks have got to; another user's place is nobody else's."""
        return self._cursors.get(user)

    def save_cursor(self, user: str, cursor: str) -> None:
        """Waits for no disk (0.02 ms): after a power failure an older cursor is there, which repeats events and skips none."""
        self._cursors[user] = cursor
        try:
            self._db.execute("INSERT OR REPLACE INTO place (user, cursor) VALUES (?, ?)", (user, cursor))
        except sqlite3.Error as error:
            log.error("the cursor could not be kept; events would be repeated after a restart: %s", error)

    def close(self) -> None:
        self._db.close()
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def session_in(directory: Path, server: str) -> Session | None:
    """The log-in that this server gave, without opening the directory."""
    try:
        kept = msgspec.json.decode((directory / "session.json").read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError):
        return None
    return kept.session if kept.server == server else None


def _open(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.touch(mode=0o600, exist_ok=True)
    db = sqlite3.connect(path or ":memory:", isolation_level=None)
    try:
        db.execute("PRAGMA locking_mode=EXCLUSIVE")  # the lock file says so already; WAL then needs no shared memory
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("CREATE TABLE IF NOT EXISTS place (user TEXT PRIMARY KEY, cursor TEXT NOT NULL) WITHOUT ROWID")
    except BaseException:
        db.close()
        raise
    return db


def _take_lock(directory: Path) -> int:
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    if sys.platform != "win32":
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise StateInUse(f"{directory} is used by another client") from None
        except OSError:
            os.close(lock)
            raise
    return lock


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, also when the power fails."""
    fresh = path.with_name(path.name + ".new")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(file, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(file)
    os.replace(fresh, path)
