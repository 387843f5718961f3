"""From where somebody comes, as far as it can be held against them."""

from ipaddress import IPv6Address, ip_address


def network(address: str) -> str:
    """An IPv4 address, also one written in IPv6; of IPv6 the /64, since whoever has one address there has all of it."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return f"{IPv6Address(int(ip) >> 64 << 64)}/64"
    return str(ip)
