"""A real XMPP server: Debian's Prosody, with people, a service of rooms, and a place for a component at `push.`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .installed import find
from .ports import held_port
from .xmpp_server import XmppServer


class Prosody(XmppServer):
    name = "prosody"

    def __init__(self, *where: Any, **how: Any) -> None:
        super().__init__(*where, **how)
        self._program = find("/usr/bin/prosody", "prosody")
        find("/usr/lib/x86_64-linux-gnu/lua/5.*/lunbound.so", "lua-unbound")

        self._component = held_port()
        self.component_port = self._component.getsockname()[1]
        """Where a program with the password may be `push.` of its domain (XEP-0114)."""

    def finish(self) -> None:
        super().finish()
        self._component.close()

    def command(self) -> Sequence[str | Path]:
        return [self._program, "-F", "--config", self.folder / "prosody.cfg.lua"]

    def configure(self) -> None:
        accounts = self.folder / "data" / self.domain.replace(".", "%2e").replace("-", "%2d") / "accounts"
        accounts.mkdir(parents=True)
        for name in self.people:
            (accounts / f"{name}.dat").write_text(f'return {{ ["password"] = "{self.password}"; }};\n')
        certificate, key = self.certificate
        ssl = f'{{ certificate = "{certificate}"; key = "{key}"; cafile = "{self.authority}"; }}'
        (self.folder / "prosody.cfg.lua").write_text(f"""
daemonize = false
pidfile = "{self.folder}/prosody.pid"
data_path = "{self.folder}/data"
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
component_ports = {{ {self.component_port} }}
component_interfaces = {{ "127.0.0.1" }}
http_ports = {{}}
https_ports = {{}}
authentication = "internal_plain"
storage = "internal"
s2s_require_encryption = true
s2s_secure_auth = {"false" if self.dialback else "true"}
unbound = {{ resolvconf = false; forward = "127.0.0.1@{self.name_server}"; options = {{ ["do-not-query-localhost:"] = "no" }} }}
log = {{ debug = "*console" }}
ssl = {ssl}
VirtualHost "{self.domain}"
  ssl = {ssl}
Component "rooms.{self.domain}" "muc"
  ssl = {ssl}
  restrict_room_creation = false
  muc_room_locking = false
Component "push.{self.domain}"
  ssl = {ssl}
  component_secret = "{self.password}"
""")
