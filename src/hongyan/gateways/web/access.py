"""What is served without a token: this list, the files of `pages.py`, addresses of another gateway (`lodgings.py`), and files
under addresses that cannot be guessed (`files.py`, which takes a path of exactly three parts and looks the last two up); nothing
else. No other pattern, no other prefix (CVE-2023-32315). And what the tokens of embedded pages may call.

A path is decoded once, by the HTTP parser, and then compared. Whatever could mean another path to somebody is no path here.
"""

from hongyan.core.errors import Forbidden, NotFound

OPEN = frozenset({"/v1/login", "/health", "/metrics"})

DESCRIPTION = "/openapi.json"
POLL = "/v1/events"
EVENT_STREAM = "/v1/events/sse"
WEBSOCKET = "/v1/events/ws"
EMBED_SESSION = "/v1/embed/session"

_EMBEDDED = frozenset({("GET", "/v1/me"), ("POST", "/v1/logout"), ("POST", EMBED_SESSION)})
_EMBEDDED_STREAMS = frozenset({POLL, EVENT_STREAM, WEBSOCKET})
_EMBEDDED_PARTS = frozenset({("GET", ""), ("GET", "events"), ("GET", "members"), ("POST", "messages"), ("POST", "acts")})
_EMBEDDED_MESSAGE = frozenset({"", "thread"})


def embedded(method: str, path: str, only: str) -> None:
    """What the token of an embedded page may call: this, and nothing else. Raises Forbidden, NotFound for other conversations."""
    method = "GET" if method == "HEAD" else method
    if (method, path) in _EMBEDDED or (method == "GET" and path in _EMBEDDED_STREAMS):
        return
    version, subject, *rest = path[1:].split("/")
    if (version, subject) == ("v1", "conversations") and rest:
        if rest[0] != only:
            raise NotFound("There is no such conversation, or you are not in it")
        if len(rest) <= 2 and (method, "/".join(rest[1:])) in _EMBEDDED_PARTS:
            return
        if method == "GET" and rest[1:2] == ["messages"] and len(rest) in (3, 4) and "/".join(rest[3:]) in _EMBEDDED_MESSAGE:
            return
    if (method, version, subject) == ("GET", "v1", "users") and rest[1:] == ["avatar"]:
        return  # of members
    raise Forbidden("An embedded page may read its conversation, write into it and react; nothing else")


def is_plain(path: str) -> bool:
    """Whether no part of the path is empty, a dot, two dots, or contains a backslash or control characters."""
    return (
        path.startswith("/")
        and not any(part in ("", ".", "..") for part in path[1:].split("/"))
        and "\\" not in path
        and path.isprintable()
    )
