"""Addresses of push services. Anybody may tell anything, and this server must not be made to call its own network.

A name is resolved once, every address that is not one of the public network is left out, and the connection goes to an address
that was looked at (CVE-2023-32683, CVE-2026-2455). Nothing is ever redirected.
"""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

import msgspec

from hongyan.core.errors import Invalid

_PORTS = {"https": 443, "http": 80}
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""Behind it stands an IPv4 address of the public network (RFC 6052)."""
_LOCAL = (IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
"""Translation within a network (RFC 8215), and IPv4-compatible addresses, which are deprecated (RFC 4291, 2.5.5.1)."""


class NotPublicError(Exception):
    """The name has no address that may be called."""


class Endpoint(msgspec.Struct, frozen=True):
    secure: bool
    host: str
    port: int
    target: str
    """Path and query."""

    @property
    def origin(self) -> str:
        scheme = "https" if self.secure else "http"
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{shown}" + ("" if self.port == _PORTS[scheme] else f":{self.port}")


def parse(url: str, *, private: bool) -> Endpoint:
    """`private`: plain HTTP is taken, too. Raises Invalid."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused() from None
    schemes = ("https", "http") if private else ("https",)
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    if not plain or parts.scheme not in schemes or not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise _refused()
    try:
        parts.hostname.encode("idna")  # as a resolver does
    except UnicodeError:
        raise _refused() from None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(parts.scheme == "https", parts.hostname, port or _PORTS[parts.scheme], target)


async def resolve(endpoint: Endpoint, *, private: bool) -> str:
    """The address to connect to. Raises NotPublicError, OSError (there is no such name)."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    for _, _, _, _, address in found:
        if private or is_public(str(address[0])):
            return str(address[0])
    raise NotPublicError(endpoint.host)


def is_public(address: str) -> bool:
    """Whether it is an address of the public network, and not one that leads elsewhere."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner is None and found in _TRANSLATED:
            inner = IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            found = inner
        elif found.teredo is not None or found.is_site_local or any(found in prefix for prefix in _LOCAL):
            return False
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified)


def _refused() -> Invalid:
    return Invalid("endpoint is an https: address, as the browser gives it")
