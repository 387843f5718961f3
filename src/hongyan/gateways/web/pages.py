"""The files that browsers load without a token: the web client, the description and its page.

They are read once, compressed when somebody first asks, and served from memory, so they cost no rate: many people behind one
address may open the page at once.
"""

import asyncio
import gzip
import logging
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

from hongyan.gateways.web.asgi import Headers
from hongyan.gateways.web.headers import matches

log = logging.getLogger("hongyan.web")

CLIENT = files("hongyan.gateways.web").joinpath("client")
"""What `scripts/web` builds from `web/`."""

_TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".png": b"image/png",
    ".webp": b"image/webp",
    ".json": b"application/json",
    ".webmanifest": b"application/manifest+json",
    ".woff2": b"font/woff2",
    ".mp3": b"audio/mpeg",
    ".ogg": b"audio/ogg",
}
_PACKED = frozenset({".png", ".webp", ".woff2", ".mp3", ".ogg"})
"""They do not get smaller."""
_WORTH_IT = 1_000
"""Bytes from which on a file is compressed."""
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; "
    b"font-src 'self'; media-src 'self' blob:; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    b"frame-ancestors "
)
_NOBODY = b"'none'"
_FOR_A_YEAR = b"public, max-age=31536000, immutable"
_WORKER = "/sw.js"
EMBED = "/embed"
_MISSING = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>鸿雁 Hongyan</title></head><body>
<h1>网页客户端尚未构建</h1><p>请在源码目录运行 <code>make setup</code>，然后重新启动服务器。</p>
<p lang="en">The web client has not been built. Run <code>make setup</code> in the source folder, then start the server again.</p>
</body></html>
"""


class Page(msgspec.Struct):
    """`tag` is that of the plain body; the compressed one has its own (RFC 9110, 8.8.3)."""

    body: bytes
    headers: Headers
    tag: str
    packs: bool = False
    """It goes compressed with gzip to who takes that."""
    packed: "asyncio.Future[bytes] | None" = None
    """Since somebody has asked for it: to compress all takes a quarter of the time that a server takes to start."""
    status: int = 200
    framed: bool = False
    """Pages of other sites may show it in a frame: those of its policy."""

    def known_by(self, if_none_match: str | None) -> bool:
        """Whether the browser has this already, in either form."""
        return matches(if_none_match, self.tag, _packed_tag(self.tag))

    def headed(self, accept_encoding: str | None) -> Headers:
        """Headers for who takes these encodings."""
        if not self.packs:
            return [*self.headers, (b"etag", self.tag.encode())]
        if not _takes_gzip(accept_encoding):
            return [*self.headers, (b"vary", b"Accept-Encoding"), (b"etag", self.tag.encode())]
        named = [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding"), (b"etag", _packed_tag(self.tag).encode())]
        return [*self.headers, *named]

    async def given(self, accept_encoding: str | None) -> bytes:
        """The body for them. It is compressed once, however many ask meanwhile."""
        if not self.packs or not _takes_gzip(accept_encoding):
            return self.body
        if self.packed is None:
            self.packed = asyncio.ensure_future(asyncio.to_thread(gzip.compress, self.body, 9, mtime=0))
        return await asyncio.shield(self.packed)


def load_pages(client: Traversable = CLIENT, embed_origins: Sequence[str] = ()) -> dict[str, Page]:
    """By path: exactly what may be asked for. Where the web client is not built, `/` says so. Only pages of `embed_origins` may
    show `/embed` in a frame, and nothing else in any.
    """
    here = files("hongyan.gateways.web")
    found: dict[str, Page] = {}
    for file in here.joinpath("docs").iterdir():
        suffix = _suffix(file)
        if suffix in _TYPES:
            found["/docs" if file.name == "docs.html" else f"/docs/{file.name}"] = _page(file.read_bytes(), suffix)
    found.update(_client(client, " ".join(embed_origins).encode("ascii") or _NOBODY))
    return found


def json_page(body: bytes) -> Page:
    return _page(body, ".json")


def _client(folder: Traversable, framing: bytes) -> dict[str, Page]:
    index = folder.joinpath("index.html")
    if not index.is_file():
        log.warning("the web client is not built: run `make setup` in the source folder and start the server again")
        return {"/": _page(_MISSING.encode(), ".html", status=503)}
    embedded = folder.joinpath("embed.html")
    found = {EMBED: _page((embedded if embedded.is_file() else index).read_bytes(), ".html", framing=framing)}
    for file in folder.iterdir():
        suffix = _suffix(file)
        if file.is_file() and suffix in _TYPES:
            path = f"/{file.name}"
            extra = [(b"service-worker-allowed", b"/")] if path == _WORKER else []
            found["/" if file.name == "index.html" else path] = _page(file.read_bytes(), suffix, extra=extra)
    assets = folder.joinpath("assets")
    for file in assets.iterdir() if assets.is_dir() else ():
        suffix = _suffix(file)
        if suffix in _TYPES:
            found[f"/assets/{file.name}"] = _page(file.read_bytes(), suffix, cache=_FOR_A_YEAR)
    return found


def _suffix(file: Traversable) -> str:
    return "." + file.name.rpartition(".")[2]


def _page(
    body: bytes,
    suffix: str,
    *,
    cache: bytes = b"no-cache",
    extra: Sequence[tuple[bytes, bytes]] = (),
    status: int = 200,
    framing: bytes = _NOBODY,
) -> Page:
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = [
        (b"content-type", _TYPES[suffix]),
        (b"cache-control", cache),
        (b"content-security-policy", _POLICY + framing),
        *([(b"cross-origin-opener-policy", b"same-origin")] if framing == _NOBODY else []),
        *extra,
    ]
    packs = len(body) >= _WORTH_IT and suffix not in _PACKED
    return Page(body, headers, tag, packs, status=status, framed=framing != _NOBODY)


def _packed_tag(tag: str) -> str:
    return tag[:-1] + '-gzip"'


def _takes_gzip(accept_encoding: str | None) -> bool:
    """RFC 9110, 12.5.3, as far as it matters here: gzip is named, and not refused with q=0."""
    for one in (accept_encoding or "").lower().split(","):
        name, _, rest = one.partition(";")
        if name.strip() in ("gzip", "*"):
            quality = rest.replace(" ", "")
            return not (quality.startswith("q=0") and not quality.strip("q=0."))
    return False
