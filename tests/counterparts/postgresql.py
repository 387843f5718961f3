"""A real PostgreSQL: Debian's newest, in a temporary folder."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from .installed import find
from .program import Program

_PREFIX = "hongyan-postgresql-"
_PLACE = Path(os.environ.get("PYTEST_DEBUG_TEMPROOT") or tempfile.gettempdir())
"""Where tests put their files: in memory (`scripts/test-root`) a flush costs nothing, and a killed server loses nothing."""


class PostgreSQL(Program):
    """With a database `hongyan`; everybody on loopback is `postgres` without a password.

    It refuses to run as root, so root runs it as `postgres`, and its data are in a temporary folder that this user can reach;
    `directory` has the log. `durable=False` is faster, for tests that never crash it.

        with PostgreSQL(tmp_path) as server:
            server.url()                           # postgresql://postgres@127.0.0.1:PORT/hongyan
            server.kill(); server.start()          # on the same port, with what was committed
    """

    name = "postgresql"

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        super().__init__(directory)
        self._bin = find("/usr/lib/postgresql/*/bin/postgres", "postgresql").parent
        self._folder: Path | None = None
        self.user = "postgres" if os.geteuid() == 0 else ""
        self._settings = {
            "listen_addresses": "127.0.0.1",
            "max_connections": "200",
            "shared_buffers": "64MB",
            "dynamic_shared_memory_type": "mmap",  # files in its folder: a kill leaves nothing in /dev/shm
        }
        if not durable:
            self._settings |= {"fsync": "off", "full_page_writes": "off"}

    @property
    def data(self) -> Path:
        """Its data directory."""
        assert self._folder is not None
        return self._folder / "data"

    def url(self, database: str = "hongyan") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def begin(self) -> None:
        _sweep_abandoned()
        self._folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_PLACE))
        if self.user:
            shutil.chown(self._folder, self.user, self.user)
        how = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        self._run("initdb", f"--pgdata={self.data}", *how)
        self.start()
        self.create_database("hongyan")

    def command(self) -> Sequence[str | Path]:
        settings = self._settings | {"unix_socket_directories": str(self.data.parent)}
        named = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [self._bin / "postgres", "-D", self.data, "-p", str(self.port), *named]

    def ready(self) -> bool:
        ask = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ask, check=False, timeout=30).returncode == 0

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast", seconds: float = 30.0) -> int:  # type: ignore[override]
        signals = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
        return super().stop(signals[mode], seconds)

    def finish(self) -> None:
        try:
            if self.runs:
                self.thaw()
                self.stop("immediate")
        finally:
            self.kill()
            if self._folder is not None:
                _sweep(self._folder)

    def execute(self, sql: str, database: str = "postgres") -> str:
        """One statement by psql; rows are lines, columns are parted by `|`."""
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database]
        return self._run("psql", *where, "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql)

    def create_database(self, name: str) -> None:
        self.execute(f'CREATE DATABASE "{name}"')

    def new_database(self, template: str = "template1") -> str:
        """The URL of an empty database with a name of its own, or of a copy of `template`, to which nobody is connected."""
        name = f"test_{uuid.uuid4().hex}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    @contextlib.contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """As `new_database`, and dropped at the end. What a test has killed or frozen is there again before and after."""
        self.revive()
        url = self.new_database(template)
        try:
            yield url
        finally:
            self.revive()
            self.drop_database(url)

    def drop_database(self, name: str) -> None:
        """By its name or its URL; who is connected is thrown out."""
        self.execute(f'DROP DATABASE IF EXISTS "{name.rpartition("/")[2]}" WITH (FORCE)')

    def _run(self, program: str, *arguments: str) -> str:
        who = {"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}
        done = subprocess.run(  # type: ignore[call-overload]
            [self._bin / program, *arguments], capture_output=True, text=True, timeout=60, cwd=self._folder, env={}, **who
        )
        assert done.returncode == 0, f"{program} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return str(done.stdout).rstrip("\n")


def _sweep(folder: Path) -> None:
    """Removes it, and the shared memory that a killed server could not remove: the seventh line of postmaster.pid names it."""
    with contextlib.suppress(OSError, IndexError):  # it was stopped, or is another person's
        segment = (folder / "data" / "postmaster.pid").read_text().splitlines()[6].split()[1]
        subprocess.run(["ipcrm", "-m", segment], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)


def _sweep_abandoned() -> None:
    """What tests that were killed have left: their process id is in the name."""
    for folder in _PLACE.glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path("/proc", owner).exists():
            _sweep(folder)
