"""A thread beside the writer that copies the write-ahead log into the database.

The writer would do so by itself each `checkpoint_pages` pages, and nobody's message would be durable meanwhile: tens of
milliseconds. Here almost everything is copied while the writer goes on, and it is left with the few pages that it wrote
meanwhile. It has to copy these itself: only a log that is copied to its end begins anew.
"""

import logging
import sqlite3
from pathlib import Path
from threading import Event, Thread

from hongyan.store.sqlite_file import connect

log = logging.getLogger("hongyan.store")

_PASSES = 2
"""The second copies what was written during the first, and is short."""
_PAGES_A_ROW = 3
"""About so many pages a row changes: its own, and those of its indexes."""


class Checkpoints:
    """`wrote` is called in the writer's thread after each commit."""

    def __init__(self, path: Path, pages: int) -> None:
        self._raw = connect(path)
        self._rows = max(1, pages // _PAGES_A_ROW)
        self._seen = 0
        self._due = Event()
        """The thread copies, or is about to: the writer leaves the log to it."""
        self._rest = False
        """What the writer wrote meanwhile is for itself to copy."""
        self._stopping = Event()
        # A daemon, as the writer is.
        self._thread = Thread(target=self._run, name="store-checkpoint", daemon=True)
        self._thread.start()

    def wrote(self, writer: sqlite3.Connection) -> None:
        if self._due.is_set():
            return
        if self._rest:
            self._rest = not _copy(writer)
        elif (changes := writer.total_changes) - self._seen >= self._rows:
            self._seen = changes
            self._due.set()

    def stop(self) -> None:
        """Returns when it does nothing any more."""
        self._stopping.set()
        self._due.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._due.wait()
            if self._stopping.is_set():
                self._raw.close()
                return
            for _ in range(_PASSES):
                _copy(self._raw)
            self._rest = True
            self._due.clear()
            if self._stopping.is_set():  # it was told meanwhile
                self._due.set()


def _copy(raw: sqlite3.Connection) -> bool:
    """False: another process is just copying."""
    try:
        busy, _, _ = raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    except sqlite3.Error as error:  # a full disk, which the writer meets as well
        log.debug("the write-ahead log cannot be copied: %s", error)
        return True
    return not busy
