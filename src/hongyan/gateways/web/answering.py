"""What every answer carries: headers that keep browsers safe, and CORS for the listed origins."""

from hongyan.gateways.web.asgi import Headers, Message, Send

_ALWAYS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_API: Headers = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
]
_HSTS = (b"strict-transport-security", b"max-age=31536000")

_PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (b"access-control-allow-headers", b"Authorization, Content-Type, Last-Event-ID, Cache-Control"),
    (b"access-control-max-age", b"600"),
]
_PREFLIGHT_OF_FILES: Headers = [
    (b"access-control-allow-methods", b"GET, HEAD, PUT"),
    (b"access-control-allow-headers", b"Content-Type, Range"),
    (b"access-control-max-age", b"86400"),
]
_OF_FILES = b"Content-Range, Content-Disposition, ETag, Retry-After"
_EXPOSED = (b"access-control-expose-headers", b"Retry-After, ETag")


class Answering:
    """A `send` for one request. It adds headers to the start of the answer, and leaves out the body for HEAD."""

    __slots__ = ("_head", "_headers", "_send", "begun", "status")

    def __init__(self, send: Send, *, secure: bool, vary: bool, head: bool) -> None:
        self._send = send
        self._head = head
        self._headers = [*_ALWAYS]
        if secure:
            self._headers.append(_HSTS)
        if vary:
            self._headers.append((b"vary", b"Origin"))
        self.begun = False
        self.status = 0

    def allow(self, origin: str, *, preflight: bool) -> None:
        """Let the page of this foreign origin read the answer. Never `*`, never with cookies."""
        self._headers.append((b"access-control-allow-origin", origin.encode("latin-1")))
        self._headers.extend(_PREFLIGHT if preflight else [_EXPOSED])

    def open(self, *, preflight: bool) -> None:
        """Let pages of every origin use the answer: of addresses that nobody can guess, where cookies and tokens mean nothing."""
        self._headers = [header for header in self._headers if header[0] != b"cross-origin-resource-policy"]
        self._headers.append((b"cross-origin-resource-policy", b"cross-origin"))
        self._headers.append((b"access-control-allow-origin", b"*"))
        self._headers.extend(_PREFLIGHT_OF_FILES if preflight else [(b"access-control-expose-headers", _OF_FILES)])

    def framed(self) -> None:
        """The page's own policy says who may show it in a frame; this header could name nobody or everybody."""
        self._headers = [header for header in self._headers if header[0] != b"x-frame-options"]

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            self.status = message["status"]
            given: Headers = list(message.get("headers", ()))
            names = {name.lower() for name, _ in given}
            added = [header for header in (*self._headers, *_API) if header[0] == b"vary" or header[0] not in names]
            message = {**message, "headers": given + added}
        elif self._head:
            message = {**message, "body": b""}
        await self._send(message)
