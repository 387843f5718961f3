"""Reading the log: plain functions of a connection, the same on every store, for `Store.read` and inside transactions."""

from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heapreplace
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    bindparam,
    func,
    select,
)

from hongyan.core.model import Event
from hongyan.core.policy import Span
from hongyan.store.places import BY_DIALECT, LIST, Place, encoded
from hongyan.store.schema import events, lanes

_at = events.c
_event = (_at.position, _at.lane, _at.seq, _at.type, _at.sender, _at.time, _at.client_id, _at.content)
_lane: BindParameter[str] = bindparam("lane")
_seq: BindParameter[int] = bindparam("seq")
_position: BindParameter[int] = bindparam("position")
_limit: BindParameter[int] = bindparam("limit")
_of_lane = select(*_event).where(_at.lane == _lane)

_HEAD = select(func.max(_at.position))
_VERSION = select(lanes.c.version).where(lanes.c.lane == _lane)
_LANE_HEAD = select(func.max(_at.seq)).where(_at.lane == _lane)
_AFTER = select(*_event).where(_at.position > _position).order_by(_at.position).limit(_limit)
_NEWEST = select(*_event).order_by(_at.position.desc()).limit(_limit)
_LANE_AFTER = _of_lane.where(_at.seq > _seq).order_by(_at.seq).limit(_limit)
_LANE_NEWEST = _of_lane.where(_at.seq >= _seq).order_by(_at.seq.desc()).limit(_limit)
_SENT = select(*_event).where(_at.sender == bindparam("sender"), _at.client_id == bindparam("client_id"))
_LANE_BEFORE = _of_lane.where(_at.seq >= _seq, _at.seq < bindparam("before")).order_by(_at.seq.desc()).limit(_limit)


def _tops(each: FromClause, lane: ColumnElement[str]) -> Select[str, int, int]:
    """Lane, seq and position of the last event of each of these lanes: one step down the index for each."""
    last = select(_at.seq).where(_at.lane == lane).order_by(_at.seq.desc()).limit(1).correlate(each).scalar_subquery()
    return select(_at.lane, _at.seq, _at.position).select_from(each).join(events, (_at.lane == lane) & (_at.seq == last))


def _places(each: FromClause, lane: ColumnElement[str], seq: ColumnElement[int]) -> Select[str, int, int]:
    """Lane, seq and position of the event at each of these places."""
    return select(_at.lane, _at.seq, _at.position).select_from(each).join(events, (_at.lane == lane) & (_at.seq == seq))


TOPS = {dialect: _tops(wanted.each, wanted.lane) for dialect, wanted in BY_DIALECT.items()}
PLACES = {dialect: _places(wanted.each, wanted.lane, wanted.seq) for dialect, wanted in BY_DIALECT.items()}


def head(connection: Connection) -> int:
    """The position of the last event; 0 of an empty log."""
    return connection.scalar(_HEAD) or 0


def lane_version(connection: Connection, lane: str) -> int:
    """See the package's contract."""
    return connection.scalar(_VERSION, {"lane": lane}) or 0


def lane_head(connection: Connection, lane: str) -> int:
    """The last `seq` of the lane; 0 when it is empty."""
    return connection.scalar(_LANE_HEAD, {"lane": lane}) or 0


def lane_heads(connection: Connection, lanes: Sequence[str]) -> dict[str, int]:
    """The last `seq` of each of these lanes that is not empty."""
    return {lane: seq for lane, seq, _ in look(connection, TOPS, [Place(lane, 0) for lane in set(lanes)])}


def after(connection: Connection, position: int, limit: int) -> list[Event]:
    """The oldest `limit` events above `position`, of every lane."""
    return _events(connection, _AFTER, position=position, limit=limit)


def newest(connection: Connection, limit: int) -> list[Event]:
    """The newest `limit` events of every lane, ascending."""
    return _events(connection, _NEWEST, limit=limit)[::-1]


def lane_before(connection: Connection, lane: str, first_seq: int, before: int | None, limit: int) -> list[Event]:
    """The newest `limit` events of a lane at or above `first_seq` and below `before` (None: no bound), ascending."""
    if before is None:
        return _events(connection, _LANE_NEWEST, lane=lane, seq=first_seq, limit=limit)[::-1]
    return _events(connection, _LANE_BEFORE, lane=lane, seq=first_seq, before=before, limit=limit)[::-1]


def lane_after(connection: Connection, lane: str, seq: int, limit: int) -> list[Event]:
    """The oldest `limit` events of a lane above `seq`, ascending."""
    return _events(connection, _LANE_AFTER, lane=lane, seq=seq, limit=limit)


def at(connection: Connection, lane: str, seqs: Sequence[int]) -> list[Event]:
    """The events of a lane at these places, ascending."""
    found: list[Event] = []
    for begin in range(0, len(seqs), 500):
        some = select(*_event).where(_at.lane == lane, _at.seq.in_(seqs[begin : begin + 500]))
        found += [Event(*row) for row in connection.execute(some)]
    return sorted(found, key=lambda event: event.seq)


def these(connection: Connection, positions: Sequence[int]) -> list[Event]:
    """The events at these places in the whole log, ascending."""
    found: list[Event] = []
    for begin in range(0, len(positions), 500):
        some = select(*_event).where(_at.position.in_(positions[begin : begin + 500]))
        found += [Event(*row) for row in connection.execute(some).all()]
    return sorted(found, key=lambda event: event.position)


