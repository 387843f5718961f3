"""What every answer carries: headers that keep browsers safe, and CORS for the listed origins."""

import asyncio

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

PIECE = 65_536
_PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (b"access-control-allow-headers", b"Authorization, Content-Type, Last-Event-ID, Cache-Control"),
    (b"access-control-max-age", b"600"),
]
_EXPOSED = (b"access-control-expose-headers", b"Retry-After, ETag")


class Stuck(Exception):
    """The client takes nothing of what is sent to it."""


class Answering:
    """A `send` for one request. It adds headers to the start of the answer, leaves out the body for HEAD, and gives large bodies
    piece by piece, so that a client that does not read is noticed. Raises Stuck after `drain_seconds` without getting forward.
    """

    __slots__ = ("_drain_seconds", "_head", "_headers", "_send", "begun", "status", "stuck")

    def __init__(self, send: Send, *, secure: bool, vary: bool, head: bool, drain_seconds: float) -> None:
        self._send = send
        self._head = head
        self._drain_seconds = drain_seconds
        self._headers = [*_ALWAYS]
        if secure:
            self._headers.append(_HSTS)
        if vary:
            self._headers.append((b"vary", b"Origin"))
        self.begun = False
        self.stuck = False
        self.status = 0

    def allow(self, origin: str, *, preflight: bool) -> None:
        """Let the page of this foreign origin read the answer. Never `*`, never with cookies."""
        self._headers.append((b"access-control-allow-origin", origin.encode("latin-1")))
        self._headers.extend(_PREFLIGHT if preflight else [_EXPOSED])

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            self.status = message["status"]
            given: Headers = list(message.get("headers", ()))
            names = {name.lower() for name, _ in given}
            added = [header for header in (*self._headers, *_API) if header[0] == b"vary" or header[0] not in names]
            await self._give({**message, "headers": given + added})
            return
        body: bytes = b"" if self._head else message.get("body", b"")
        more: bool = message.get("more_body", False)
        last = max(0, len(body) - 1) // PIECE * PIECE
        for at in range(0, last, PIECE):
            await self._give({"type": "http.response.body", "body": body[at : at + PIECE], "more_body": True})
        await self._give({"type": "http.response.body", "body": body[last:] if last else body, "more_body": more})

    async def _give(self, message: Message) -> None:
        """The server's own `send` waits while its buffer is full."""
        if self.stuck:
            raise Stuck
        try:
            async with asyncio.timeout(self._drain_seconds):
                await self._send(message)
        except TimeoutError:
            self.stuck = True
            raise Stuck from None
