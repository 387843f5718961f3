"""What was said before somebody came in (XEP-0045, section 7.2.13): from the log, only what they may read, in the same forms as
what is said while they are there.
"""

from typing import Self

import msgspec

from hongyan.core.amending import Amended
from hongyan.core.model import WRITTEN, Event
from hongyan.gateways.xmpp import times
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.nicks import nickname
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.rooms import MUC, Joined, spoken
from hongyan.gateways.xmpp.said import Reader, said

_USUAL = 20
_MOST = 200
_PAGE = 100
_PAGES = 10
"""Events that are looked at, in hundreds: not all of them are messages."""
_CHARACTERS = 200_000


class Wanted(msgspec.Struct, frozen=True):
    stanzas: int = _USUAL
    characters: int = _CHARACTERS
    seconds: int | None = None
    since: int = 0
    """Milliseconds since 1970 UTC."""

    @classmethod
    def of(cls, x: Element) -> Self:
        """Raises StanzaFault."""
        asked = x.child(f"{MUC} history")
        if asked is None:
            return cls()
        bounded = _USUAL if not asked.attributes.keys() & {"seconds", "since", "maxchars"} else _MOST
        return cls(
            min(_number(asked, "maxstanzas", bounded) or 0, _MOST),
            min(_number(asked, "maxchars", _CHARACTERS) or 0, _CHARACTERS),
            _number(asked, "seconds", None),
            _time(asked.get("since")),
        )


def _number(asked: Element, name: str, usual: int | None) -> int | None:
    said = asked.attributes.get(name)
    if said is None:
        return usual
    if not (said.isascii() and said.isdecimal() and len(said) <= 10):
        raise StanzaFault("bad-request", f"{name} is a number")
    return int(said)


def _time(said: str) -> int:
    if not said:
        return 0
    try:
        return times.read(said)
    except (ValueError, OverflowError):
        raise StanzaFault("bad-request", "since is a date and time (XEP-0082)") from None


async def read(resource: Resource, joined: Joined, wanted: Wanted) -> tuple[list[str], int]:
    """Stanzas, oldest first, and up to which position they are all there is. Raises NotFound."""
    house = resource.house
    since = wanted.since
    if wanted.seconds is not None:
        since = max(since, house.now() - wanted.seconds * 1000)
    found: list[Event] = []
    upto, older_than = 0, None
    for number in range(_PAGES):
        page = await house.messaging.history.page(resource.caller, joined.id, before=older_than, limit=_PAGE)
        if number == 0 and page.entries:
            upto = page.entries[-1].event.position
        amended = {one.seq: one for one in page.amended}
        for entry in reversed(page.entries):
            event = entry.event
            if event.time < since or len(found) >= wanted.stanzas:
                break
            if event.type in WRITTEN and (now := _now(event, amended.get(event.seq))) is not None:
                found.append(now)
        else:
            if page.more:
                older_than = page.entries[0].event.seq
                continue
        break
    about = await house.messaging.archive.about(resource.caller, found)
    reader = Reader(house.domain, house.rooms_domain, await house.xmpp.places.find(joined.id))
    lines: list[str] = []
    room = wanted.characters
    for event in found:
        by = event.sender
        nick = nickname(about.names.get(by, by), by) if by is not None else ""
        inside = house.table.forms[event.type](event, reader, about)
        before, behind = spoken(joined, event, nick, f"{inside}{times.delay(event.time, str(joined.address))}")
        line = f"{before}{resource.quoted}{behind}"
        room -= len(line)
        if room < 0:
            break
        lines.append(line)
    return lines[::-1], upto


def _now(event: Event, amended: Amended | None) -> Event | None:
    """As it reads today; None for what was taken back."""
    if amended is not None and amended.text is not None:
        content = msgspec.json.decode(event.content) | {"text": amended.text, "mentions": amended.mentions, "oob": False}
        return msgspec.structs.replace(event, content=msgspec.json.encode(content))
    return event if said(event) else None
