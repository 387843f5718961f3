"""The wrappers of BOSH (XEP-0124, sections 7 to 13; XEP-0206), sans I/O."""

from collections.abc import Iterable, Mapping
from typing import Self

import msgspec

from hongyan.gateways.xmpp.codec import Element, quote

BOSH = "http://jabber.org/protocol/httpbind"
XBOSH = "urn:xmpp:xbosh"
BODY = f"{BOSH} body"
_MOST_NUMBER = 2**53

WAIT_SECONDS = 60
INACTIVE_SECONDS = 60
PAUSE_SECONDS = 120
_HOLD = 1


class Opening(msgspec.Struct, frozen=True):
    """What a client asks for, within what is given."""

    to: str
    wait: int
    hold: int
    version: str
    """Of XMPP."""

    @classmethod
    def read(cls, body: Element) -> Self | None:
        """None is a bad request."""
        wait, hold = number(body.get("wait", "60")), number(body.get("hold", "1"))
        if wait is None or hold is None:
            return None
        return cls(body.get("to"), min(wait, WAIT_SECONDS), min(hold, _HOLD), body.get(f"{XBOSH} version", "1.0"))

    @property
    def requests(self) -> int:
        """That a client may have under way."""
        return self.hold + 1


def number(said: str) -> int | None:
    """Numbers are whole, and such that every client can count them."""
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= 16 and int(said) <= _MOST_NUMBER else None


def body(stanzas: Iterable[str] = (), attributes: Mapping[str, str] | None = None) -> str:
    said = "".join(f" {name}='{quote(value)}'" for name, value in (attributes or {}).items())
    inside = "".join(stanzas)
    return f"<body xmlns='{BOSH}'{said}>{inside}</body>" if inside else f"<body xmlns='{BOSH}'{said}/>"


def terminate(condition: str) -> str:
    """The session is over, or there is none."""
    return body((), {"type": "terminate", "condition": condition})


def began(sid: str, opening: Opening, stream: Mapping[str, str]) -> dict[str, str]:
    """The attributes of a session's first answer. `stream` are those of the stream."""
    return {
        "sid": sid,
        "wait": str(opening.wait),
        "requests": str(opening.requests),
        "hold": str(opening.hold),
        "inactivity": str(INACTIVE_SECONDS),
        "maxpause": str(PAUSE_SECONDS),
        "polling": "0",
        "ver": "1.11",
        "from": stream.get("from", ""),
        "authid": stream.get("id", ""),
        "xmlns:xmpp": XBOSH,
        "xmpp:version": "1.0",
        "xmpp:restartlogic": "true",
    }
