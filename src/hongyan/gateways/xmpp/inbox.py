"""What a resource has sent: handled in the order in which it came, one at a time where one has to wait, and bounded."""

import asyncio
from collections import deque
from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING

from hongyan.core.errors import HongyanError
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.faults import StanzaFault, StreamFault
from hongyan.gateways.xmpp.incoming import received
from hongyan.gateways.xmpp.smacks import Handled

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource

_UNDER_WAY = 1_000
"""Stanzas that may wait for an answer or their turn before no more are read."""
_WAITING_BYTES = 1_048_576
"""The same of those that wait for their turn."""
_MOST_UNDER_WAY, _MOST_BYTES = 10_000, 4_194_304
"""The same of who is read because an acknowledgement is waited for, which may stand behind all that is on its way."""
_SETTLE_SECONDS = 30.0


class Inbox:
    def __init__(self, resource: "Resource") -> None:
        self._resource = resource
        self.handled = Handled()
        self._waiting: deque[tuple[int, Element]] = deque()
        self._bytes = 0
        """Of those that wait."""
        self.task: asyncio.Task[None] | None = None
        """Handles what is at the head of the line."""
        self._paused = False
        self._closed = False
        self._settled: list[asyncio.Future[None]] = []

    def put(self, stanza: Element) -> None:
        number = self.handled.begin()
        if self.task is None and self._resource.may_write:
            self._one(number, stanza)
        else:
            self._waiting.append((number, stanza))
            self._bytes += stanza.size
            if self.task is None:
                self.task = self._resource.house.task(self._go_on())
        if self.handled.under_way > _UNDER_WAY or self._bytes > _WAITING_BYTES:
            self._too_much()

    def _too_much(self) -> None:
        """Read no more for now; but who has to acknowledge something before this goes on is heard, within another bound."""
        resource = self._resource
        if not resource.waits_for_acks:
            if not self._paused and resource.stream is not None:
                self._paused = True
                resource.stream.pause()
        elif self.handled.under_way > _MOST_UNDER_WAY or self._bytes > _MOST_BYTES:
            resource.close(StreamFault("policy-violation", "Acknowledge what you were given before you say more"))

    def hear(self) -> None:
        """Read again: what is waited for is an acknowledgement."""
        if self._paused:
            self._paused = False
            if self._resource.stream is not None:
                self._resource.stream.go_on()

    async def all_handled(self) -> None:
        """Or closed. Raises TimeoutError."""
        async with asyncio.timeout(_SETTLE_SECONDS):
            while self.handled.under_way and not self._closed:
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._settled.append(future)
                await future

    def close(self) -> None:
        """What waits is dropped."""
        self._closed = True
        self._waiting.clear()
        if self.task is not None:
            self.task.cancel()
        self._release()

    def _one(self, number: int, stanza: Element) -> bool:
        """Whether it has a task now, which goes on with what is behind it."""
        resource, finished = self._resource, partial(self._finished, number)
        try:
            work = received(resource, stanza, finished)
        except StreamFault as fault:
            resource.close(fault)
        except (StanzaFault, HongyanError) as error:
            resource.refuse(stanza, error)
            finished()
        except Exception:
            self._failed(stanza)
            finished()
        else:
            if work is not None:
                self.task = resource.house.task(self._later(number, stanza, work))
                return True
        return False

    async def _later(self, number: int, stanza: Element, work: Awaitable[bool]) -> None:
        """What answers later, and what came behind it. `work` says whether it is finished by then."""
        finished = True
        try:
            finished = await work
        except StreamFault as fault:
            self._resource.close(fault)
            return
        except (StanzaFault, HongyanError) as error:
            self._resource.refuse(stanza, error)
        except Exception:
            self._failed(stanza)
        if finished:
            self._finished(number)
        await self._go_on()

    async def _go_on(self) -> None:
        """What waits, as long as the client takes what it is answered."""
        while self._waiting:
            await self._resource.may_take()
            if self._closed:
                return
            number, stanza = self._waiting.popleft()
            self._bytes -= stanza.size
            if self._one(number, stanza):
                return
        self.task = None

    def _finished(self, number: int) -> None:
        self.handled.done(number)
        if not self.handled.under_way:
            self._release()
        if self._paused and self.handled.under_way < _UNDER_WAY // 2 and self._bytes < _WAITING_BYTES // 2:
            self.hear()

    def _failed(self, stanza: Element) -> None:
        self._resource.house.log.exception("a stanza could not be handled")
        self._resource.refuse(stanza, StanzaFault("internal-server-error"))

    def _release(self) -> None:
        waiting, self._settled = self._settled, []
        for future in waiting:
            if not future.done():
                future.set_result(None)
