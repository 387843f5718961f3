"""A real NATS server: Debian's."""

import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from .installed import find
from .program import Program


class Nats(Program):
    """It asks for a name and a password when it is given both."""

    name = "nats"

    def __init__(self, directory: Path, *, user: str = "", password: str = "") -> None:
        super().__init__(directory)
        self._program = find("/usr/sbin/nats-server", "nats-server")
        self._login = (user, password)

    @property
    def url(self) -> str:
        user, password = self._login
        return f"nats://{user}:{password}@127.0.0.1:{self.port}" if user else f"nats://127.0.0.1:{self.port}"

    def command(self) -> Sequence[str | Path]:
        user, password = self._login
        login = ["--user", user, "--pass", password] if user else []
        return [self._program, "-a", "127.0.0.1", "-p", str(self.port), *login]

    def ready(self) -> bool:
        """It speaks first."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5.0) as connection:
                return connection.recv(5) == b"INFO "
        except OSError:
            return False

    def stop(self, number: signal.Signals = signal.SIGINT, seconds: float = 30.0) -> int:
        return super().stop(number, seconds)
