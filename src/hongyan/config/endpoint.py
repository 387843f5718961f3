"""HOST:PORT, as people write it: `127.0.0.1:8440`, `[::1]:8440`, `:8440` for every address of the machine."""

import ipaddress
import re

import msgspec

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*", re.ASCII)
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)


class Endpoint(msgspec.Struct, frozen=True):
    """Where to listen. Port 0 lets the system choose a free one; an empty host is every address."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def everywhere(self) -> bool:
        """Every address of the machine: none that somebody could be sent to."""
        return self.host in ("", "0.0.0.0", "::")  # noqa: S104

    @property
    def local(self) -> bool:
        """Only programs on this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def is_host(text: str) -> bool:
    """Whether this has the form of a host's or domain's name (RFC 1123)."""
    return _HOST.fullmatch(text) is not None


def parse_endpoint(text: str) -> Endpoint:
    """Raises ValueError with a sentence for people."""
    host, colon, port = text.rpartition(":")
    if not colon or not _PORT.fullmatch(port) or int(port) > 65_535:
        raise ValueError(f"expected HOST:PORT with a port from 0 to 65535, such as 127.0.0.1:8440 or [::1]:8440, not {text!r}")
    if host.startswith("[") and host.endswith("]"):
        try:
            return Endpoint(str(ipaddress.IPv6Address(host[1:-1])), int(port))
        except ValueError:
            raise ValueError(f"{host!r} is not an IPv6 address in brackets") from None
    if ":" in host:
        raise ValueError(f"an IPv6 address stands in brackets, such as [{host}]:{port}")
    if host and not is_host(host):
        raise ValueError(f"{host!r} is neither an address nor the name of a host")
    return Endpoint(host, int(port))
