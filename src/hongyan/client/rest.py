"""The REST calls that the SDK needs, typed. One HTTP connection pool for them and for the streams over HTTP."""

import time
from collections.abc import Mapping
from ssl import SSLContext
from typing import Any, TypeVar, overload
from urllib.parse import quote

import httpx
import msgspec

from hongyan.client.errors import Unreachable, from_answer

_T = TypeVar("_T")


class Rest:
    """Calls of one server with one token. Raises Unreachable, or the typed error that the server answered."""

    def __init__(self, server: str, *, token: str | None = None, verify: SSLContext | bool = True, timeout: float = 15.0) -> None:
        self.server = server.rstrip("/")
        self.token = token
        self.http = httpx.AsyncClient(timeout=timeout, verify=verify, limits=httpx.Limits(max_connections=50))
        self.delay: float | None = None
        """Seconds that the last call took."""

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    @overload
    async def call(self, method: str, path: str, body: Any = None, *, answer: type[_T], query: Mapping[str, Any] = ...) -> _T: ...

    @overload
    async def call(self, method: str, path: str, body: Any = None, *, query: Mapping[str, Any] = ...) -> None: ...

    async def call(
        self, method: str, path: str, body: Any = None, *, answer: type[Any] | None = None, query: Mapping[str, Any] | None = None
    ) -> Any:
        """Send one request. `query` leaves out what is None."""
        headers = self.headers()
        content = None
        if body is not None:
            content = msgspec.json.encode(body)
            headers["Content-Type"] = "application/json"
        params = {name: value for name, value in (query or {}).items() if value is not None}
        began = time.monotonic()
        try:
            got = await self.http.request(method, self.server + path, content=content, headers=headers, params=params)
        except httpx.TransportError as error:
            raise Unreachable(f"{self.server}: {str(error) or type(error).__name__}") from error
        self.delay = time.monotonic() - began
        if got.status_code >= 400:
            raise from_answer(got.status_code, got.content, got.headers.get("Retry-After"))
        if answer is None:
            return None
        try:
            return msgspec.json.decode(got.content, type=answer)
        except msgspec.MsgspecError as error:
            raise Unreachable(f"{self.server} did not answer as a Hongyan server does: {error}") from error

    async def close(self) -> None:
        await self.http.aclose()


def at(*parts: str) -> str:
    """A path below /v1, each part quoted."""
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)
