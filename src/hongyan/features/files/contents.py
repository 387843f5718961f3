"""Contents of files in a directory, each under its id, which is the server's own. Everything here waits for the disk.

Several nodes share it: then it is a directory that all of them have mounted.
"""

import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from hongyan.store.partial import partial, sweep
from hongyan.store.sqlite_file import sync_directory

_KEPT_FREE = 268_435_456
"""Bytes of the disk that files leave to the messages."""
_UNKNOWN_SECONDS = 86_400.0
"""A file that no row knows goes when it is so old: its row may be about to be written, or on its way back from a copy."""

_OURS = re.compile(r"[a-z2-7]{52}")
_FOLDER = re.compile(r"[a-z2-7]{2}")
"""Whatever else somebody has put into the directory, or a file system has (`lost+found`), is not touched."""


class Contents:
    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def at(self, id: str) -> Path:
        return self._directory / id[:2] / id

    def trouble(self) -> str | None:
        """Why nothing can be kept here."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            return f"Files cannot be kept in {self._directory}: {error.strerror or error}"
        writable = os.access(self._directory, os.R_OK | os.W_OK | os.X_OK)
        return None if writable else f"Files cannot be kept in {self._directory}: the server may not write there"

    def has_room(self, size: int) -> bool:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return shutil.disk_usage(self._directory).free - size > _KEPT_FREE

    @contextmanager
    def coming(self, id: str) -> Iterator["Coming"]:
        """One to be written; gone at the end, unless it was kept. The end waits for what still writes, in a thread that nobody
        waits for any more: the number of its open file may be another file's a moment later.
        """
        path = self.at(id)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with partial(path) as made, made.open("wb", buffering=0) as file:
            coming = Coming(file, made, path)
            try:
                yield coming
            finally:
                coming.end()

    def remove(self, id: str) -> None:
        self.at(id).unlink(missing_ok=True)

    def old(self) -> Iterator[list[str]]:
        """Ids of what has been here for a day, a folder at a time; what killed processes left unfinished goes."""
        with suppress(FileNotFoundError):
            for folder in sorted(self._directory.iterdir()):
                if _FOLDER.fullmatch(folder.name):
                    yield list(self._old(folder))

    def _old(self, folder: Path) -> Iterator[str]:
        before = time.time() - _UNKNOWN_SECONDS
        with suppress(FileNotFoundError, NotADirectoryError):
            for file in folder.iterdir():
                if file.name.startswith(".") and _OURS.fullmatch(name := file.name[1:].partition(".")[0]):
                    sweep(folder / name)
                elif _OURS.fullmatch(file.name) and file.name.startswith(folder.name) and file.stat().st_ctime < before:
                    yield file.name


class Coming:
    def __init__(self, file: FileIO, made: Path, path: Path) -> None:
        self._file = file
        self._made = made
        self._path = path
        self._busy = threading.Lock()

    def write(self, data: bytes) -> None:
        with self._busy:
            while data:
                data = data[self._file.write(data) :]

    def keep(self) -> bool:
        """It is there, durably, under its id. False: there is one already, whole."""
        with self._busy:
            os.fsync(self._file.fileno())
            try:
                os.link(self._made, self._path)
            except FileExistsError:
                return False
            sync_directory(self._path.parent)
            return True

    def end(self) -> None:
        """From now on all of that fails."""
        with self._busy:
            self._file.close()
