"""Devices that sleep are woken through the push services of their apps (XEP-0357): a way of telling, as browsers are another.

A service is a stranger's server. It gets one notification for each registration at a time, which says no more than that there
is something (`xmpp.push_details`). One that took nothing for a week, though it was tried for a day, is forgotten.
"""

import logging
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Subquery

from hongyan.bus import Device
from hongyan.core.errors import HongyanError
from hongyan.features.push import Message, Outbox, Outcome, Present, Told
from hongyan.features.xmpp.registrations import ANYBODY, Registration, Registrations, Summary, registration

log = logging.getLogger("hongyan.xmpp")

_AT_ONCE = 128
_OF_A_SITE = 24
_REST_SECONDS = 2.0
"""Between two notifications to one device."""
_DAY = 86_400_000
_PATIENCE = 7 * _DAY
_MOST_IN_VAIN = 10_000
_TEXT_LENGTH = 200


class Wake(msgspec.Struct, frozen=True):
    """Why a device is woken."""

    to: Registration
    position: int
    """Of the message; 0 for something that is not in the log, a call."""
    sender: str | None = None
    words: str = ""


Publish = Callable[[Wake, Summary], Awaitable[Outcome]]


class Waking:
    """See `Way`. `publish` brings a notification to its service, `site` tells whose server that is."""

    anybody = ANYBODY

    def __init__(
        self,
        registrations: Registrations,
        publish: Publish,
        *,
        present: Present,
        site: Callable[[str], str],
        queue: int,
        clock: Callable[[], int],
    ) -> None:
        self._registrations = registrations
        self._publish = publish
        self._present = present
        self._site = site
        self._clock = clock
        self._in_vain: OrderedDict[str, int] = OrderedDict()
        """Registrations whose service took the last one not, or not yet, and since when it takes none."""
        self.counts: Counter[str] = Counter()
        """Notifications by outcome, as those to browsers."""
        self._outbox: Outbox[Wake] = Outbox(
            self._send, self.counts, queue=queue, at_once=_AT_ONCE, of_a_site=_OF_A_SITE, rest=_REST_SECONDS
        )

    @property
    def waiting(self) -> int:
        return len(self._outbox)

    async def stop(self) -> None:
        await self._outbox.stop()

    def subscribed(self, now: int) -> Subquery:
        return self._registrations.all()

    def reached(self, row: Any, devices: Sequence[Device]) -> bool:
        return any(device.transport == "xmpp" and device.device == row.device for device in devices)

    def offer(self, row: Any, told: Told) -> bool:
        event = told.event
        return self._offer(Wake(registration(row), event.position, event.sender, told.words[:_TEXT_LENGTH]))

    async def call(self, user: str, device: str) -> None:
        """Something was passed on to this device that cannot wait, and it may only seem to be there."""
        try:
            for one in await self._registrations.of(user, device):
                self._offer(Wake(one, 0))
        except HongyanError as error:
            log.debug("nobody can be woken for a call: %s", error)

    def _offer(self, wake: Wake) -> bool:
        """One that waits is enough for a device."""
        return self._outbox.offer(Message(wake.to.id, "", wake, self._site(wake.to.service)))

    async def _send(self, message: Message[Wake]) -> Outcome:
        wake = message.content
        if wake.position and self.reached(wake.to, self._present(wake.to.user)):
            return Outcome("replaced")  # it came by itself
        id = wake.to.id
        summary = await self._registrations.tell(wake.to, wake.position, again=id in self._in_vain)
        if summary is None:
            return Outcome("replaced")
        outcome, now = await self._publish(wake, summary), self._clock()
        if outcome.what == "sent":
            self._in_vain.pop(id, None)
            if now - summary.taken > _DAY:
                await self._registrations.taken(wake.to)
        elif outcome.what == "gone" or (self._since(id, now) < now - _DAY and summary.taken < now - _PATIENCE):
            log.info("a push service wakes a device of %s no more: %s", wake.to.user, wake.to.service)
            self._in_vain.pop(id, None)
            await self._registrations.remove(wake.to)
            return Outcome("gone")
        return outcome

    def _since(self, id: str, now: int) -> int:
        """It was in vain again; since when it is so."""
        while len(self._in_vain) >= _MOST_IN_VAIN and id not in self._in_vain:
            self._in_vain.popitem(last=False)
        return self._in_vain.setdefault(id, now)
