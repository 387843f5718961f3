"""Servers that talk to each other: ours, and one that we did not write, with a name server and an authority of the test's own."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from tests.counterparts.authority import Authority
from tests.counterparts.dns import SRV, A, NameServer
from tests.counterparts.prosody import Prosody
from tests.gateways.xmpp.site import DOMAIN, Site

Kind = Literal["prosody", "prosody-dialback"]


class Neighbours(msgspec.Struct, frozen=True):
    kind: Kind
    site: Site
    other: Prosody
    authority: Path
    """Who vouches for both towards clients."""


@contextlib.contextmanager
def neighbours(folder: Path, kind: Kind, **settings: str) -> Iterator[Neighbours]:
    """Both believe the same authority, so that they prove themselves by certificates; or neither does, for dialback."""
    domain = f"{kind.partition('-')[0]}.example"
    authority = Authority(folder / "authority")
    ours = authority.issue(DOMAIN, f"rooms.{DOMAIN}")
    theirs = authority.issue(domain, f"rooms.{domain}")
    believed = Authority(folder / "other").certificate if kind == "prosody-dialback" else authority.certificate
    site = Site(
        folder / "data", tls=ours, authority=authority.certificate, start=False, XMPP_S2S_AUTHORITIES=str(believed), **settings
    )
    with contextlib.ExitStack() as stack:
        names = stack.enter_context(NameServer(folder / "dns"))
        people = ["romeo", "mercutio"]
        how: dict[str, Any] = {"name_server": names.port, "certificate": theirs, "authority": believed}
        more = "s2s_secure_auth = false\n" if kind == "prosody-dialback" else ""
        other = stack.enter_context(Prosody(folder / "prosody", domain, people, settings=more, **how))
        records = [A("host.example", "127.0.0.1")]
        for name, port in ((DOMAIN, site.s2s_port), (domain, other.port)):
            records += [SRV(f"_xmpp-server._tcp.{one}", "host.example", port) for one in (name, f"rooms.{name}")]
        names.set(records)
        site.federates(names.port)
        stack.enter_context(site)
        site.server.start()
        yield Neighbours(kind, site, other, authority.certificate)
