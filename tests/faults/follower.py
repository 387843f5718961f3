"""A device that stays with its events through everything: it notes what it is given and judges nothing.

When its connection breaks, falls silent or is refused, it goes on elsewhere with its cursor, after a short back-off. It can be
told to move, too.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

import anyio
import msgspec

from hongyan.client.backoff import Backoff
from tests.e2e.devices import TRANSPORTS, Transport, place
from tests.e2e.feeds import polled, server_sent, websocket
from tests.e2e.sockets import Foreign, Frame, Lost, Socket
from tests.faults.doors import CONNECT_SECONDS, Account, Door, another
from tests.faults.history import Chunk, Denied, Event, History, Switch
from tests.serving import Refused

_LONG = 5.0
_PING = 2.0
SILENCE: dict[Transport, float] = {"poll": 4.0, "longpoll": _LONG + 4.0, "sse": 17.0, "json": 3 * _PING, "msgpack": 3 * _PING}
"""Seconds without a word after which a connection is given up. An event stream beats every 15 s; a WebSocket is pinged."""
_LIMITS = (3, 50, 1000)
_OTHER_TRANSPORT = 0.3


class Mouth(msgspec.Struct, frozen=True):
    """A WebSocket over which its person can send."""

    socket: Socket
    door: Door
    codec: Transport


class Follower:
    def __init__(
        self,
        name: str,
        account: Account,
        doors: Sequence[Door],
        history: History,
        *,
        transport: Transport,
        cursor: str,
        dice: random.Random,
        clock: Callable[[], float],
    ) -> None:
        self.name = name
        self.account = account
        self.transport = transport
        self.cursor = cursor
        self.door = dice.choice(doors)
        self.mouth: Mouth | None = None
        """While it is on a WebSocket."""
        self.seqs: dict[str, int] = {}
        """The newest event that it was given, of each conversation."""
        self.heard: Callable[[], None] = lambda: None
        """Called after each frame."""
        self._doors = doors
        self._history = history
        self._dice = dice
        self._clock = clock
        self._backoff = Backoff(0.05, 1.0, dice.random)
        self._patience = anyio.CancelScope()
        self._told = self._stopped = False
        self._where = ("", "")
        """Node and transport of the connection that there is. `door` and `transport` are of the next, once it is told to move."""
        self._silence = 0.0
        """Its patience, in seconds."""

    @property
    def at(self) -> int:
        """Everything up to here was given."""
        return place(self.cursor)

    async def run(self) -> None:
        """Until `stop`."""
        why = "start"
        while not self._stopped:
            self._where = self.door.name, self.transport
            self._history.add(Switch(self._clock(), self.name, self.account.id, *self._where, self.cursor, why))
            self._told = False
            why = await self._connected(self.door, self.transport)
            if not self._told:
                await asyncio.sleep(self._backoff.next())
                self._choose()

    def move(self, door: Door, transport: Transport) -> None:
        """Break off here, in the middle of whatever it is, and go on there."""
        self.door, self.transport = door, transport
        self._told = True
        self._patience.cancel()

    def stop(self) -> None:
        """Break off, and do not go on."""
        self._stopped = self._told = True
        self._patience.cancel()

    def _choose(self) -> None:
        if self._told:  # meanwhile
            return
        self.door = another(self._doors, self.door, self._dice)
        if self._dice.random() < _OTHER_TRANSPORT:
            self.transport = self._dice.choice(TRANSPORTS)

    async def _connected(self, door: Door, transport: Transport) -> str:
        """Follow until it breaks, and say how.

        It is broken off by a scope of anyio: when its task is cancelled by asyncio, httpx leaks a connection that it is just
        making (seen with httpx 0.28 and anyio 4.16), and the warning of an unclosed socket is a fault here.
        """
        self._silence = SILENCE[transport]
        pings = asyncio.create_task(self._pings())
        try:
            with anyio.CancelScope(deadline=anyio.current_time() + self._silence) as self._patience:
                async with aclosing(self._frames(door, transport)) as frames:
                    async for frame in frames:
                        self._take(frame)
                return "it ended"
        except (Lost, Foreign) as error:
            return str(error)
        except Refused as error:
            self._history.add(Denied(self._clock(), self.name, *self._where, self.cursor, error.status, error.code))
            return str(error)
        finally:
            self.mouth = None
            pings.cancel()
            await asyncio.gather(pings, return_exceptions=True)
        return "told to move" if self._told else f"silent for {self._silence:g} s"

    def _frames(self, door: Door, transport: Transport) -> AsyncGenerator[Frame, None]:
        if transport in ("poll", "longpoll"):
            wait = _LONG if transport == "longpoll" else 0
            return polled(door.feeds, self.account, self.cursor, wait=wait, limit=self._dice.choice(_LIMITS))
        if transport == "sse":
            return server_sent(door.feeds, self.account, self.cursor)

        def opened(socket: Socket) -> None:
            self.mouth = Mouth(socket, door, transport)
            socket.heard = self._answered

        return websocket(door, self.account, transport, self.cursor, opened, seconds=CONNECT_SECONDS)

    async def _pings(self) -> None:
        while True:
            await asyncio.sleep(_PING)
            if self.mouth is not None:
                await self.mouth.socket.say("ping")

    def _answered(self, frame: Frame) -> None:
        """A pong tells the cursor as a frame without events does."""
        if frame["op"] == "pong" and frame["cursor"]:
            self._given([], frame["cursor"], None)

    def _take(self, frame: Frame) -> None:
        if frame.get("op") not in ("close", "signal"):
            self._given(frame["events"], frame["cursor"], frame["reason"] if frame.get("limited") else None)

    def _given(self, frames: list[Any], cursor: str, limited: str | None) -> None:
        now = self._clock()
        events = tuple(msgspec.convert(frame, Event) for frame in frames)
        if events or limited is not None or cursor != self.cursor:
            self._history.add(Chunk(now, self.name, self.account.id, *self._where, self.cursor, cursor, events, limited))
        self.cursor = cursor
        self.seqs.update((event.conversation, event.seq) for event in events)
        self._backoff.reset()
        self._patience.deadline = anyio.current_time() + self._silence
        self.heard()
