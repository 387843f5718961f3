"""PBKDF2 beside the event loop: hashlib releases the GIL, so that a few threads derive while the loop goes on."""

import asyncio
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from hongyan.core.errors import Overloaded
from hongyan.features.identity import scram
from hongyan.features.identity.scram import Verifier


class Deriving:
    """At most `most` passwords are asked for at once; who comes then is told to come back."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._asked = 0
        # One core stays with the loop: a flood of log-ins must not delay messages.
        self._threads = ThreadPoolExecutor(max(1, min(4, (os.cpu_count() or 1) - 1)), thread_name_prefix="hongyan-password")

    async def derive(self, password: str, salt: bytes, iterations: int) -> Verifier:
        """See `scram.derive`. Raises Overloaded."""
        if self._asked >= self._most:
            raise Overloaded("Too many people are logging in at once; try again in a moment", retry_after=2)
        self._asked += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, scram.derive, password, salt, iterations)
        finally:
            self._asked -= 1

    def close(self) -> None:
        """What runs is finished, nothing new begins."""
        self._most = 0
        self._threads.shutdown(wait=False)


async def derive_all(passwords: Iterable[tuple[str, bytes]], iterations: int) -> list[Verifier]:
    """Verifiers of many passwords with their salts, on all cores. For imports: it leaves nothing to a server beside it."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="hongyan-import") as threads:
        work = [loop.run_in_executor(threads, scram.derive, password, salt, iterations) for password, salt in passwords]
        return list(await asyncio.gather(*work))
