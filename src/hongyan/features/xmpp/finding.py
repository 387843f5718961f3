"""The message that a client means by an id: the one place that knows what ids of stanzas are.

The id of a stanza is the client id it was sent with, or that without what stands behind `~`, or `seqN`; its stanza-id (XEP-0359)
is its position. In a conversation of two, clients name messages by the former, in rooms by the latter (XEP-0424, 0444, 0461).
"""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection, select

from hongyan.core.errors import NotFound
from hongyan.core.model import WRITTEN, Caller, Event
from hongyan.messaging.archive import points_to
from hongyan.messaging.here import here_of
from hongyan.store import Store, reading
from hongyan.store.schema import events

_LONGEST = 64
_BACK = 200


class Finding:
    """Every call may raise NotFound; only what the caller may read is found."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def message(self, caller: Caller, conversation: str, id: str, senders: Sequence[str], *, room: bool) -> Event:
        """Sent by one of `senders`, if it is a client id. The id of a correction stands for what it corrects."""
        return await self._store.read(partial(_message, caller.user, conversation, id, senders, room))

    async def last_of(self, caller: Caller, conversation: str, sender: str, seq: int) -> Event:
        """The newest message by `sender` up to this place, if it is among the last ones."""

        def read(connection: Connection) -> Event:
            here = here_of(connection, conversation, caller.user)
            c = events.c
            theirs = (c.lane == conversation, c.sender == sender, c.type.in_(WRITTEN))
            among = c.seq.between(max(here.first_seq, seq - _BACK + 1), seq)
            newest = select(c.position).where(*theirs, among).order_by(c.seq.desc()).limit(1)
            at = connection.execute(newest).scalar_one_or_none()
            if at is None:
                raise NotFound("There is no such message")
            return reading.these(connection, [at])[0]

        return await self._store.read(read)


def _message(user: str, conversation: str, id: str, senders: Sequence[str], room: bool, connection: Connection) -> Event:
    here = here_of(connection, conversation, user)
    ways = (_by_position, _by_client_id) if room else (_by_client_id, _by_position)
    for way in ways:
        event = way(connection, conversation, id, senders)
        if event is not None and event.type not in WRITTEN:
            seqs = points_to(event)
            found = reading.at(connection, conversation, seqs[:1]) if event.type == "edit" else []
            event = found[0] if found and found[0].type in WRITTEN else None
        if event is not None and event.seq >= here.first_seq:
            return event
    raise NotFound("There is no message with this id")


def _by_position(connection: Connection, conversation: str, id: str, senders: Sequence[str]) -> Event | None:
    if not id.isascii() or not id.isdecimal() or len(id) > 15:
        return None
    found = reading.these(connection, [int(id)])
    return found[0] if found and found[0].lane == conversation else None


def _by_client_id(connection: Connection, conversation: str, id: str, senders: Sequence[str]) -> Event | None:
    if not 0 < len(id) <= _LONGEST or not id.isascii():
        return None
    c = events.c
    for sender in senders:
        event = reading.sent(connection, sender, id)
        if event is not None and event.lane == conversation:
            return event
        # The newest here that got something behind `~`, the last character that a client id may have.
        some = (c.client_id > f"{id}~", c.client_id < f"{id}\x7f", c.sender == sender, c.lane == conversation)
        at = connection.execute(select(c.position).where(*some).order_by(c.position.desc()).limit(1)).scalar_one_or_none()
        if at is not None:
            return reading.these(connection, [at])[0]
    number = id.removeprefix("seq")
    if number != id and number.isdecimal() and len(number) <= 15:
        found = reading.at(connection, conversation, [int(number)])
        return found[0] if found and found[0].client_id is None else None
    return None
