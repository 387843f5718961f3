"""The event that tells a user's devices of a timer.

What the one before said leaves the log: a text that was not sent, or was taken back later, stays nowhere.
"""

import msgspec

from hongyan.core.model import Event, user_lane
from hongyan.features.timers.model import Told
from hongyan.messaging import Log
from hongyan.store import Draft, Transaction
from hongyan.store.redacting import redact


class Due(msgspec.Struct, frozen=True):
    due: int


class Heard(msgspec.Struct, frozen=True):
    """A `timer` event, as far as nodes need it."""

    id: str
    timer: Due | None = None
    was: int | None = None


_encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Heard).decode


def draft(tx: Transaction, user: str, told: Told, now: int, client_id: str | None = None) -> Draft:
    """The event, to be appended in the same transaction."""
    if told.was is not None:
        redact(tx.connection, user_lane(user), [told.was], _encode(Told(told.id)))
    return Draft(user_lane(user), "timer", user, now, _encode(told), client_id)


def forget(log: Log, event: Event) -> None:
    """A fold: takes it out of this node's memory as well."""
    if event.type == "timer":
        told = decode(event.content)
        if told.was is not None:
            log.redact(event.lane, [told.was], _encode(Told(told.id)))
