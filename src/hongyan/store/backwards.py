"""Reading parts of several lanes from their ends, merged: the counterpart of `reading.visible_after` for who pages back."""

from collections.abc import Sequence
from heapq import heapify, heappop, heapreplace

from sqlalchemy import Connection

from hongyan.core.model import Event
from hongyan.core.policy import Span
from hongyan.store.places import Place
from hongyan.store.reading import PLACES, TOPS, lane_before, look, starts

_PAGE = 8


class _End:
    """A lane, while it is read from some place on towards its beginning."""

    __slots__ = ("first", "lane", "page", "seq", "size")

    def __init__(self, lane: str, first: int, seq: int) -> None:
        self.lane = lane
        self.first = first
        self.seq = seq
        """The next one."""
        self.page: list[Event] = []
        self.size = _PAGE

    def read(self, connection: Connection, most: int) -> bool:
        if not self.page and self.seq >= self.first:
            self.page = lane_before(connection, self.lane, self.first, self.seq + 1, min(self.size, most))
            self.size *= 4
        return bool(self.page)


def visible_before(
    connection: Connection, lanes: Sequence[tuple[str, int]], before: int | None, limit: int, most_bytes: int | None = None
) -> list[Event]:
    """The newest `limit` events of these lanes, each from its `seq` on, with `position < before`, in order of position.

    Ends early with the event that brings the contents to `most_bytes`. Costs what `visible_after` costs.
    """
    ends, queue = _ends(connection, lanes, before)
    found: list[Event] = []
    size = 0
    heapify(queue)
    while queue and len(found) < limit:
        bound, number = queue[0]
        end = ends[number]
        if not end.read(connection, limit - len(found)):
            heappop(queue)
            continue
        event = end.page[-1]
        if -event.position != bound:  # the key is where the next event may be at most
            heapreplace(queue, (-event.position, number))
            continue
        end.page.pop()
        end.seq = event.seq - 1
        found.append(event)
        size += len(event.content)
        if most_bytes is not None and size >= most_bytes:
            break
        heapreplace(queue, (1 - event.position, number))
    return found[::-1]


def _ends(
    connection: Connection, lanes: Sequence[tuple[str, int]], before: int | None
) -> tuple[list[_End], list[tuple[int, int]]]:
    first = dict(lanes)
    tops = {lane: (seq, at) for lane, seq, at in look(connection, TOPS, [Place(lane, 0) for lane in first])}
    if before is not None:
        newer = [(lane, Span(1)) for lane, (_, at) in tops.items() if at >= before]
        parts = starts(connection, newer, before - 1)
        below = [Place(part.lane, part.high - 1) for part in parts if part.high > first[part.lane]]
        for lane, _ in newer:
            del tops[lane]
        tops |= {lane: (seq, at) for lane, seq, at in look(connection, PLACES, below)}
    ends = [_End(lane, first[lane], seq) for lane, (seq, _) in tops.items() if seq >= first[lane]]
    return ends, [(-tops[end.lane][1], number) for number, end in enumerate(ends)]
