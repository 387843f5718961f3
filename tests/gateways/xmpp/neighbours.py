"""Servers that talk to each other: ours, and one that we did not write, with a name server and an authority of the test's own."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.counterparts.authority import Authority
from tests.counterparts.dns import SRV, A, NameServer
from tests.counterparts.prosody import Prosody
from tests.gateways.xmpp.site import DOMAIN, Site

PROSODY = "prosody.example"


class Neighbours(msgspec.Struct, frozen=True):
    site: Site
    prosody: Prosody
    authority: Path
    """Who vouches for both towards clients."""


@contextlib.contextmanager
def neighbours(folder: Path, *, trusted: bool = True, **settings: str) -> Iterator[Neighbours]:
    """With `trusted` both believe the same authority, so that they prove themselves by certificates; without by dialback."""
    authority = Authority(folder / "authority")
    ours = authority.issue(DOMAIN, f"rooms.{DOMAIN}")
    theirs = authority.issue(PROSODY, f"rooms.{PROSODY}")
    other = authority if trusted else Authority(folder / "other")
    site = Site(
        folder / "data",
        tls=ours,
        authority=authority.certificate,
        start=False,
        XMPP_S2S_AUTHORITIES=str(other.certificate),
        **settings,
    )
    with contextlib.ExitStack() as stack:
        names = stack.enter_context(NameServer(folder / "dns"))
        more = "" if trusted else "s2s_secure_auth = false\n"
        prosody = stack.enter_context(
            Prosody(
                folder / "prosody",
                PROSODY,
                ["romeo", "mercutio"],
                name_server=names.port,
                certificate=theirs,
                authority=other.certificate,
                settings=more,
            )
        )
        records = [A("host.example", "127.0.0.1")]
        for domain, port in ((DOMAIN, site.s2s_port), (PROSODY, prosody.port)):
            records += [SRV(f"_xmpp-server._tcp.{name}", "host.example", port) for name in (domain, f"rooms.{domain}")]
        names.set(records)
        site.federates(names.port)
        stack.enter_context(site)
        site.server.start()
        yield Neighbours(site, prosody, authority.certificate)
