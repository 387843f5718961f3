"""`/files/ID/NAME`: a file is put there once, as its owner announced it, and had by everybody who knows the address.

Browsers save it and run nothing of it. Whoever sends it is given as long as something comes; see `port/http.py`.
"""

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import FileResponse

from hongyan.core.errors import Invalid, MethodNotAllowed, NotFound, Overloaded
from hongyan.features.files import Files, served_type
from hongyan.gateways.web.asgi import Receive, Scope, Send, answer, disconnected
from hongyan.gateways.web.bodies import Disconnected
from hongyan.gateways.web.headers import RawHeaders, first_of
from hongyan.gateways.web.watching import while_there

FILES = "/files/"
_METHODS = b"GET, HEAD, PUT, OPTIONS"
_HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
}


class FilePort:
    """`seconds` is the time that one file may take to come."""

    def __init__(self, files: Files, *, seconds: float) -> None:
        self._files = files
        self._seconds = seconds

    async def serve(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises what `Files` does, MethodNotAllowed and Disconnected."""
        parts = path.removeprefix(FILES).split("/")
        if len(parts) != 2:
            raise NotFound("There is nothing at this address")
        id, name = parts
        method = scope["method"]
        if method == "OPTIONS":
            await answer(send, 204, [(b"allow", _METHODS)])
        elif method == "PUT":
            await self._take(id, name, scope["headers"], receive)
            await answer(send, 201, [(b"content-length", b"0")])
        elif method in ("GET", "HEAD"):
            await self._give(id, name, scope, receive, send)
        else:
            raise MethodNotAllowed("A file is put here once, and had with GET")

    async def _take(self, id: str, name: str, headers: RawHeaders, receive: Receive) -> None:
        announced = first_of(headers, b"content-length")
        if announced is not None and not (announced.isascii() and announced.isdecimal() and len(announced) < 20):
            raise Invalid("Content-Length is a number")
        length = int(announced) if announced is not None else None
        try:
            async with asyncio.timeout(self._seconds):
                await self._files.receive(id, name, length, _parts(receive))
        except TimeoutError:
            raise Overloaded(f"A file may take {self._seconds:g} seconds to come") from None

    async def _give(self, id: str, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        file, path = await self._files.find(id, name)
        response = FileResponse(path, filename=file.name, media_type=served_type(file.media_type), headers=_HEADERS)
        await while_there(response(scope, receive, send), disconnected(receive))


async def _parts(receive: Receive) -> AsyncIterator[bytes]:
    """Of a body. Raises Disconnected."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return
