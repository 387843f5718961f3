"""PBKDF2 beside the event loop: hashlib releases the GIL, so that a few threads derive while the loop goes on."""

import asyncio
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from hongyan.core.errors import Overloaded
from hongyan.features.identity import scram
from hongyan.features.identity.scram import Hash, Verifier

_WRONG_A_SECOND = 80
"""As many passwords as four threads derive."""


class Deriving:
    """At most `most` passwords are asked for at once; who comes then is told to come back."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._asked = 0
        # One core stays with the loop: a flood of log-ins must not delay messages.
        self._threads = ThreadPoolExecutor(max(1, min(4, (os.cpu_count() or 1) - 1)), thread_name_prefix="hongyan-password")

    async def derive(self, password: str, salt: bytes, iterations: int, hash: Hash = "sha256") -> Verifier:
        """See `scram.derive`. Raises Overloaded."""
        self.require_room()
        self._asked += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, scram.derive, password, salt, iterations, hash)
        finally:
            self._asked -= 1

    def require_room(self) -> None:
        """Raises Overloaded."""
        if self._asked >= self._most:
            raise Overloaded("Too many people are logging in at once; try again in a moment", retry_after=2)

    def proof_was_wrong(self) -> None:
        """It costs this server nothing to see that, so it takes up a place as if it did: guesses by SCRAM are not faster than
        others, even when their makers do not wait for the answer.
        """
        self._asked += 1
        asyncio.get_running_loop().call_later(self._most / _WRONG_A_SECOND, self._leave)

    def _leave(self) -> None:
        self._asked -= 1

    def close(self) -> None:
        """What runs is finished, nothing new begins."""
        self._most = 0
        self._threads.shutdown(wait=False)


async def derive_all(passwords: Iterable[tuple[str, bytes]], iterations: int, hash: Hash = "sha256") -> list[Verifier]:
    """Verifiers of many passwords with their salts, on all cores. For imports: it leaves nothing to a server beside it."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="hongyan-import") as threads:
        work = [loop.run_in_executor(threads, scram.derive, password, salt, iterations, hash) for password, salt in passwords]
        return list(await asyncio.gather(*work))
