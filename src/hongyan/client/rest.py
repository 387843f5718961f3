"""The REST calls that the SDK needs, typed. One HTTP connection pool for them and for the streams over HTTP."""

import ssl
import time
from collections.abc import Mapping
from typing import Any, TypeVar, overload
from urllib.parse import quote

import httpx
import msgspec

from hongyan.client.errors import ClientError, Closed, Unconnected, Unreachable, from_answer, is_elsewhere, is_undone, wait_of
from hongyan.client.servers import Address, Servers
from hongyan.core.errors import HongyanError

_T = TypeVar("_T")
_REPEATABLE = ("GET", "PUT")
"""Methods of which a second request does nothing that the first has not done."""


class Rest:
    """Calls with one token, of the server that is in use. Raises Unreachable, or the typed error that the server answered.

    A server that cannot be reached, or has too much to do, is left for the next one, and the same call is made there; not when
    the first may have done it already and doing it twice would be another thing. What is raised is what the last one said.

    Without `tls` an https server must have a certificate that the system trusts.
    """

    def __init__(
        self, servers: Servers, *, token: str | None = None, tls: ssl.SSLContext | None = None, timeout: float = 15.0
    ) -> None:
        self.servers = servers
        self.token = token
        self.tls = (tls or ssl.create_default_context()) if servers.secure else None
        """For the WebSocket as well, so that both trust the same certificates."""
        trusts = self.tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # nobody: to read the system's certificates takes 30 ms
        self.http = httpx.AsyncClient(
            timeout=timeout, verify=trusts, limits=httpx.Limits(max_connections=50), trust_env=not servers.direct
        )
        self.delay: float | None = None
        """Seconds that the last call took."""

    @property
    def server(self) -> Address:
        """The server in use."""
        return self.servers.current

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
        repeatable: bool = ...,
    ) -> _T: ...

    @overload
    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] = ...,
        token: str | None = ...,
        repeatable: bool = ...,
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
        repeatable: bool = False,
    ) -> Any:
        """Send one request. `query` leaves out what is None. `repeatable`: doing it twice is doing it once."""
        if self.http.is_closed:
            raise Closed("the client is closed")
        headers = self.headers(token)
        content = None
        if body is not None:
            content = msgspec.json.encode(body)
            headers["Content-Type"] = "application/json"
        params = {name: value for name, value in (query or {}).items() if value is not None}
        tried: set[Address] = set()
        while True:
            await self.servers.find()
            server = self.servers.current
            request = self.http.build_request(
                method,
                server.url + path,
                content=content,
                headers=headers | server.headers,
                params=params,
                extensions=server.extensions,
            )
            try:
                return await self._ask(server, request, answer)
            except (ClientError, HongyanError) as error:
                if not is_elsewhere(error) or not self.servers.leave(server, tried, wait_of(error)):
                    raise
                if not (repeatable or method in _REPEATABLE or is_undone(error)):
                    raise

    async def _ask(self, server: Address, request: httpx.Request, answer: type[Any] | None) -> Any:
        began = time.monotonic()
        try:
            got = await self.http.send(request)
        except httpx.RequestError as error:
            kind = Unconnected if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)) else Unreachable
            raise kind(f"{server.url}: {str(error) or type(error).__name__}") from error
        self.delay = time.monotonic() - began
        if got.status_code >= 400:
            raise from_answer(got.status_code, got.content, got.headers.get("Retry-After"))
        if answer is None:
            return None
        try:
            return msgspec.json.decode(got.content, type=answer)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise Unreachable(f"{server.url} did not answer as a Hongyan server does: {error}") from error

    async def close(self) -> None:
        await self.http.aclose()


def at(*parts: str) -> str:
    """A path below /v1, each part quoted."""
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)
