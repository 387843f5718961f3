"""What `hongyan doctor` and `/health` say of certificates: of the web port, and of the ports of XMPP."""

import stat
import time
from collections.abc import Iterator
from pathlib import Path

from hongyan.config import Settings, parse_endpoint
from hongyan.operation import certificate
from hongyan.operation.finding import Finding

_RENEW = "Put a good certificate and its key in place; the server reads them again by itself"


def examine(settings: Settings, now: float) -> Iterator[Finding]:
    """`now` is seconds since 1970."""
    http = settings.http
    if http.certificate is not None and http.key is not None:
        yield from _files(http.certificate, http.key, now)
    elif not parse_endpoint(http.listen).local:
        yield Finding(
            f"The server listens on {http.listen} without TLS: passwords and messages can be read on the way",
            "Give it http.certificate and http.key, or let it listen on 127.0.0.1 behind a proxy that has them",
        )
    yield from examine_xmpp(settings, now)


def examine_xmpp(settings: Settings, now: float) -> Iterator[Finding]:
    """What is shown on the ports of XMPP, where one is open. What is wrong with the files of `http` is told with `http`."""
    xmpp = settings.xmpp
    if not _encrypts(settings):
        return
    own = xmpp.certificate is not None
    file, key = (xmpp.certificate, xmpp.key) if own else (settings.http.certificate, settings.http.key)
    if file is None or key is None:
        yield Finding(
            "XMPP has no certificate: the server does not start",
            f"Give it xmpp.certificate and xmpp.key, or those of http: a certificate for {settings.domain}",
        )
        return
    if own:
        yield from _files(file, key, now)
    if missing := certificate.unnamed(file, _names(settings)):
        yield Finding(
            f"The certificate {file} is not for {' and '.join(missing)}: who speaks XMPP with this server will not believe it",
            "Get one with these names among its subject alternative names (SAN): the domain's, not only the machine's",
        )


def trouble_of_xmpp(settings: Settings) -> str | None:
    """For `/health`: the first thing that is wrong."""
    return next((one.wrong for one in examine_xmpp(settings, time.time())), None)


def _names(settings: Settings) -> Iterator[tuple[str, str]]:
    """What it has to be for, each with the service."""
    xmpp, domain = settings.xmpp, settings.domain
    if xmpp.c2s or xmpp.c2s_tls:
        yield domain, "xmpp-client"
    if xmpp.s2s:
        yield domain, "xmpp-server"
        yield f"{xmpp.rooms}.{domain}", "xmpp-server"


def _encrypts(settings: Settings) -> bool:
    """A port of XMPP needs a certificate."""
    xmpp = settings.xmpp
    plain = xmpp.allow_plaintext and xmpp.c2s and parse_endpoint(xmpp.c2s).local
    return bool(xmpp.c2s_tls or xmpp.s2s or (xmpp.c2s and not plain))


def _files(file: Path, key: Path, now: float) -> Iterator[Finding]:
    trouble = certificate.trouble(file, key, now)
    if trouble is not None:
        yield Finding(trouble, _RENEW)
    try:
        if key.stat().st_mode & stat.S_IRWXO:
            yield Finding(f"Everybody on this machine may read the key {key}", f"Run: chmod o= {key}")
    except OSError:
        pass  # told above
