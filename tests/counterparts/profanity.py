"""profanity, a client of XMPP in a terminal."""

from collections.abc import Sequence
from pathlib import Path

from tests.serving import PASSWORD

from .terminal import Terminal


class Profanity(Terminal):
    name = "profanity"

    def __init__(self, home: Path, address: str, server: str, port: int, certificate: Path) -> None:
        super().__init__(home, certificate)
        self._connect = f"/connect {address} server {server} port {port} tls trust"

    def command(self) -> Sequence[str | Path]:
        return ("profanity",)

    def log_in(self) -> None:
        self.shows("Profanity")
        self.type(self._connect)
        self.shows("password")
        self.type(PASSWORD)
        self.shows("logged in")
