"""The data directory: everything that a server keeps, for one server at a time, and for nobody else's eyes.

Nodes that keep everything in a shared store may share a directory too: they only leave their address in it.

hongyan.db*     the store            lock           held by the server while it runs
http.address    HOST:PORT of the running server     demo.txt    passwords of the demonstration organisation
files/          what people have put on the server
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from hongyan.config import Endpoint
from hongyan.store.partial import sweep


class DirectoryError(Exception):
    """The data directory cannot be used. The text says why and what to do."""


class DataDirectory:
    """Names and rules of what is in it. Nothing is touched before a method is called."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = path / "hongyan.db"
        self.address = path / "http.address"
        self.demo = path / "demo.txt"
        self._lock = path / "lock"

    @property
    def is_new(self) -> bool:
        """No store was ever made here."""
        return not self.database.exists()

    def prepare(self) -> None:
        """Make it if need be, readable only by its owner. One with something in it keeps its mode; `doctor` judges that."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not any(self.path.iterdir()):
                self.path.chmod(0o700)
        except OSError as error:
            raise DirectoryError(f"The data directory {self.path} cannot be made: {error.strerror or error}") from error
        if not os.access(self.path, os.R_OK | os.W_OK | os.X_OK):
            raise DirectoryError(f"The data directory {self.path} cannot be written: give it to the user who runs the server")

    def require(self) -> None:
        """For commands that make nothing new: there has to be a store."""
        if self.is_new:
            raise DirectoryError(f"There is no Hongyan data in {self.path}: name the data directory with --data DIR")

    @contextlib.contextmanager
    def locked(self, *, shared: bool = False) -> Iterator[None]:
        """Hold it alone, or with others that share it. The kernel gives the lock back however the process ends.

        Raises DirectoryError when it is taken.
        """
        try:
            file = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DirectoryError(f"The file {self._lock} cannot be opened: {error.strerror or error}") from error
        try:
            try:
                fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(file, 20, 0).decode("ascii", "replace").strip()
                who = f"process {holder}" if holder.isdigit() else "another process"
                raise DirectoryError(f"The data directory {self.path} is in use by {who}; stop that server first") from None
            if not shared:
                self.address.unlink(missing_ok=True)  # a process that was killed could not
                sweep(self.database)
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode("ascii"), 0)
            yield
        finally:
            os.close(file)

    @contextlib.contextmanager
    def announced(self, endpoint: Endpoint, *, others: bool = False) -> Iterator[None]:
        """While it lasts, `http.address` tells where the server listens (with the real port of a `--http HOST:0`).

        `others` listen there too: it stays.
        """
        fresh = self.address.with_suffix(f".new{os.getpid()}")
        fresh.write_text(f"{endpoint}\n", encoding="ascii")
        fresh.replace(self.address)
        try:
            yield
        finally:
            with contextlib.suppress(FileNotFoundError):
                if not others and self.address.read_text(encoding="ascii") == f"{endpoint}\n":  # otherwise another node's
                    self.address.unlink()
