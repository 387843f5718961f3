"""Real balancers: Debian's nginx and HAProxy, with the configuration that a test gives them."""

import os
import re
import signal
import subprocess
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

import psutil

from .installed import find
from .program import Program, accepts


class BadConfiguration(Exception):
    """With the program's own words."""


class Balancer(Program):
    """`PORT` in the text, as a word, becomes the port that is held for it; it has to listen there."""

    check: Sequence[str]
    """The arguments that make it read its configuration and do no more."""
    reload_signal: signal.Signals

    def __init__(self, configuration: str, directory: Path) -> None:
        super().__init__(directory)
        self.configuration = configuration

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._write_and_check()
        super().start()

    def ready(self) -> bool:
        return accepts(self.port)

    def reload(self, configuration: str | None = None) -> None:
        """As an administrator does it: open connections stay. When this returns, new ones go by the new configuration.

        With a bad one it goes on with what it had.
        """
        if configuration is not None:
            self.configuration = configuration
        self._write_and_check()
        before = self._workers()
        already = {worker for worker in before if self.leaves(worker)}
        self.signal(self.reload_signal)

        def reloaded() -> bool:
            now = self._workers()
            left = all(worker not in now or self.leaves(worker) for worker in before - already)
            return left and bool(now - before)

        self.wait_for(reloaded)

    @abstractmethod
    def write(self, configuration: str) -> None: ...

    @abstractmethod
    def leaves(self, worker: psutil.Process) -> bool:
        """Whether this process of an older configuration takes no more connections."""

    def _workers(self) -> set[psutil.Process]:
        return set(psutil.Process(self.pid).children())

    def _write_and_check(self) -> None:
        self.write(re.sub(r"\bPORT\b", str(self.port), self.configuration))
        command = [*map(str, self.command()), *self.check]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
        if done.returncode:
            raise BadConfiguration(f"{done.stdout}{done.stderr}".strip())


class Nginx(Balancer):
    """Its configuration is what stands inside `http`, as in a file of /etc/nginx/conf.d."""

    name = "nginx"
    check = ("-t", "-q")
    reload_signal = signal.SIGHUP

    def __init__(self, configuration: str, directory: Path) -> None:
        super().__init__(configuration, directory)
        self._program = find("/usr/sbin/nginx", "nginx")

    def command(self) -> Sequence[str | Path]:
        return [self._program, "-p", self.directory, "-e", "stderr", "-c", self.directory / "nginx.conf"]

    def write(self, configuration: str) -> None:
        here = self.directory
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        lines = [
            "user root;" if os.geteuid() == 0 else "",  # its folder is often closed to others
            "daemon off;",
            "error_log stderr info;",
            f"pid {here}/nginx.pid;",
            "events { worker_connections 1024; }",
            "http {",
            f"    access_log {here}/access.log;",
            *[f"    {kind}_temp_path {here}/{kind};" for kind in kinds],
            f"    include {here}/site.conf;",
            "}",
        ]
        (here / "nginx.conf").write_text("\n".join(lines) + "\n")
        (here / "site.conf").write_text(configuration)

    def leaves(self, worker: psutil.Process) -> bool:
        """It says so in its title."""
        try:
            return "shutting down" in " ".join(worker.cmdline())
        except psutil.Error:
            return True


class HAProxy(Balancer):
    """Its configuration is the whole file."""

    name = "haproxy"
    check = ("-c",)
    reload_signal = signal.SIGUSR2

    def __init__(self, configuration: str, directory: Path) -> None:
        super().__init__(configuration, directory)
        self._program = find("/usr/sbin/haproxy", "haproxy")

    def command(self) -> Sequence[str | Path]:
        return [self._program, "-W", "-db", "-f", self.directory / "haproxy.cfg"]

    def write(self, configuration: str) -> None:
        (self.directory / "haproxy.cfg").write_text(configuration)

    def leaves(self, worker: psutil.Process) -> bool:
        """It writes a line when it has stopped."""
        return not worker.is_running() or re.search(rf"\({worker.pid}\) : Proxy .* stopped", self.output()) is not None
