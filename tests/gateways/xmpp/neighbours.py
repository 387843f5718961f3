"""Servers that talk to each other: ours, and one that we did not write, with a name server and an authority of the test's own."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from tests.counterparts.authority import Authority
from tests.counterparts.dns import SRV, A, NameServer
from tests.counterparts.ejabberd import Ejabberd
from tests.counterparts.prosody import Prosody
from tests.counterparts.xmpp_server import XmppServer
from tests.gateways.xmpp.site import DOMAIN, Site
from tests.serving import Shared

Kind = Literal["prosody", "prosody-dialback", "ejabberd", "ejabberd-dialback"]


class Neighbours(msgspec.Struct, frozen=True):
    site: Site
    other: XmppServer
    how: Literal["external", "dialback"]
    """How servers prove who they are."""
    authority: Path
    """Who vouches for both towards clients."""
    twin: Site | None = None
    """Another node of ours, which other servers do not find."""


@contextlib.contextmanager
def neighbours(folder: Path, kind: Kind, *, shared: Shared | None = None, **settings: str) -> Iterator[Neighbours]:
    """Both believe the same authority, so that they prove themselves by certificates; or neither does, for dialback. With a
    `shared` store ours are two nodes.
    """
    name, _, dialback = kind.partition("-")
    domain = f"{name}.example"
    authority = Authority(folder / "authority")
    ours = authority.issue(DOMAIN, f"rooms.{DOMAIN}")
    theirs = authority.issue(domain, f"rooms.{domain}", f"push.{domain}")
    believed = Authority(folder / "other").certificate if dialback else authority.certificate
    settings = {"XMPP_S2S_AUTHORITIES": str(believed), **settings}
    site, *twins = (
        Site(folder / name, tls=ours, authority=authority.certificate, start=False, shared=shared, **settings)
        for name in ("data", "twin")[: 1 if shared is None else 2]
    )
    with contextlib.ExitStack() as stack:
        names = stack.enter_context(NameServer(folder / "dns"))
        how: dict[str, Any] = {
            "name_server": names.port,
            "certificate": theirs,
            "authority": believed,
            "dialback": bool(dialback),
        }
        program = {"prosody": Prosody, "ejabberd": Ejabberd}[name]
        other: XmppServer = stack.enter_context(program(folder / name, domain, ["romeo", "mercutio"], **how))
        records = [A("localhost", "127.0.0.1")]  # ejabberd asks the system for addresses, which knows this one
        for host, port in ((DOMAIN, site.s2s_port), (domain, other.port)):
            records += [SRV(f"_xmpp-server._tcp.{one}", "localhost", port) for one in (host, f"rooms.{host}", f"push.{host}")]
        names.set(records)
        for one in (site, *twins):
            one.federates(names.port)
            stack.enter_context(one)
            one.server.start()
        yield Neighbours(site, other, "dialback" if dialback else "external", authority.certificate, *twins)