def visible_after(
    connection: Connection, spans: Sequence[tuple[str, Span]], position: int, upto: int, limit: int, most_bytes: int | None = None
) -> list[Event]:
    """The oldest `limit` events of these parts of lanes with `position < event.position <= upto`, in order of position.

    Ends early with the event that brings the contents to `most_bytes`. Costs one step down an index for a lane with nothing
    new, and about `limit` rows altogether: where `position` falls inside a lane is found by a galloping search backwards over
    `seq`, since both grow together (docs/decisions/0005).
    """
    if upto <= position or limit < 1:
        return []
    return _merge(connection, starts(connection, spans, position), upto, limit, most_bytes)


def sent(connection: Connection, sender: str, client_id: str) -> Event | None:
    """What somebody sent with this client id."""
    found = _events(connection, _SENT, sender=sender, client_id=client_id)
    return found[0] if found else None


def _events(connection: Connection, statement: Select[*tuple[Any, ...]], **parameters: object) -> list[Event]:
    return [Event(*row) for row in connection.execute(statement, parameters)]


class _Part:
    """A span in which there is something new, while its first new event is searched and afterwards while it is read."""

    __slots__ = ("at", "high", "lane", "low", "page", "step", "top")

    def __init__(self, lane: str, since: int, top: int, position: int) -> None:
        self.lane = lane
        self.low = max(since, 1) - 1
        """Every seq up to here is too old, or before the span."""
        self.high = self.top = top
        """`high` is a seq that is new, `top` the last one of the span."""
        self.at = position
        """The position of `high`."""
        self.step = 1
        self.page: list[Event] = []
        """What was read and is not given yet, newest first."""

    @property
    def found(self) -> bool:
        return self.high - self.low == 1

    def probe(self) -> int:
        """The seq to look at next: backwards in doubling steps, then halves of what is between."""
        back = self.high - self.step
        return back if back > self.low else (self.high + self.low) // 2

    def learn(self, seq: int, position: int, after: int) -> None:
        if position > after:
            self.high, self.at = seq, position
            self.step *= 2
        else:
            self.low, self.step = seq, self.high

    def read(self, connection: Connection, limit: int) -> bool:
        """The next page, when there is none at hand. False at the end of the span."""
        if not self.page and self.low < self.top:
            self.page = lane_after(connection, self.lane, self.low, min(limit, self.top - self.low))[::-1]
            self.low += len(self.page)
        return bool(self.page)


def starts(connection: Connection, spans: Sequence[tuple[str, Span]], position: int) -> list[_Part]:
    """The spans with something new, each at its first new event. All lanes are searched together, one statement for each step."""
    tops = {
        lane: (seq, at)
        for lane, seq, at in look(connection, TOPS, [Place(lane, 0) for lane in {lane for lane, _ in spans}])
        if at > position
    }
    parts: list[_Part] = []
    ended: dict[Place, list[Span]] = {}
    for lane, span in spans:
        top = tops.get(lane)
        if top is None or span.since_seq > top[0]:
            continue
        if span.last_seq is None or span.last_seq >= top[0]:
            parts.append(_Part(lane, span.since_seq, *top))
        elif span.last_seq >= span.since_seq:
            ended.setdefault(Place(lane, span.last_seq), []).append(span)
    for lane, seq, at in look(connection, PLACES, list(ended)):
        if at > position:
            parts += [_Part(lane, span.since_seq, seq, at) for span in ended[Place(lane, seq)]]
    while searching := [part for part in parts if not part.found]:
        probes = [Place(part.lane, part.probe()) for part in searching]
        found = {(lane, seq): at for lane, seq, at in look(connection, PLACES, probes)}
        for part, probe in zip(searching, probes, strict=True):
            part.learn(probe.seq, found.get((probe.lane, probe.seq), 0), position)
    return parts


def look(
    connection: Connection, statements: Mapping[str, Select[str, int, int]], places: list[Place]
) -> Sequence[Row[str, int, int]]:
    if not places:
        return []
    return connection.execute(statements[connection.dialect.name], {LIST: encoded(places)}).all()


def _merge(connection: Connection, parts: list[_Part], upto: int, limit: int, most_bytes: int | None) -> list[Event]:
    """The oldest events of all parts. A part is read, in pages that grow, only when its turn comes."""
    merged: list[Event] = []
    size = 0
    # The key is where the part's next event is, or the first place where it can be while that was not read yet.
    queue = [(part.at, number) for number, part in enumerate(parts)]
    heapify(queue)
    share = max(limit // max(len(parts), 1), 4)
    sizes = [share] * len(parts)
    while queue and len(merged) < limit and queue[0][0] <= upto:
        bound, number = queue[0]
        part = parts[number]
        if not part.page:
            if not part.read(connection, min(sizes[number], limit - len(merged))):
                heappop(queue)
                continue
            sizes[number] *= 4
        event = part.page[-1]
        if event.position > bound:
            heapreplace(queue, (event.position, number))
            continue
        part.page.pop()
        if not merged or merged[-1].position < event.position:  # spans of one lane might overlap
            merged.append(event)
            size += len(event.content)
            if most_bytes is not None and size >= most_bytes:
                break
        heapreplace(queue, (event.position + 1, number))
    return merged
