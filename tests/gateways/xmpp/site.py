"""A whole server with an XMPP gateway and a certificate of its own, people with accounts, and their clients of slixmpp."""

import itertools
import ssl
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.counterparts.ports import held_port
from tests.operation import certificates
from tests.serving import Person, Server, Shared

_names = itertools.count(1)
DOMAIN = "hongyan.example"
SECONDS = 30.0
"""For whatever a client of somebody else waits for: they are slow where many tests run."""


class Site:
    """One node. `settings` as for `Server`."""

    def __init__(
        self,
        data: Path,
        *ways: str,
        shared: Shared | None = None,
        start: bool = True,
        tls: tuple[Path, Path] | None = None,
        authority: Path | None = None,
        **settings: str,
    ) -> None:
        self._held = ExitStack()
        self.port, self.tls_port, self.s2s_port = (self._held.enter_context(held_port()).getsockname()[1] for _ in range(3))
        listen = ("--xmpp-c2s", f"127.0.0.1:{self.port}", "--xmpp-c2s-tls", f"127.0.0.1:{self.tls_port}", "--domain", DOMAIN)
        data.parent.mkdir(parents=True, exist_ok=True)
        certificate, key = tls or certificates.make(data.parent, f"{data.name}-tls", host=DOMAIN)
        self.certificate = authority or certificate
        """What a client believes."""
        files = {"XMPP_CERTIFICATE": str(certificate), "XMPP_KEY": str(key)}
        self.server = Server(data, *listen, *ways, shared=shared, start=start, **{**files, **settings})

    def __enter__(self) -> Self:
        self._held.enter_context(self.server)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._held.__exit__(kind, error, trace)

    @property
    def trust(self) -> ssl.SSLContext:
        """What believes this server's certificate and no other."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def federates(self, name_server: int, *, private: bool = True) -> None:
        """Before it is started: it talks to other servers, which it finds by this name server, also on addresses that are not
        public.
        """
        told = {"DNS_SERVER": f"127.0.0.1:{name_server}", "XMPP_S2S_PRIVATE_ADDRESSES": "true" if private else "false"}
        self.server.more("--xmpp-s2s", f"127.0.0.1:{self.s2s_port}", **told)

    def people(self, *stems: str) -> list[Person]:
        """New accounts, logged in over HTTP; the number behind the name makes it one that nobody has."""
        return self.server.people(*(f"{stem}{next(_names)}" for stem in stems))
