"""Hosts that a stranger has named: this server must not be made to call its own network.

A name is resolved once, every address that is not one of the public network is left out, and the connection goes to an address
that was looked at (CVE-2023-32683, CVE-2026-2455).
"""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from hongyan.finding.srv import addresses

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

_TRANSLATED = IPv6Network("64:ff9b::/96")
"""Behind it stands an IPv4 address of the public network (RFC 6052)."""
_LOCAL = (IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
"""Translation within a network (RFC 8215), and IPv4-compatible addresses, which are deprecated (RFC 4291, 2.5.5.1)."""


class NotPublicError(Exception):
    """The name has no address that may be called."""


async def public_address(host: str, *, private: bool, resolver: "Resolver | None" = None) -> str:
    """The address to connect to, as the system has it or a resolver; with `private` also one of a network of its own. Raises
    NotPublicError, OSError and CannotFind (there is no such name).
    """
    for found in await (_of_system(host) if resolver is None else addresses(host, resolver)):
        if private or is_public(found):
            return found
    raise NotPublicError(f"{host} has no address of the public network")


async def _of_system(host: str) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for _, _, _, _, address in found]


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
