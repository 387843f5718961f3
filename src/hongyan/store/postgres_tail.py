"""What the follower of the log reads on PostgreSQL, on a connection of its own."""

import asyncio
from typing import Any

import asyncpg

from hongyan.core.errors import StoreUnavailable
from hongyan.core.model import Event
from hongyan.store.postgres_connection import Connect, away, is_away

_SECONDS = 3.0
_AFTER = """
SELECT position, lane, seq, type, sender, time, client_id, content FROM events WHERE position > $1 ORDER BY position LIMIT $2"""


class Tail:
    """For one caller at a time. A connection that has failed is replaced by the next call."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._connection: asyncpg.Connection[Any] | None = None

    async def after(self, position: int, limit: int) -> list[Event]:
        """The oldest `limit` events above `position`. Raises StoreUnavailable."""
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._connect()
            async with asyncio.timeout(_SECONDS):
                return [Event(*row) for row in await self._connection.fetch(_AFTER, position, limit)]
        except BaseException as error:
            self.stop()
            if is_away(error):
                raise StoreUnavailable(away(error)) from error
            raise

    def stop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
