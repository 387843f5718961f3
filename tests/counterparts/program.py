"""A server program in the foreground, on a port of its own, that can be stopped, killed and frozen with all its processes."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.serving import wait_for

from .ports import held_port

_KEEPER = (sys.executable, "-I", "-S", str(Path(__file__).with_name("keeper.py")))


class Program(ABC):
    """Says what it runs and when it is ready. What it writes is in `directory/NAME.log`, of all its starts."""

    name: str
    user = ""
    """Who runs it, when that is not who runs the test."""
    datagrams = False
    """Whether its port is also one of UDP."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.log = directory / f"{self.name}.log"
        self.port = 0
        self._held: socket.socket | None = None
        self._keeper: subprocess.Popen[str] | None = None
        self._pid = 0

    @abstractmethod
    def command(self) -> Sequence[str | Path]: ...

    @abstractmethod
    def ready(self) -> bool:
        """Whether it answers."""

    def __enter__(self) -> Self:
        self._held = held_port(datagrams=self.datagrams)
        self.port = self._held.getsockname()[1]
        try:
            self.begin()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()
        if error is not None:
            print(f"--- {self.name} wrote:\n{self.output()}")

    def _close(self) -> None:
        assert self._held is not None
        try:
            self.finish()
        finally:
            self.kill()
            self._held.close()

    def begin(self) -> None:
        """What is done once: the first start, and what goes before and after it."""
        self.start()

    def finish(self) -> None:
        """What is done once, at the end; then all that still runs is killed."""
        self.kill()

    @property
    def runs(self) -> bool:
        return self._keeper is not None and self._keeper.poll() is None

    @property
    def pid(self) -> int:
        """Of its first process."""
        assert self.runs, f"{self.name} does not run"
        return self._pid

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def start(self) -> None:
        """Returns when it answers. Always on the same port."""
        assert not self.runs, f"{self.name} runs already"
        self._let_go()
        keeper = [*_KEEPER, self.user, str(self.log), *map(str, self.command())]
        pipe = subprocess.PIPE
        # A session of its own: Ctrl-C is for the test. No environment of the person's that could name another server.
        self._keeper = subprocess.Popen(
            keeper, stdin=pipe, stdout=pipe, cwd="/", env={"PATH": os.defpath}, text=True, bufsize=1, start_new_session=True
        )
        self._pid = int(self._answer() or 0)
        try:
            self.wait_for(self.ready)
        except BaseException:
            self.kill()
            raise

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Fails with the last of what it wrote when it ends before."""

        def holds() -> bool:
            assert self.runs, f"{self.name} has ended:\n{self.output()[-4000:]}"
            return bool(condition())

        wait_for(holds, 60.0, self.name)

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 30.0) -> int:
        """A signal to the first process, and wait for the end of all: the exit code."""
        self.signal(number)
        assert self._keeper is not None
        code = self._keeper.wait(seconds)
        self._let_go()
        return code

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL to all its processes at once, as when the power goes. Nothing when it does not run."""
        self._let_go()

    def freeze(self) -> None:
        """SIGSTOP to all its processes: the kernel still takes connections, and nobody answers."""
        self._order("freeze")

    def thaw(self) -> None:
        """SIGCONT; nothing when it was not frozen."""
        self._order("thaw")

    def revive(self) -> None:
        """It runs and answers, whatever a test has done to it."""
        if self.runs:
            self.thaw()
        else:
            self.start()

    def _order(self, what: str) -> None:
        assert self.runs, f"{self.name} does not run"
        assert self._keeper is not None
        assert self._keeper.stdin is not None
        self._keeper.stdin.write(f"{what}\n")
        assert self._answer() == "done"

    def _answer(self) -> str:
        assert self._keeper is not None
        assert self._keeper.stdout is not None
        return self._keeper.stdout.readline().strip()

    def _let_go(self) -> None:
        """The end of its input is the keeper's order to kill."""
        if self._keeper is not None:
            for pipe in (self._keeper.stdin, self._keeper.stdout):
                assert pipe is not None
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
            self._keeper.wait()


def accepts(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
