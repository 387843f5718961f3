"""How far each connection of this node has come, stored together: at most once a second, and at once when some have ended.

So a node that is killed has given its people at most a second of messages that are given again, and never one that is lost.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from hongyan.core.cursor import parse_cursor
from hongyan.features.cim import rows
from hongyan.features.cim.model import Admitted, Confirmed, Connected
from hongyan.features.cim.rows import Progress
from hongyan.store import Store

log = logging.getLogger("hongyan.cim")

_SECONDS = 1.0
_AT_ONCE = 500
_STOP_SECONDS = 1.0


class Keeping:
    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._moved: dict[Connected, Confirmed | None] = {}
        """With what was stored last."""
        self._ended: list[Progress] = []
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._storing = asyncio.Lock()
        self._failing = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="hongyan cim positions")

    async def stop(self) -> None:
        """When what has ended is stored, or that takes too long."""
        if self._task is None:
            return
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await self._store_all(moved=True)

    def moved(self, connection: Connected) -> None:
        """Something was written to it."""
        self._moved.setdefault(connection, None)

    def ended(self, connection: Connected) -> None:
        """Its log-in stands no more."""
        self._moved.pop(connection, None)
        self._ended.append(_progress(connection, connection.confirmed(), ends=True))
        self._hurry.set()

    def abandoned(self, admitted: Admitted) -> None:
        """A log-in was recorded that came to nothing."""
        position = parse_cursor(admitted.cursor).position
        self._ended.append(Progress(admitted.number, admitted.caller.user, admitted.session, position, (), True))
        self._hurry.set()

    async def _run(self) -> None:
        due = self._clock() + _SECONDS
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, due - self._clock())):
                    await self._hurry.wait()
            self._hurry.clear()
            moved = self._clock() >= due
            if moved:
                due = self._clock() + _SECONDS
            try:
                await self._store_all(moved=moved)
            except Exception as error:
                if not self._failing:
                    log.warning("positions of CIM connections cannot be stored: %s", error)
                self._failing = True
                await asyncio.sleep(_SECONDS)
                self._hurry.set()
            else:
                self._failing = False

    async def _store_all(self, *, moved: bool) -> None:
        async with self._storing:
            while self._ended:
                some = self._ended[:_AT_ONCE]
                await self._keep(some)
                del self._ended[: len(some)]
            if moved:
                await self._store_moved()

    async def _store_moved(self) -> None:
        fresh: dict[Connected, Confirmed] = {}
        for connection, before in list(self._moved.items()):
            confirmed = connection.confirmed()
            if confirmed != before:
                fresh[connection] = confirmed
            elif confirmed.whole:
                del self._moved[connection]
        connections = list(fresh)
        for at in range(0, len(connections), _AT_ONCE):
            some = connections[at : at + _AT_ONCE]
            await self._keep([_progress(one, fresh[one], ends=False) for one in some])
            for one in some:
                if one in self._moved:
                    self._moved[one] = fresh[one]

    async def _keep(self, some: list[Progress]) -> None:
        await self._store.transaction(lambda tx: rows.keep(tx.connection, some), scope="cim:positions")


def _progress(connection: Connected, confirmed: Confirmed, *, ends: bool) -> Progress:
    admitted = connection.admitted
    return Progress(admitted.number, admitted.caller.user, admitted.session, confirmed.position, confirmed.missed, ends)
