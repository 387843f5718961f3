"""A pane of tmux: a real terminal to type into and to look at."""

import re
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from ...serving import PASSWORD, Server, wait_for
from .programs import command, environment

_SECONDS = 30.0
"""A client whose server was away may wait so long before it tries again."""


class Pane:
    """`hongyan chat` in a terminal of 80 by 24. When a test fails, the screen is printed."""

    def __init__(self, server: Server, home: Path, name: str, *arguments: str, size: str = "80x24", **variables: str) -> None:
        self._server = server
        self._name = name
        self._socket = Path(tempfile.mkdtemp(dir=home)) / "tmux"
        self._exit = self._socket.with_name("exit")
        width, height = size.split("x")
        set_up = [f"{key}={value}" for key, value in (environment(home) | {"TERM": "screen-256color"} | variables).items()]
        self._words = [
            "env",
            "-i",
            *set_up,
            "sh",
            "-c",
            f'"$@"; echo $? > {self._exit}',
            "sh",
            *command(server, name, *arguments),
        ]
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", width, "-y", height, "cat")
        self._tmux("set-option", "-g", "remain-on-exit", "on")
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            print(f"--- the screen of {self._name}:\n{self.screen(past=True)}")
        self._tmux("kill-server")

    def start(self) -> None:
        """Also once more, when the program has ended."""
        self._exit.unlink(missing_ok=True)
        self._tmux("respawn-pane", "-k", *self._words)

    def log_in(self, password: str = PASSWORD) -> None:
        self.sees("的密码：")
        self.type(password)
        self.sees("已连接", "›")

    def type(self, text: str, *, enter: bool = True) -> None:
        self._tmux("send-keys", "-l", text)
        if enter:
            self.key("Enter")

    def key(self, name: str) -> None:
        self._tmux("send-keys", name)

    def screen(self, *, past: bool = False, colours: bool = False) -> str:
        return self._tmux("capture-pane", "-p", *(["-S", "-1000"] if past else []), *(["-e"] if colours else []))

    def sees(self, *texts: str) -> str:
        """The screen, as soon as all of this is on it."""
        wait_for(lambda: all(text in self.screen() for text in texts), _SECONDS, what=f"{texts} on the screen")
        return self.screen()

    def shows(self, pattern: str) -> None:
        """Waits for a line of the screen that is all this."""
        wait_for(
            lambda: any(re.fullmatch(pattern, line.rstrip()) for line in self.screen().split("\n")),
            _SECONDS,
            what=f"{pattern!r} on the screen",
        )

    def prompt(self) -> str:
        return self.screen().rstrip("\n").split("\n")[-1]

    def ended(self) -> int:
        """The exit code, as soon as the program has ended."""

        wait_for(self._exit.exists, what="the end of the program")
        return int(wait_for(self._exit.read_text, what="its exit code"))

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-u", "-S", str(self._socket), *words], capture_output=True, text=True, timeout=20)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout
