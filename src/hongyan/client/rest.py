"""The REST calls that the SDK needs, typed. One HTTP connection pool for them and for the streams over HTTP."""

import ssl
import time
from collections.abc import Mapping
from typing import Any, TypeVar, overload
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from hongyan.client.errors import Closed, Unreachable, from_answer

_T = TypeVar("_T")


class Rest:
    """Calls of one server with one token. Raises Unreachable, or the typed error that the server answered.

    Without `tls` an https server must have a certificate that the system trusts. Raises ValueError for what is no http(s) URL.
    """

    def __init__(
        self, server: str, *, token: str | None = None, tls: ssl.SSLContext | None = None, timeout: float = 15.0
    ) -> None:
        self.server = server.rstrip("/")
        if not self.server.startswith(("http://", "https://")) or not _has_host(self.server):
            raise ValueError(f"{server} is no address of a server; it looks like http://127.0.0.1:8440")
        self.token = token
        self.tls = (tls or ssl.create_default_context()) if self.server.startswith("https:") else None
        """For the WebSocket as well, so that both trust the same certificates."""
        self.http = httpx.AsyncClient(timeout=timeout, verify=self.tls or True, limits=httpx.Limits(max_connections=50))
        self.delay: float | None = None
        """Seconds that the last call took."""

    def headers(self, token: str | None = None) -> dict[str, str]:
        """For one's own token, or another one; the empty token is none."""
        token = self.token if token is None else token
        return {"Authorization": f"Bearer {token}"} if token else {}

    @overload
    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        answer: type[_T],
        query: Mapping[str, Any] = ...,
        token: str | None = ...,
    ) -> _T: ...

    @overload
    async def call(
        self, method: str, path: str, body: Any = None, *, query: Mapping[str, Any] = ..., token: str | None = ...
    ) -> None: ...

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        answer: type[Any] | None = None,
        query: Mapping[str, Any] | None = None,
        token: str | None = None,
    ) -> Any:
        """Send one request. `query` leaves out what is None."""
        if self.http.is_closed:
            raise Closed("the client is closed")
        headers = self.headers(token)
        content = None
        if body is not None:
            content = msgspec.json.encode(body)
            headers["Content-Type"] = "application/json"
        params = {name: value for name, value in (query or {}).items() if value is not None}
        began = time.monotonic()
        try:
            got = await self.http.request(method, self.server + path, content=content, headers=headers, params=params)
        except httpx.RequestError as error:
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


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname and httpx.URL(url).host)
    except (ValueError, httpx.InvalidURL):
        return False
