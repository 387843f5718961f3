"""What every node learns of the tables of XMPP: that there is something else in them, by an event that no user reads."""

from typing import Literal

import msgspec

from hongyan.store import Draft

XMPP_LANE = "_xmpp"


class About(msgspec.Struct, frozen=True, omit_defaults=True):
    """The content of a `changed` event."""

    user: str
    what: Literal["roster", "blocks", "node"]
    node: str = ""
    item: str = ""
    """That is new, or (`gone`) is not there any more; none: all of them."""
    gone: bool = False


decode = msgspec.json.Decoder(About).decode


def draft(about: About, now: int) -> Draft:
    return Draft(XMPP_LANE, "changed", None, now, msgspec.json.encode(about))
