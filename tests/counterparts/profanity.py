"""profanity, a client of XMPP in a terminal, typed into by tmux."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from tests.serving import PASSWORD

_SECONDS = 30.0


class Profanity:
    """Logged in, inside `with`. Its files are in `home`."""

    def __init__(self, home: Path, address: str, server: str, port: int, certificate: Path) -> None:
        for program, package in (("profanity", "profanity"), ("tmux", "tmux")):
            if shutil.which(program) is None:
                pytest.skip(f"{program} is not there: apt-get install {package}")
        self._home = home
        self._address = address
        self._connect = f"/connect {address} server {server} port {port} tls trust"
        self._socket = home / "tmux"
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in ("TMUX", "TMUX_PANE")},
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "share"),
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color",
            "SSL_CERT_FILE": str(certificate),
        }

    def __enter__(self) -> Self:
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", "profanity")
        try:
            self.shows("Profanity")
            self.type(self._connect)
            self.shows("password")
            self.type(PASSWORD)
            self.shows("logged in")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            print(f"--- profanity shows:\n{self.screen()}")
        self._tmux("kill-server", check=False)

    def type(self, line: str) -> None:
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p", check=False)

    def shows(self, text: str) -> None:
        self.until(lambda: text in self.screen(), text)

    def page_up_to(self, text: str) -> None:
        """Scroll back until it is there."""

        def found() -> bool:
            if text in self.screen():
                return True
            self._tmux("send-keys", "PageUp")
            return False

        self.until(found, text)

    def until(self, condition: Callable[[], Any], what: str = "") -> None:
        deadline = time.monotonic() + _SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"{what!r} did not come; profanity shows:\n{self.screen()}"
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
