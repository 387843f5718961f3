"""What is served without a token: this list, the files of `pages.py`, and nothing else. No pattern, no prefix (CVE-2023-32315).

A path is decoded once, by the HTTP parser, and then compared. Whatever could mean another path to somebody is no path here.
"""

OPEN = frozenset({"/v1/login", "/health", "/metrics"})

DESCRIPTION = "/openapi.json"
POLL = "/v1/events"
EVENT_STREAM = "/v1/events/sse"
WEBSOCKET = "/v1/events/ws"


def is_plain(path: str) -> bool:
    """Whether no part of the path is empty, a dot, two dots, or contains a backslash or control characters."""
    return (
        path.startswith("/")
        and not any(part in ("", ".", "..") for part in path[1:].split("/"))
        and "\\" not in path
        and path.isprintable()
    )
