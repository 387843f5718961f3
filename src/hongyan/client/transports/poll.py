"""Short and long polling: GET /v1/events, once more each time."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
import msgspec

from hongyan.client.errors import TransportBroken, Unreachable, from_answer
from hongyan.client.model import Batch, TransportName
from hongyan.client.rest import Rest
from hongyan.client.servers import Address

_LIMIT = 500


class Polling:
    """Long polling when `wait` is given (seconds that the server may hold a request), else a request every `pause` seconds."""

    def __init__(self, rest: Rest, *, wait: int = 0, pause: float = 2.0) -> None:
        self._rest = rest
        self._wait = wait
        self._pause = pause

    @property
    def name(self) -> TransportName:
        return "longpoll" if self._wait else "poll"

    async def stream(self, cursor: str) -> AsyncGenerator[Batch, None]:
        heard = False
        server = self._rest.server
        while True:
            batch = await self._ask(server, cursor, self._wait if heard else 0)  # the first answer shows that it works
            if not heard:
                heard = True
                yield Batch(opened=True)
            yield batch
            cursor = batch.cursor or cursor
            if not self._wait and not batch.more:
                await asyncio.sleep(self._pause)

    async def _ask(self, server: Address, cursor: str, wait: int) -> Batch:
        params: dict[str, str | int] = {"after": cursor, "limit": _LIMIT}
        if wait:
            params["wait"] = wait
        timeout = httpx.Timeout(15.0, read=15.0 + wait)
        try:
            answer = await self._rest.http.get(
                server.url + "/v1/events",
                params=params,
                headers=self._rest.headers() | server.headers,
                timeout=timeout,
                extensions=server.extensions,
            )
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unreachable(str(error)) from error
        except httpx.RequestError as error:
            raise TransportBroken(str(error) or type(error).__name__) from error
        if answer.status_code != 200:
            raise from_answer(answer.status_code, answer.content, answer.headers.get("Retry-After"))
        try:
            return msgspec.json.decode(answer.content, type=Batch)
        except msgspec.MsgspecError as error:
            raise TransportBroken(str(error)) from error
