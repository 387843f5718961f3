"""The log as an archive: pages of what was said and done, of one conversation or of all direct ones of somebody, both ways, by
positions of the log; and what the events of a page are about.

It differs from `history` in this: several conversations are one, in the order of the log; only what people say and do to
messages is in it; and its places are positions.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial

import msgspec
from sqlalchemy import Connection, bindparam, select

from hongyan.core.amending import Amended
from hongyan.core.errors import NotFound
from hongyan.core.model import WRITTEN, Caller, Event
from hongyan.core.policy import Span
from hongyan.messaging import amendments
from hongyan.messaging.amendments import Ref
from hongyan.messaging.here import here_of
from hongyan.messaging.owned import hidden
from hongyan.messaging.people import names
from hongyan.messaging.tables import conversations, members, responses
from hongyan.store import Store, reading
from hongyan.store.backwards import visible_before
from hongyan.store.schema import events as log

ARCHIVED = frozenset((*WRITTEN, "edit", "recall", "react", "unreact"))
"""The types of events that are in it."""
_MOST_BYTES = 262_144
_READ = 100
_SKIPPED = 5_000
"""Events that are looked at for a page which has something already."""
_SKEW = 200
"""Clocks of nodes differ: so many positions around a moment are looked at more closely."""


class Within(msgspec.Struct, frozen=True):
    """Positions between these two, and times (milliseconds since 1970 UTC) from and up to those."""

    after: int = 0
    before: int | None = None
    since: int | None = None
    until: int | None = None
    known: tuple[int, ...] = ()
    """Positions that have to be in the archive."""


class About(msgspec.Struct, frozen=True):
    """What events are about, as far as their reader may read it."""

    targets: dict[Ref, Event] = {}
    states: dict[Ref, Amended] = {}
    chosen: dict[tuple[str, int, str], tuple[str, ...]] = {}
    """The reactions that somebody has to a message now."""
    names: dict[str, str] = {}
    """Display names of who has sent these events and their targets."""


class Archived(msgspec.Struct, frozen=True):
    """A page in the order of the log, and whether there is more in the direction that was asked for."""

    events: list[Event]
    more: bool
    about: About


NOTHING = About()


class _Points(msgspec.Struct):
    reply: int | None = None
    thread: int | None = None
    seq: int | None = None


_points = msgspec.json.Decoder(_Points).decode


def points_to(event: Event) -> list[int]:
    """The messages of its conversation that an event is about."""
    found = _points(event.content)
    return [seq for seq in (found.reply, found.thread, found.seq) if seq is not None]


class Archive:
    """`scope` is a conversation, or None for all direct ones. Only what the caller may read. Every call may raise NotFound."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(self, caller: Caller, scope: str | None, within: Within, limit: int, *, backward: bool) -> Archived:
        """The oldest `limit`, or the newest ones with `backward`; fewer where they are large."""
        return await self._store.read(partial(_page, caller.user, scope, within, limit, backward))

    async def these(self, caller: Caller, scope: str | None, positions: Sequence[int]) -> Archived:
        """Raises NotFound when one of them is not in it."""

        def read(connection: Connection) -> Archived:
            found = _known(connection, _lanes(connection, caller.user, scope), positions)
            return Archived(found, False, about(connection, caller.user, found))

        return await self._store.read(read)

    async def about(self, caller: Caller, events: Sequence[Event]) -> About:
        """What these are about, of conversations that the caller is in."""
        return await self._store.read(lambda connection: about(connection, caller.user, events))

    async def about_for_all(self, events: Sequence[Event]) -> About:
        """The same for readers who may read everything that these are about: who asks sees to that."""
        return await self._store.read(lambda connection: about(connection, None, events))


def _page(user: str, scope: str | None, within: Within, limit: int, backward: bool, connection: Connection) -> Archived:
    lanes = _lanes(connection, user, scope)
    _known(connection, lanes, within.known)
    low, high = within.after, within.before if within.before is not None else reading.head(connection) + 1
    if within.since is not None:
        low = max(low, _first_at(connection, within.since) - 1 - _SKEW)
    if within.until is not None:
        high = min(high, _first_at(connection, within.until + 1) + _SKEW)
    found, more = _gather(connection, user, lanes, within, low, high, limit, backward)
    return Archived(found, more, about(connection, user, found))


