"""The files that browsers load without a token: the demonstration page, the page of the description, the description itself.

They are made once and served from memory, so they cost no rate: many people behind one address may open the page at once.
"""

from hashlib import sha256
from importlib.resources import files

import msgspec

from hongyan.gateways.web.asgi import Headers

_TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".png": b"image/png",
    ".json": b"application/json",
    ".webmanifest": b"application/manifest+json",
    ".woff2": b"font/woff2",
}
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; "
    b"font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Page(msgspec.Struct, frozen=True):
    body: bytes
    headers: Headers
    tag: str

    def known_by(self, if_none_match: str | None) -> bool:
        """Whether the browser has this already (RFC 9110, 13.1.2)."""
        if if_none_match is None:
            return False
        return if_none_match.strip() == "*" or self.tag in [one.strip().removeprefix("W/") for one in if_none_match.split(",")]


def load_pages() -> dict[str, Page]:
    """By path: exactly what may be asked for."""
    here = files("hongyan.gateways.web")
    found: dict[str, Page] = {}
    for folder, name in (("static", "demo"), ("docs", "docs")):
        for file in here.joinpath(folder).iterdir():
            suffix = "." + file.name.rpartition(".")[2]
            if suffix in _TYPES:
                path = f"/{name}" if file.name == f"{name}.html" else f"/{name}/{file.name}"
                found[path] = _page(file.read_bytes(), suffix)
    return found


def json_page(body: bytes) -> Page:
    return _page(body, ".json")


def _page(body: bytes, suffix: str) -> Page:
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = [
        (b"content-type", _TYPES[suffix]),
        (b"etag", tag.encode()),
        (b"cache-control", b"no-cache"),
        (b"content-security-policy", _POLICY),
        (b"cross-origin-opener-policy", b"same-origin"),
    ]
    return Page(body, headers, tag)
