"""One place: a host and a port."""

import msgspec


class Target(msgspec.Struct, frozen=True):
    """The host is a name or an address, an IPv6 address without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
