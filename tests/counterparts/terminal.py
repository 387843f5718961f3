"""A client of somebody else in a terminal, typed into by tmux."""

import os
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

_SECONDS = 30.0


class Terminal(ABC):
    """Logged in, inside `with`. Its files are in `home`."""

    name: str
    """Of the program, and of its Debian package."""
    width = 120

    def __init__(self, home: Path, certificate: Path) -> None:
        for program in (self.name, "tmux"):
            if shutil.which(program) is None:
                pytest.skip(f"{program} is not there: apt-get install {program}")
        self.home = home
        self._socket = home / "tmux"
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in ("TMUX", "TMUX_PANE", "COLUMNS", "LINES")},
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "share"),
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color",
            "SSL_CERT_FILE": str(certificate),
        }

    @abstractmethod
    def command(self) -> Sequence[str | Path]: ...

    @abstractmethod
    def log_in(self) -> None:
        """What is typed and seen until it is."""

    def __enter__(self) -> Self:
        size = ("-x", str(self.width), "-y", "40")
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, *map(str, self.command()))
        try:
            self.log_in()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            print(f"--- {self.name} shows:\n{self.screen()}")
        program = self._tmux("display-message", "-p", "#{pane_pid}", check=False).strip()
        self._tmux("kill-server", check=False)
        if program:  # some do not mind that their terminal is gone, and go on at full speed
            with suppress(ProcessLookupError):
                os.kill(int(program), signal.SIGKILL)

    def type(self, line: str) -> None:
        self._tmux("send-keys", "-l", line)
        self.key("Enter")

    def key(self, *names: str) -> None:
        self._tmux("send-keys", *names)

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p", check=False)

    def shows(self, text: str) -> None:
        self.until(lambda: text in self.screen(), text)

    def page_up_to(self, text: str) -> None:
        """Scroll back until it is there."""

        def found() -> bool:
            if text in self.screen():
                return True
            self.key("PageUp")
            return False

        self.until(found, text)

    def until(self, condition: Callable[[], Any], what: str = "") -> None:
        deadline = time.monotonic() + _SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"{what!r} did not come; {self.name} shows:\n{self.screen()}"
            time.sleep(0.05)

    def _tmux(self, *words: str, check: bool = True) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self._socket), *words],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout
