"""Devices that sleep are woken through the push services of their apps (XEP-0357): a way of telling, as browsers are another.

A service is a stranger's server. It gets one notification for each registration at a time, which says no more than that there
is something (`xmpp.push_details`); who takes nothing for a week is forgotten.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Subquery

from hongyan.bus import Device
from hongyan.features.push import Message, Outbox, Outcome, Present, Told
from hongyan.features.xmpp.registrations import Registration, Registrations, Summary, registration

log = logging.getLogger("hongyan.xmpp")

_AT_ONCE = 128
_OF_A_SITE = 24
_REST_SECONDS = 2.0
"""Between two notifications to one device."""
_DAY = 86_400_000
_PATIENCE = 7 * _DAY
_TEXT_LENGTH = 200


class Wake(msgspec.Struct, frozen=True):
    """Why a device is woken."""

    to: Registration
    position: int
    """Of the message; 0 for something that is not in the log, a call."""
    sender: str | None = None
    words: str = ""
    urgent: bool = True


Publish = Callable[[Wake, Summary], Awaitable[Outcome]]


class Waking:
    """See `Way`. `publish` brings a notification to its service, `site` tells whose server that is."""

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
        self._owed: set[str] = set()
        """Registrations whose service has said that it takes the last one later."""
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
        return self._offer(
            Wake(registration(row), event.position, event.sender, told.words[:_TEXT_LENGTH], told.urgency == "high")
        )

    async def call(self, user: str, device: str) -> None:
        """Something was passed on to this device that cannot wait, and it may only seem to be there."""
        for one in await self._registrations.of(user, device):
            self._offer(Wake(one, 0))

    def _offer(self, wake: Wake) -> bool:
        """One that waits is enough for a device."""
        return self._outbox.offer(Message(wake.to.id, "", wake, self._site(wake.to.service)))

    async def _send(self, message: Message[Wake]) -> Outcome:
        wake = message.content
        if wake.position and self.reached(wake.to, self._present(wake.to.user)):
            return Outcome("replaced")  # it came by itself
        summary = await self._registrations.tell(wake.to, wake.position, again=wake.to.id in self._owed)
        if summary is None:
            return Outcome("replaced")
        outcome = await self._publish(wake, summary)
        self._owed.discard(wake.to.id)
        if outcome.what == "later":
            self._owed.add(wake.to.id)
        now = self._clock()
        if outcome.what == "sent":
            if now - summary.taken > _DAY:
                await self._registrations.taken(wake.to)
        elif outcome.what == "gone" or now - summary.taken > _PATIENCE:
            log.info("a push service wakes a device of %s no more: %s", wake.to.user, wake.to.service)
            await self._registrations.remove(wake.to)
            return Outcome("gone")
        return outcome
