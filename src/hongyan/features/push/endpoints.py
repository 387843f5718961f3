"""Addresses of push services, which anybody may tell. Nothing is ever redirected."""

from urllib.parse import urlsplit

import msgspec

from hongyan.core.errors import Invalid

_PORTS = {"https": 443, "http": 80}


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


def _refused() -> Invalid:
    return Invalid("endpoint is an https: address, as the browser gives it")
