"""Presence and typing: who is there with which devices. Pushed on change, coalesced, to people who share a small conversation.

Streams are there while they stand. A client that polls is there for a while after each poll. Here is what this node knows of
its own sessions; what people see is all nodes together (`attendance.py`).
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from hongyan.bus import Bus, Device, Signal
from hongyan.core import policy
from hongyan.core.errors import Invalid, TooLarge
from hongyan.core.model import Caller, Status, TransportName
from hongyan.core.own import StatusText
from hongyan.messaging.attendance import ORDER, Attendance
from hongyan.messaging.describing import MEMBERS_LISTED
from hongyan.messaging.people import People
from hongyan.messaging.sessions import Session
from hongyan.messaging.views import Views

_SOON = 0.1
"""Seconds for changes of one user to come together."""
_GRACE = 2.0
"""Seconds after the last connection ended before others are told: a reconnect is not news."""
_POLL_SECONDS = 60.0
_MOST_ONLINE = 5_000
_TEXT_LENGTH = 100


class DeviceView(msgspec.Struct, frozen=True):
    device: str
    transport: TransportName
    status: Status
    since: int
    """Milliseconds since 1970 UTC."""


class OnlineView(msgspec.Struct, frozen=True):
    id: str
    name: str
    status: Status
    text: str | None
    devices: list[DeviceView]
    status_text: StatusText | None = None
    """What they say of themselves until it ends, whatever their devices say."""


class _Connected(msgspec.Struct):
    token_id: str
    device: str
    transport: TransportName
    since: int
    asleep: bool = False


class _Said(msgspec.Struct, frozen=True):
    status: Status = "online"
    text: str | None = None
    detail: str = ""


_NOTHING_SAID = _Said()


class Presence:
    """`status_text(user)` is what they say of themselves now (`statuses.py`)."""

    def __init__(
        self,
        bus: Bus,
        attendance: Attendance,
        views: Views,
        people: People,
        status_text: Callable[[str], StatusText | None],
        *,
        clock: Callable[[], int],
    ) -> None:
        self._bus = bus
        self._attendance = attendance
        self._views = views
        self._people = people
        self._status_text = status_text
        self._clock = clock
        self._devices: dict[str, dict[Any, _Connected]] = {}
        """By user, then by session id or, for polls, token id."""
        self._said: dict[str, dict[str, _Said]] = {}
        """By user, then by token id; kept as long as the user is there."""
        self._leases: dict[tuple[str, str], asyncio.TimerHandle] = {}
        self._due: dict[str, asyncio.TimerHandle] = {}

    async def typing(self, caller: Caller, conversation: str, typing: bool) -> None:
        """Tell the others of a conversation of at most 100. Raises NotFound."""
        view = await self._views.get(caller.user)
        policy.member(view.roles.get(conversation))
        if view.lanes[conversation].member_count <= MEMBERS_LISTED:
            body = {"type": "typing", "conversation": conversation, "user": caller.user, "typing": typing}
            self._bus.publish(Signal("typing", caller.user, (conversation,), body))

    def set_status(self, caller: Caller, status: Status, text: str | None) -> None:
        """What this device (all connections of its token) says of its user. Raises Invalid, TooLarge."""
        if text is not None:
            if len(text) > _TEXT_LENGTH:
                raise TooLarge(f"A status text may have {_TEXT_LENGTH} characters")
            if not text.isprintable():
                raise Invalid("A status text cannot have control characters")
        if caller.user in self._devices:
            self._said.setdefault(caller.user, {})[caller.token_id] = _Said(status, text or None)
            self._changed(caller.user, _SOON)

    def appear(self, session: Session, status: Status, text: str | None, detail: str) -> None:
        """A session of a protocol in which being connected is not being there (XMPP) is there from now on, or says something
        else. `detail` goes to the same gateway on all nodes and to no reader.
        """
        caller = session.caller
        if session.closed:
            return
        self._said.setdefault(caller.user, {})[caller.token_id] = _Said(status, text, detail)
        if session.id in self._devices.get(caller.user, {}):
            self._changed(caller.user, _SOON)
        else:
            self._add(session.id, caller, session.transport)

    def vanish(self, session: Session) -> None:
        """It says that it is not there any more."""
        self._drop(session.caller.user, session.id, _SOON)

    def answers(self, session: Session, answers: bool) -> None:
        """Its client does not answer, and may come back: it is there for others, but has to be told otherwise; or does again."""
        device = self._devices.get(session.caller.user, {}).get(session.id)
        if device is not None and device.asleep == answers:
            device.asleep = not answers
            self._changed(session.caller.user, _SOON)

    async def online(self) -> list[OnlineView]:
        """Everybody who is there, in order of their ids, up to a bound."""
        users = sorted(self._devices.keys() | self._attendance.users())[:_MOST_ONLINE]
        names = await self._people.names(users)
        found = []
        for user in users:
            here, devices = self._summary(user)
            words = [here] if devices else []
            for told in self._attendance.elsewhere(user):
                words.append(_Said(told.status, told.text))
                devices = (*devices, *told.devices)
            if words:
                best = _best(words)
                shown = [DeviceView(one.device, one.transport, one.status, one.since) for one in devices]
                found.append(OnlineView(user, names.get(user, user), best.status, best.text, shown, self._status_text(user)))
        return found

    def is_there(self, user: str) -> bool:
        """On this node now, or on another as far as it has told."""
        return user in self._devices or bool(self._attendance.elsewhere(user))

    def __len__(self) -> int:
        """Users who are on this node."""
        return len(self._devices)

    def opened(self, session: Session) -> None:
        caller = session.caller
        if session.transport in ("poll", "longpoll"):
            self._polled(caller, session.transport)
        elif session.transport != "xmpp":
            self._add(session.id, caller, session.transport)

    def gone(self, session: Session) -> None:
        if session.transport not in ("poll", "longpoll"):
            self._drop(session.caller.user, session.id)

    def token_ended(self, user: str, token_id: str) -> None:
        """A poll's place is gone with its token, and what it said."""
        said = self._said.get(user)
        if said is not None:
            said.pop(token_id, None)
        lease = self._leases.pop((user, token_id), None)
        if lease is not None:
            lease.cancel()
            self._drop(user, token_id)

    def status_changed(self, user: str) -> None:
        """They say something else of themselves, or nothing any more."""
        if user in self._devices:
            self._changed(user, _SOON)

    def stop(self) -> None:
        for timer in [*self._leases.values(), *self._due.values()]:
            timer.cancel()
        self._leases.clear()
        self._due.clear()

    def _polled(self, caller: Caller, transport: TransportName) -> None:
        key = (caller.user, caller.token_id)
        lease = self._leases.pop(key, None)
        if lease is not None:
            lease.cancel()
        device = self._devices.get(caller.user, {}).get(caller.token_id)
        if device is None:
            self._add(caller.token_id, caller, transport)
        else:
            device.transport = transport
        self._leases[key] = asyncio.get_running_loop().call_later(_POLL_SECONDS, self._lease_over, key)

    def _lease_over(self, key: tuple[str, str]) -> None:
        del self._leases[key]
        self._drop(*key)

    def _add(self, key: Any, caller: Caller, transport: TransportName) -> None:
        device = _Connected(caller.token_id, caller.device, transport, self._clock())
        self._devices.setdefault(caller.user, {})[key] = device
        self._changed(caller.user, _SOON)

    def _drop(self, user: str, key: Any, last: float = _GRACE) -> None:
        devices = self._devices.get(user)
        if devices is None or devices.pop(key, None) is None:
            return
        if not devices:
            del self._devices[user]
        self._changed(user, _SOON if devices else last)

    def _summary(self, user: str) -> tuple[_Said, tuple[Device, ...]]:
        said = self._said.get(user, {})
        devices, words = [], []
        for device in self._devices.get(user, {}).values():
            word = said.get(device.token_id, _NOTHING_SAID)
            words.append(word)
            devices.append(Device(device.device, device.transport, word.status, device.since, device.token_id, word.detail))
        return _best(words) if words else _NOTHING_SAID, tuple(devices)

    def _changed(self, user: str, delay: float) -> None:
        due = self._due.pop(user, None)
        if due is not None:
            due.cancel()
        self._due[user] = asyncio.get_running_loop().call_later(delay, self._tell, user)

    def _tell(self, user: str) -> None:
        """Tell every node, for the readers of the user's small conversations."""
        del self._due[user]
        said, devices = self._summary(user)
        if not devices:
            self._said.pop(user, None)
        view = self._views.peek(user)
        lanes = tuple(lane.id for lane in view.lanes.values() if lane.member_count <= MEMBERS_LISTED) if view is not None else ()
        asleep = tuple(one.token_id for one in self._devices.get(user, {}).values() if one.asleep)
        self._attendance.tell(user, said.status, said.text, devices, lanes, self._status_text(user) if devices else None, asleep)


def _best(words: list[_Said]) -> _Said:
    return min(words, key=lambda word: (ORDER.index(word.status), word.text is None))
