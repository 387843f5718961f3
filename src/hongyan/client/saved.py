"""The state directory: what a client must remember between two runs. Without a directory everything is in memory.

`session.json` the token (mode 0600), `cursor.json` where the callbacks have got to, `outbox.db` what is not sent yet, `lock`.
"""

import os
import sys
from pathlib import Path
from typing import TypeVar

import msgspec

from hongyan.client.errors import StateInUse
from hongyan.client.model import Session
from hongyan.client.outbox import Outbox

if sys.platform != "win32":
    import fcntl


_T = TypeVar("_T", bound=msgspec.Struct)


class _Cursor(msgspec.Struct):
    user: str
    cursor: str


class Saved:
    """Opens (and locks) the directory. Raises StateInUse when another client has it."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._lock: int | None = None
        self._cursor: _Cursor | None = None
        if directory is None:
            self.outbox = Outbox()
            return
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _take_lock(directory)
        try:
            self.outbox = Outbox(directory / "outbox.db")
        except BaseException:
            self._release()
            raise
        self._cursor = _read(directory / "cursor.json", _Cursor)

    def session(self) -> Session | None:
        return _read(self._directory / "session.json", Session) if self._directory else None

    def save_session(self, session: Session) -> None:
        if self._directory:
            _write(self._directory / "session.json", session, durable=True)

    def forget_session(self) -> None:
        if self._directory:
            (self._directory / "session.json").unlink(missing_ok=True)

    def cursor(self, user: str) -> str | None:
        """Where this user's callbacks have got to; another user's place is nobody else's."""
        return self._cursor.cursor if self._cursor and self._cursor.user == user else None

    def save_cursor(self, user: str, cursor: str) -> None:
        """Without fsync: the rename is atomic, and an older cursor after a power failure only repeats events."""
        self._cursor = _Cursor(user, cursor)
        if self._directory:
            _write(self._directory / "cursor.json", self._cursor, durable=False)

    def close(self) -> None:
        self.outbox.close()
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _take_lock(directory: Path) -> int:
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    if sys.platform != "win32":
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise StateInUse(f"{directory} is used by another client") from None
    return lock


def _read(path: Path, kind: type[_T]) -> _T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None


def _write(path: Path, value: msgspec.Struct, *, durable: bool) -> None:
    fresh = path.with_name(path.name + ".new")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(file, msgspec.json.encode(value))
        if durable:
            os.fsync(file)
    finally:
        os.close(file)
    os.replace(fresh, path)