def _gather(
    connection: Connection,
    user: str,
    lanes: Sequence[tuple[str, int]],
    within: Within,
    low: int,
    high: int,
    limit: int,
    backward: bool,
) -> tuple[list[Event], bool]:
    spans = [(lane, Span(first)) for lane, first in lanes]
    found: list[Event] = []
    more = False
    size = looked = 0
    while high - low > 1 and limit > 0 and not more:
        if backward:
            read = [event for event in visible_before(connection, lanes, high, _READ, _MOST_BYTES) if event.position > low]
        else:
            read = reading.visible_after(connection, spans, low, high - 1, _READ, _MOST_BYTES)
        if not read:
            break
        shown = _shown(connection, user, within, read)
        for event in reversed(shown) if backward else shown:
            if len(found) == limit or size > _MOST_BYTES:
                more = True
                break
            found.append(event)
            size += len(event.content)
        if backward:
            high = read[0].position
        else:
            low = read[-1].position
        looked += len(read)
        more = more or (bool(found) and looked > _SKIPPED)
    return found[::-1] if backward else found, more


def _lanes(connection: Connection, user: str, scope: str | None) -> list[tuple[str, int]]:
    """Conversations, each with the first event of it that the user may read."""
    if scope is not None:
        return [(scope, here_of(connection, scope, user).first_seq)]
    mine = select(members.c.conversation, members.c.first_seq).join(conversations, conversations.c.id == members.c.conversation)
    rows = connection.execute(mine.where(members.c.user == user, conversations.c.kind == "direct"))
    return [(row.conversation, row.first_seq) for row in rows]


def _known(connection: Connection, lanes: Sequence[tuple[str, int]], positions: Sequence[int]) -> list[Event]:
    first = dict(lanes)
    found = [
        event
        for event in reading.these(connection, sorted(set(positions)))
        if event.type in ARCHIVED and event.seq >= first.get(event.lane, event.seq + 1)
    ]
    if len(found) < len(set(positions)):
        raise NotFound("There is nothing with this id in the archive")
    return found


def _shown(connection: Connection, user: str, within: Within, events: Iterable[Event]) -> list[Event]:
    """Those that are archived, in time, and not deleted by the user for themselves, as what they are about."""
    by_lane: dict[str, list[tuple[Event, int]]] = defaultdict(list)
    since, until = within.since, within.until
    for event in events:
        in_time = (since is None or event.time >= since) and (until is None or event.time <= until)
        if event.type in ARCHIVED and in_time:
            of = _points(event.content).seq if event.type not in WRITTEN else None
            by_lane[event.lane].append((event, event.seq if of is None else of))
    found: list[Event] = []
    for lane, some in by_lane.items():
        seqs = [seq for _, seq in some]
        gone = hidden(connection, user, lane, min(seqs), max(seqs))
        found += [event for event, seq in some if seq not in gone]
    return sorted(found, key=lambda event: event.position)


def _first_at(connection: Connection, time: int) -> int:
    """The first position from that moment on: times grow with positions, as far as clocks agree."""
    low, high = 0, reading.head(connection) + 1
    while high - low > 1:
        middle = (low + high) // 2
        at = connection.execute(select(log.c.time).where(log.c.position == middle)).scalar_one()
        if at >= time:
            high = middle
        else:
            low = middle
    return high


_FIRST = select(members.c.conversation, members.c.first_seq).where(
    members.c.user == bindparam("whose"), members.c.conversation.in_(bindparam("some", expanding=True))
)


def about(connection: Connection, user: str | None, events: Sequence[Event]) -> About:
    """See `About`. Without a user what may be read is not looked at."""
    wanted: dict[str, set[int]] = defaultdict(set)
    choices: set[tuple[str, int, str]] = set()
    for event in events:
        pointed = points_to(event)
        wanted[event.lane].update(pointed)
        if event.type in ("react", "unreact") and event.sender is not None:
            choices.update((event.lane, seq, event.sender) for seq in pointed)
    first = dict.fromkeys(wanted, 1)
    if user is not None:
        mine = connection.execute(_FIRST, {"whose": user, "some": list(wanted)})
        first = {row.conversation: row.first_seq for row in mine}
    targets: dict[Ref, Event] = {}
    for lane, seqs in wanted.items():
        readable = [seq for seq in seqs if seq >= first.get(lane, seq + 1)]
        for event in reading.at(connection, lane, readable) if readable else ():
            if event.type in WRITTEN:
                targets[lane, event.seq] = event
    refs = {*targets, *((event.lane, event.seq) for event in events if event.type in WRITTEN)}
    people = {event.sender for event in (*events, *targets.values()) if event.sender is not None}
    return About(
        targets,
        amendments.states(connection, user or "", sorted(refs)),
        {choice: _chosen(connection, *choice) for choice in choices if choice[:2] in targets},
        names(connection, sorted(people)),
    )


def _chosen(connection: Connection, conversation: str, seq: int, user: str) -> tuple[str, ...]:
    c = responses.c
    of = (c.conversation == conversation, c.seq == seq, c.kind == "react", c.user == user)
    return tuple(connection.execute(select(c.value).where(*of).order_by(c.place)).scalars())
