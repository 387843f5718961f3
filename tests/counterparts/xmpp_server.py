"""What XMPP servers of others have in common: a domain, people with a password, a certificate, a name server to ask."""

import os
import shutil
import subprocess
import tempfile
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

from .ports import held_port
from .program import Program, accepts


class XmppServer(Program):
    """`port` is that of servers, `client_port` that of clients, who encrypt by STARTTLS. Rooms are at `rooms.` of its domain.

    With `dialback` a server that proves itself only by being called back is let in too.
    """

    password = "at the other server"

    def __init__(
        self,
        directory: Path,
        domain: str,
        people: Sequence[str],
        *,
        name_server: int,
        certificate: tuple[Path, Path],
        authority: Path,
        dialback: bool = False,
    ) -> None:
        super().__init__(directory)
        self.user = self.name if os.geteuid() == 0 else ""
        self.domain = domain
        self.people = people
        self.name_server = name_server
        self.certificate = certificate
        self.authority = authority
        self.dialback = dialback
        self._client = held_port()
        self.client_port = self._client.getsockname()[1]

    @abstractmethod
    def configure(self) -> None:
        """Write files into its folder, which has the certificates already."""

    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"hongyan-{self.name}-"))
        certificate, key, self.authority = (self._copied(file) for file in (*self.certificate, self.authority))
        self.certificate = certificate, key
        self.configure()
        if self.user:
            subprocess.run(["chown", "-R", self.user, self.folder], check=True)
        super().begin()

    def finish(self) -> None:
        super().finish()
        self._client.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ready(self) -> bool:
        return accepts(self.port) and accepts(self.client_port)

    def _copied(self, file: Path) -> Path:
        return Path(shutil.copy(file, self.folder))
