"""Files that are being written, under a name of their own beside the one that they will get: nobody sees them unfinished.

Whoever writes one holds a lock on it. A file of this kind that nobody holds was left by a process that was killed, and goes.
"""

import fcntl
import glob
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_BYTES = 4
"""Chance in a name."""
_BESIDE = ("-journal", "-wal", "-shm", "")
"""What SQLite may have left with it; the file itself goes last."""


@contextmanager
def partial(path: Path) -> Iterator[Path]:
    """A new, empty file for `path`, readable for its owner only. At the end it is gone, unless it was given another name."""
    sweep(path)
    made, file = _made(path)
    try:
        yield made
    finally:
        made.unlink(missing_ok=True)
        os.close(file)


def sweep(path: Path) -> None:
    """Remove what was left of files for `path`, whoever wrote them, and nothing that somebody is writing."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.{'[0-9a-f]' * (2 * _BYTES)}.partial"):
        with suppress(OSError):  # gone meanwhile, held, somebody else's
            file = os.open(left, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for suffix in _BESIDE:
                    left.with_name(left.name + suffix).unlink(missing_ok=True)
            finally:
                os.close(file)


def _made(path: Path) -> tuple[Path, int]:
    """The file, and what holds its lock. One that was swept before it had its lock is made again."""
    while True:
        made = path.with_name(f".{path.name}.{secrets.token_hex(_BYTES)}.partial")
        file = os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with suppress(OSError):  # a file system without locks: there nothing is swept either
            fcntl.flock(file, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.stat(made).st_ino == os.fstat(file).st_ino:
                return made, file
        os.close(file)
