"""The other ends of connections: where they are, and that one's fault is not the others'."""

import asyncio
import ipaddress
import logging
from collections.abc import Callable

log = logging.getLogger("hongyan.door")


def safely(call: Callable[[], None]) -> None:
    """One connection's fault is not the others'."""
    try:
        call()
    except Exception:
        log.exception("a connection failed")


def address_of(transport: asyncio.BaseTransport) -> str:
    """Where the other end is: an address without a port; of an IPv4 address in IPv6's form the former."""
    peer = transport.get_extra_info("peername")
    host = str(peer[0]).partition("%")[0] if peer else "unknown"
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def site(address: str) -> str:
    """What rates count by: an IPv4 address, or the /64 of an IPv6 one, since who has one address there has all of it."""
    if ":" in address:
        return str(ipaddress.IPv6Network((address, 64), strict=False))
    return address
