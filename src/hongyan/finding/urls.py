"""URLs that name their service, not its machines: `nats+srv://example.org` is wherever `_nats._tcp.example.org` says.

Without `+srv` a URL says itself where it leads, also to several places: `nats://a:4222,b:4222`.
"""

import random
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from hongyan.finding.srv import resolver, srv
from hongyan.finding.target import Target

_PORTS = {"http": 80, "https": 443, "nats": 4222, "postgresql": 5432}
_SRV = "+srv"


async def find(url: str, *, name_server: str | None = None, draw: Callable[[], float] = random.random) -> list[Target]:
    """Where the URL leads now, in the order to try; call it at each connect and reconnect. Names of hosts are left as they are:
    the system resolves them when it connects.

    Raises CannotFind, and ValueError with a sentence for a URL that cannot be used.
    """
    parts = _split(url)
    targets = _targets(url, parts)
    if not parts.scheme.endswith(_SRV):
        return targets
    name = f"_{parts.scheme.removesuffix(_SRV)}._tcp.{targets[0].host}"
    return list((await srv(name, resolver(name_server), draw)).targets)


def check(url: str) -> None:
    """Whether `find` can use it. Raises ValueError with a sentence, without what may be a password."""
    _targets(url, _split(url))


def aimed(url: str, target: Target) -> str:
    """The URL of this one place: no `+srv`, one host; user, path and query as they were."""
    parts = _split(url)
    user, at, _ = parts.netloc.rpartition("@")
    return parts._replace(scheme=parts.scheme.removesuffix(_SRV), netloc=f"{user}{at}{target}").geturl()


def _split(url: str) -> SplitResult:
    scheme, colon, _ = url.partition("://")
    if not colon:
        raise ValueError(f"{url!r} is no URL; it looks like nats://HOST:4222 or nats+srv://example.org")
    try:
        return urlsplit(url.replace(f",{scheme}://", ","))  # `nats://a,nats://b` is `nats://a,b`
    except ValueError:  # whose text may have the password in it
        raise ValueError(f"the {scheme}:// URL is malformed") from None


def _targets(url: str, parts: SplitResult) -> list[Target]:
    scheme = parts.scheme.removesuffix(_SRV)
    hosts = parts.netloc.rpartition("@")[2].split(",")
    found = []
    for text in hosts:
        try:
            one = urlsplit(f"//{text.strip()}")
            host, port = one.hostname, one.port
        except ValueError:  # not quoted: where a password has a / in it, a part of it stands here
            raise ValueError(f"the {parts.scheme}:// URL has a host that is not HOST:PORT") from None
        if not host or one.netloc != text.strip():
            raise ValueError(f"{_shown(parts)} names no host")
        if scheme != parts.scheme and (port is not None or len(hosts) > 1):
            raise ValueError(f"{_shown(parts)} looks up hosts and ports itself: it has one name and no port")
        if port is None and scheme == parts.scheme and (port := _PORTS.get(scheme)) is None:
            raise ValueError(f"{_shown(parts)} names no port")
        found.append(Target(host, port or 0))
    return found


def _shown(parts: SplitResult) -> str:
    """Without what may be a password."""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
