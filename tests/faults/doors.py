"""The nodes as a client has them: addresses to which it can turn with the same token."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx
import msgspec

from hongyan.client.backoff import Backoff
from tests.e2e.sockets import Foreign, Lost, authorization, refusal
from tests.serving import PLAIN, Refused

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 3.0
"""Who is not answered by then asks another node. A node that stands still answers nothing for much longer."""
_PASSING = (401, 408, 429)


class Account(msgspec.Struct, frozen=True):
    """Somebody with a token that is good on every node."""

    id: str
    token: str


class Door:
    """One node."""

    def __init__(self, url: str) -> None:
        self.url = url
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)

        def client(seconds: float) -> httpx.AsyncClient:
            timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
            return httpx.AsyncClient(base_url=url, timeout=timeout, limits=limits, trust_env=False, verify=PLAIN)

        self._calls = client(ANSWER_SECONDS)
        self.feeds = client(70.0)
        """For event streams, whose reader has its own patience."""

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    async def call(
        self, account: Account | None, method: str, path: str, body: Any = None, *, seconds: float = ANSWER_SECONDS, **query: Any
    ) -> Any:
        """The decoded answer. Raises Refused, Lost when there is none within `seconds`, Foreign."""
        headers = authorization(account) if account is not None else {}
        timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
        try:
            answer = await self._calls.request(method, path, json=body, params=query, headers=headers, timeout=timeout)
        except httpx.TransportError as error:
            raise Lost(repr(error)) from error
        if answer.status_code >= 400:
            raise refusal(answer)
        return answer.json() if answer.content else None

    async def close(self) -> None:
        await self._calls.aclose()
        await self.feeds.aclose()


def another(doors: Sequence[Door], door: Door, dice: random.Random) -> Door:
    """Any but this one; this one when there is no other."""
    return dice.choice([one for one in doors if one is not door] or [door])


def passes(error: Lost | Foreign | Refused) -> bool:
    """Whether asking again can help. A node that has just come back, or is behind, may not know a token yet: 401."""
    return not isinstance(error, Refused) or error.status >= 500 or error.status in _PASSING


async def insist(call: Callable[[], Awaitable[Any]], *, dice: random.Random, clock: Callable[[], float], deadline: float) -> Any:
    """Ask until there is an answer. Raises what went wrong when asking again cannot help, or the deadline is over."""
    backoff = Backoff(0.05, 1.0, dice.random)
    while True:
        try:
            return await call()
        except (Lost, Foreign, Refused) as error:
            if not passes(error) or clock() >= deadline:
                raise
        await asyncio.sleep(backoff.next())
