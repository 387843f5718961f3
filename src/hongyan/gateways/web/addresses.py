"""Where a request comes from. Headers are believed from listed proxies only (CVE-2022-2366)."""

import ipaddress
from collections.abc import Sequence

from hongyan.gateways.web.headers import RawHeaders, all_of

UNKNOWN = "unknown"
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Proxies:
    """`listed` are addresses and networks, as in `http.trusted_proxies`. `peer` is the address at the other end of the socket."""

    def __init__(self, listed: Sequence[str]) -> None:
        self._networks = [ipaddress.ip_network(one, strict=False) for one in listed]

    def client(self, peer: str | None, headers: RawHeaders) -> str:
        """The client's address: the last one of X-Forwarded-For that is no listed proxy, when the peer is one."""
        at = _parse(peer or "")
        if at is None:
            return UNKNOWN
        if self._lists(at):
            hops = [hop for value in all_of(headers, b"x-forwarded-for") for hop in value.split(",")]
            for hop in reversed(hops):
                before = _parse(hop)
                if before is None:
                    break
                at = before
                if not self._lists(at):
                    break
        return str(at)

    def scheme(self, peer: str | None, scheme: str, headers: RawHeaders) -> str:
        """`http` or `https`, as the client used it: X-Forwarded-Proto when the peer is a listed proxy."""
        at = _parse(peer or "") if self._networks else None
        if at is not None and self._lists(at):
            told = all_of(headers, b"x-forwarded-proto")
            last = told[-1].rpartition(",")[2].strip().lower() if told else ""
            if last in ("http", "https", "ws", "wss"):
                return last
        return scheme

    def _lists(self, address: _Address) -> bool:
        return any(address in network for network in self._networks if network.version == address.version)


def _parse(text: str) -> _Address | None:
    text = text.strip()
    if text.startswith("["):  # [::1]:1234, as some proxies write it
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found
