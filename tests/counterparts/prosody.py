"""A real XMPP server: Debian's Prosody, with people and a service of rooms."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .installed import find
from .ports import held_port
from .program import Program, accepts

PASSWORD = "at the other server"


class Prosody(Program):
    """`port` is that of servers, `client_port` that of clients. `settings` are lines of its configuration."""

    name = "prosody"
    password = PASSWORD

    def __init__(
        self,
        directory: Path,
        domain: str,
        people: Sequence[str],
        *,
        name_server: int,
        certificate: tuple[Path, Path],
        authority: Path,
        settings: str = "",
    ) -> None:
        super().__init__(directory)
        self._program = find("/usr/bin/prosody", "prosody")
        find("/usr/lib/x86_64-linux-gnu/lua/5.*/lunbound.so", "lua-unbound")
        self.user = "prosody" if os.geteuid() == 0 else ""
        self.domain = domain
        self._client = held_port()
        self.client_port = self._client.getsockname()[1]
        self._people = people
        self._name_server = name_server
        self._certificate = certificate
        self._authority = authority
        self._settings = settings

    def begin(self) -> None:
        where = self._folder = Path(tempfile.mkdtemp(prefix="hongyan-prosody-"))
        (where / "prosody.cfg.lua").write_text(self._configuration())
        accounts = where / "data" / self.domain.replace(".", "%2e").replace("-", "%2d") / "accounts"
        accounts.mkdir(parents=True)
        for name in self._people:
            (accounts / f"{name}.dat").write_text(f'return {{ ["password"] = "{PASSWORD}"; }};\n')
        for file in (*self._certificate, self._authority):
            shutil.copy(file, where)
        if self.user:
            subprocess.run(["chown", "-R", self.user, where], check=True)
        super().begin()

    def finish(self) -> None:
        super().finish()
        self._client.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def command(self) -> Sequence[str | Path]:
        return [self._program, "-F", "--config", self._folder / "prosody.cfg.lua"]

    def ready(self) -> bool:
        return accepts(self.port) and accepts(self.client_port)

    def _configuration(self) -> str:
        certificate, key, authority = (self._folder / file.name for file in (*self._certificate, self._authority))
        ssl = f'{{ certificate = "{certificate}"; key = "{key}"; cafile = "{authority}"; }}'
        return f"""
daemonize = false
pidfile = "{self._folder}/prosody.pid"
data_path = "{self._folder}/data"
modules_enabled = {{ "roster", "saslauth", "tls", "dialback", "disco", "ping", "posix", "s2s", "mam", "carbons" }}
modules_disabled = {{ "offline" }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
c2s_ports = {{ {self.client_port} }}
c2s_direct_tls_ports = {{}}
s2s_ports = {{ {self.port} }}
s2s_direct_tls_ports = {{}}
interfaces = {{ "127.0.0.1" }}
c2s_interfaces = {{ "127.0.0.1" }}
http_ports = {{}}
https_ports = {{}}
authentication = "internal_plain"
storage = "internal"
s2s_require_encryption = true
unbound = {{ resolvconf = false; forward = "127.0.0.1@{self._name_server}"; options = {{ ["do-not-query-localhost:"] = "no" }} }}
log = {{ debug = "*console" }}
ssl = {ssl}
{self._settings}
VirtualHost "{self.domain}"
  ssl = {ssl}
Component "rooms.{self.domain}" "muc"
  ssl = {ssl}
  restrict_room_creation = false
  muc_room_locking = false
"""
