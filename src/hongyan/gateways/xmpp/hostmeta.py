"""Where the streams over HTTP are (XEP-0156), for clients that know the domain alone."""

import re
from collections.abc import Mapping

import msgspec

from hongyan.gateways.xmpp.codec import quote

XML = "/.well-known/host-meta"
JSON = "/.well-known/host-meta.json"

_HOST = re.compile(r"[A-Za-z0-9._-]{1,255}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


def links(host: str, otherwise: str, *, secure: bool, websocket: str, bosh: str | None) -> dict[str, str]:
    """By relation. `host` is what the client called this server; what is no host is not repeated."""
    at = host if _HOST.fullmatch(host) else otherwise
    found = {"urn:xmpp:alt-connections:websocket": f"{'wss' if secure else 'ws'}://{at}{websocket}"}
    if bosh is not None:
        found["urn:xmpp:alt-connections:xbosh"] = f"{'https' if secure else 'http'}://{at}{bosh}"
    return found


def document(path: str, found: Mapping[str, str]) -> tuple[bytes, bytes]:
    """Its type, and itself."""
    if path == JSON:
        return b"application/json", msgspec.json.encode({"links": [{"rel": rel, "href": href} for rel, href in found.items()]})
    inside = "".join(f"<Link rel='{quote(rel)}' href='{quote(href)}'/>" for rel, href in found.items())
    said = f"<?xml version='1.0' encoding='utf-8'?><XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>{inside}</XRD>"
    return b"application/xrd+xml", said.encode()
