"""poezio, a client of XMPP in a terminal."""

from collections.abc import Sequence
from pathlib import Path

from tests.serving import PASSWORD

from .terminal import Terminal

_SETTINGS = """\
[Poezio]
jid = {address}
password = {password}
custom_host = {server}
custom_port = {port}
ca_cert_path = {certificate}
use_log = false
[var]
info_win_height = 8
"""
_ALSO_AS_ROOT = "import os; os.geteuid = lambda: 1; from poezio.poezio import main; main()"
"""It refuses to be run by root, as tests in a container are."""


class Poezio(Terminal):
    """It keeps nothing of what was said: that comes from the server each time."""

    name = "poezio"
    width = 200

    def __init__(self, home: Path, address: str, server: str, port: int, certificate: Path, *, password: str = PASSWORD) -> None:
        super().__init__(home, certificate)
        self._address = address
        self._settings = home / "poezio.cfg"
        settings = _SETTINGS.format(address=address, password=password, server=server, port=port, certificate=certificate)
        self._settings.write_text(settings, encoding="utf-8")

    def command(self) -> Sequence[str | Path]:
        return ("/usr/bin/python3", "-c", _ALSO_AS_ROOT, "-f", self._settings, "-d", self.home / "debug.log")

    def log_in(self) -> None:
        self.shows(f"JID is {self._address}/")

    def type(self, line: str) -> None:
        """What comes all at once is pasted, with its end and with the key that follows it."""
        self.key("-l", line)
        self.until(lambda: self._has_typed(line), line)
        self.key("Enter")
        self.until(lambda: not self._has_typed(line), f"the end of {line}")

    def order(self, line: str) -> None:
        """A command. Over the list of contacts its first key has to be there before the others come."""
        self.key("-l", "/")
        self.until(lambda: self._has_typed("│/"), line)
        self.type(line)

    def _has_typed(self, text: str) -> bool:
        return self.screen().rstrip().endswith(text)

    @property
    def log(self) -> str:
        """With every stanza."""
        return (self.home / "debug.log").read_text(encoding="utf-8")
