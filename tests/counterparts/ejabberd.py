"""A real XMPP server: Debian's ejabberd, with people and a service of rooms.

It asks the name server only where a service is; the address of the host that it is told comes from the system (`/etc/hosts`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from .installed import find
from .ports import held_port
from .program import accepts
from .xmpp_server import XmppServer


class Ejabberd(XmppServer):
    name = "ejabberd"

    def __init__(self, *where: Any, **how: Any) -> None:
        super().__init__(*where, **how)
        self._libraries = find("/usr/lib/*/ejabberd-*", "ejabberd").parent
        self._api = held_port()
        self._api_port = self._api.getsockname()[1]

    def begin(self) -> None:
        super().begin()
        with httpx.Client(base_url=f"http://127.0.0.1:{self._api_port}", timeout=30) as http:
            for name in self.people:
                person = {"user": name, "host": self.domain, "password": self.password}
                http.post("/api/register", json=person).raise_for_status()

    def finish(self) -> None:
        super().finish()
        self._api.close()

    def command(self) -> Sequence[str | Path]:
        """As `ejabberdctl foreground` does, but as a node without a name: no epmd is started, which would outlive it."""
        at = self.folder
        files = {"EJABBERD_CONFIG_PATH": "ejabberd.yml", "EJABBERD_LOG_PATH": "ejabberd.log", "ERL_INETRC": "inetrc", "HOME": ""}
        environment = [f"{name}={at / file}" for name, file in files.items()] + [f"ERL_LIBS={self._libraries}"]
        return ["/usr/bin/env", *environment, "erl", "-noinput", "-mnesia", "dir", f'"{at}/db"', "-s", "ejabberd"]

    def ready(self) -> bool:
        return super().ready() and accepts(self._api_port)

    def configure(self) -> None:
        certificate, key = self.certificate
        both = self.folder / "both.pem"
        both.write_text(certificate.read_text() + key.read_text())
        (self.folder / "inetrc").write_text(f"""
{{resolv_conf, ""}}.
{{nameserver, {{127,0,0,1}}, {self.name_server}}}.
{{lookup, [dns]}}.
{{cache_size, 0}}.
""")
        (self.folder / "ejabberd.yml").write_text(f"""
hosts: ["{self.domain}"]
loglevel: debug
certfiles: ["{both}"]
ca_file: "{self.authority}"
s2s_cafile: "{self.authority}"
s2s_use_starttls: required
listen:
  - {{port: {self.client_port}, ip: "127.0.0.1", module: ejabberd_c2s, starttls: true}}
  - {{port: {self.port}, ip: "127.0.0.1", module: ejabberd_s2s_in}}
  - {{port: {self._api_port}, ip: "127.0.0.1", module: ejabberd_http, request_handlers: {{/api: mod_http_api}}}}
api_permissions:
  "loop": {{who: [{{ip: "127.0.0.1/8"}}], what: "*"}}
acl:
  local: {{user_regexp: ""}}
access_rules:
  local: {{allow: local}}
modules:
  mod_http_api: {{}}
  mod_disco: {{}}
  mod_roster: {{}}
  mod_ping: {{}}
  {"mod_s2s_dialback: {}" if self.dialback else ""}
  mod_muc: {{host: "rooms.{self.domain}", access_create: local}}
""")
