"""Which pages may use this server from a browser: its own, and those of the listed origins.

Browsers send Origin with every request that another site's page makes and that it could read or that could change something;
programs that are no browsers send none. A wrong one is refused on every endpoint and transport (CVE-2023-3581).
"""

from hongyan.config import Settings
from hongyan.core.errors import OriginRefused
from hongyan.gateways.web.headers import RawHeaders, all_of

_HTTP = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_PORTS = {"http": ":80", "https": ":443"}


class OriginRule:
    """`scheme` is the one the client used: see `Proxies.scheme`."""

    def __init__(self, settings: Settings) -> None:
        self._listed = frozenset(_normal(origin) for origin in settings.http.origins)

    def check(self, origin: str | None, host: str | None, scheme: str) -> str | None:
        """Raises OriginRefused. Gives the origin when it is a listed foreign one, to which answers must be opened (CORS)."""
        if origin is None:
            return None
        wanted = _normal(origin)
        if host and wanted == _normal(f"{_HTTP.get(scheme, scheme)}://{host}"):
            return None
        if wanted in self._listed:
            return origin
        raise OriginRefused(
            f"Pages of {origin[:200]} may not use this server: its own pages may, and those of the origins in http.origins; "
            "behind a proxy that ends TLS, list the proxy in http.trusted_proxies"
        )

    def check_headers(self, headers: RawHeaders, scheme: str) -> str | None:
        """The same for a request."""
        headers = list(headers)
        origins, hosts = all_of(headers, b"origin"), all_of(headers, b"host")
        if len(origins) > 1:
            raise OriginRefused("A request has one Origin")
        return self.check(origins[0] if origins else None, hosts[0] if len(hosts) == 1 else None, scheme)


def _normal(origin: str) -> str:
    """Without what means nothing: capitals, and the scheme's own port."""
    origin = origin.lower()
    scheme, separator, _ = origin.partition("://")
    return origin.removesuffix(_PORTS[scheme]) if separator and scheme in _PORTS else origin
