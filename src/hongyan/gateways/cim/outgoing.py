"""The writing side of a connection that is logged in: live messages, what was missed, and how much of it has arrived.

What waits for a peer that takes little is bounded: over `limits.write_buffer` nothing more is taken from the session, which keeps
references only, and nothing more is read of what was missed. An event counts as given when the peer's machine has acknowledged
its bytes; what was not is missed at the next log-in.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

import msgspec

from hongyan.core.content import RECALLED, in_words
from hongyan.core.cursor import parse_cursor
from hongyan.core.model import WRITTEN, Event
from hongyan.features.cim import Admitted, Confirmed, Missed
from hongyan.gateways.cim.codec import Frame, framed, message
from hongyan.gateways.cim.house import House, log
from hongyan.gateways.door.progress import acknowledged
from hongyan.messaging import Chunk, Session

_AT_ONCE = 100
"""Events that are taken from the session at a time."""
_TEXTS = 100
"""Of one sender in one frame, of what was missed."""
_PAGE = 500
"""Events of what was missed that are read at a time."""
_PIECE = 65_536
"""Bytes that are written at a time, and that texts of one frame may have."""


class _Mark(msgspec.Struct, frozen=True, gc=False):
    """When so many bytes have arrived, everything has up to this position; with `part` of that part of what was missed."""

    written: int
    position: int
    part: int | None = None


class _Part(msgspec.Struct):
    """Of what was missed: from where it was to be given, and up to where it was written, and has arrived."""

    begin: int
    written: int
    arrived: int


class Outgoing:
    """`moved` is called when something was written, `fault` when nothing more can be."""

    __slots__ = (
        "_arrived", "_closed", "_dirty", "_fault", "_fetching", "_full", "_given", "_house", "_marks", "_me", "_missed",
        "_moved", "_own_live", "_own_missed", "_queue", "_room", "_session", "_task", "_transport", "_upto", "_written",
    )  # fmt: skip

    def __init__(
        self,
        house: House,
        transport: asyncio.Transport,
        admitted: Admitted,
        session: Session,
        written: int,
        moved: Callable[[], None],
        fault: Callable[[str, str], None],
    ) -> None:
        self._house = house
        self._transport = transport
        self._session = session
        self._moved = moved
        self._fault = fault
        self._me = admitted.caller.user
        properties = {"receiveUserId": str(admitted.number), "receiveUserName": admitted.caller.name}
        self._own_live = message(Frame("message", admitted.number, properties=properties))
        self._own_missed = message(Frame("offline", admitted.number, properties=properties))
        self._written = written
        """Bytes, since the connection began."""
        self._queue: deque[Event] = deque()
        """Taken from the session and not written yet."""
        self._given = self._upto = parse_cursor(admitted.cursor).position
        """Everything was written up to `_given`, and is when the queue is empty up to `_upto`."""
        self._marks: deque[_Mark] = deque()
        self._arrived = self._given
        self._missed = {part.upto: _Part(part.after, part.after, part.after) for part in admitted.missed}
        """By the end of each part."""
        self._full = self._dirty = self._closed = False
        self._room = asyncio.Event()
        self._room.set()
        self._task: asyncio.Task[None] | None = None
        self._fetching: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There is something to take."""
        if not self._dirty and not self._closed:
            self._dirty = True
            self._house.flush(self)

    def fetch(self) -> None:
        """Write what was missed. What was written is not written again."""
        if self._fetching is None and not self._closed and any(part.written < upto for upto, part in self._missed.items()):
            self._fetching = self._house.task(self._fetch())

    def write(self, data: bytes) -> None:
        self._written += len(data)
        self._transport.write(data)

    def pause(self) -> None:
        self._full = True
        self._room.clear()

    def resume(self) -> None:
        self._full = False
        self._room.set()
        self.wake()

    def close(self) -> None:
        """Nothing more is written."""
        self._closed = True
        self._queue.clear()
        for task in (self._task, self._fetching):
            if task is not None:
                task.cancel()

    def confirmed(self) -> Confirmed:
        """What has arrived."""
        taken = acknowledged(self._transport)
        if taken is None:
            taken = self._written - self._transport.get_write_buffer_size()
        marks = self._marks
        while marks and marks[0].written <= taken:
            mark = marks.popleft()
            if mark.part is None:
                self._arrived = mark.position
            else:
                self._missed[mark.part].arrived = mark.position
        if not any(mark.part is None for mark in marks):
            self._arrived = max(self._arrived, self._given)
            session = self._session
            if not (self._queue or self._closed or session.closed or session.behind or session.pending or self._task):
                self._arrived = max(self._arrived, self._house.messaging.log.position)
        left = [Missed(part.arrived, upto) for upto, part in self._missed.items() if part.arrived > part.begin]
        return Confirmed(self._arrived, left, not marks)

    def flush(self) -> None:
        self._dirty = False
        while not self._closed and not self._full and self._task is None:
            self._write_queue()
            if self._queue:
                return
            chunk = self._session.take(_AT_ONCE)
            if chunk is not None:
                self._take(chunk)
            elif self._session.behind and not self._session.closed:
                self._task = self._house.task(self._follow())
            else:
                return

    def _take(self, chunk: Chunk) -> None:
        self._queue.extend(entry.event for entry in chunk.entries if self._wanted(entry.event))
        self._upto = parse_cursor(chunk.cursor).position

    def _wanted(self, event: Event) -> bool:
        return event.type in WRITTEN and event.sender != self._me and event.content != RECALLED

    def _write_queue(self) -> None:
        queue, directory = self._queue, self._house.cim.directory
        while queue and not self._full:
            out, size = [], 0
            while queue and size < _PIECE and directory.knows(queue[0].sender, queue[0].lane):
                event = queue.popleft()
                data = framed(_shared(self._house, event), self._own_live)
                out.append(data)
                size += len(data)
                self._given = event.position
                self._marks.append(_Mark(self._written + size, event.position))
            if out:
                self._house.counts.frames_out += len(out)
                self.write(b"".join(out))
                self._moved()
            elif queue:
                self._task = self._house.task(self._learn())
                return
        if not queue:
            self._given = self._upto

    async def _learn(self) -> None:
        """Who they are whose messages wait."""
        try:
            await self._ask(self._queue)
            while self._queue and not self._house.cim.directory.knows(self._queue[0].sender, self._queue[0].lane):
                log.error("the message at position %d is of nobody", self._queue.popleft().position)
        except Exception as error:
            self._fault("trouble", f"names cannot be read: {error}")
        finally:
            self._task = None
        self.wake()

    async def _ask(self, events: Iterable[Event]) -> None:
        users = {event.sender for event in events if event.sender is not None}
        await self._house.cim.directory.learn(list(users), list({event.lane for event in events}))

    async def _follow(self) -> None:
        """The session was not read fast enough: it reads the log."""
        try:
            self._take(await self._session.next(_AT_ONCE))
        except Exception as error:
            self._fault("trouble", f"the log cannot be read: {error}")
        finally:
            self._task = None
        self.wake()

    async def _fetch(self) -> None:
        try:
            for upto, part in sorted(self._missed.items()):
                while part.written < upto and (view := self._session.view) is not None:
                    events, read = await self._house.messaging.history.visible(view, part.written, upto, _PAGE)
                    wanted = [event for event in events if self._wanted(event)]
                    await self._ask(wanted)
                    for some in _batches(wanted):
                        await self._room.wait()
                        self._write_missed(some)
                        part.written = some[-1].position
                        self._marks.append(_Mark(self._written, part.written, upto))
                    part.written = read
                    self._marks.append(_Mark(self._written, read, upto))
                    self._moved()
        except Exception as error:
            self._fault("trouble", f"what was missed cannot be read: {error}")
        finally:
            self._fetching = None

    def _write_missed(self, events: Sequence[Event]) -> None:
        properties = _sender(self._house, events[0])
        texts = tuple(_shown(self._house, event) for event in events)
        self._house.counts.frames_out += 1
        self.write(framed(message(Frame("offline", properties=properties, batch=texts)), self._own_missed))


def _batches(events: Sequence[Event]) -> Iterable[list[Event]]:
    """In order; in each those of one sender, bounded in number and size."""
    for _, of_one in groupby(events, key=lambda event: event.sender):
        some: list[Event] = []
        size = 0
        for event in of_one:
            if some and (len(some) == _TEXTS or size + len(event.content) > _PIECE):
                yield some
                some, size = [], 0
            some.append(event)
            size += len(event.content)
        yield some


def _shown(house: House, event: Event) -> str:
    text, title = in_words(event.content), house.cim.directory.title(event.lane)
    return text if title is None else f"[{title}] {text}"


def _sender(house: House, event: Event) -> dict[str, str]:
    """The properties that tell who has written it."""
    person = house.cim.directory.person(event.sender or "")
    return {"sendUserId": str(person.number), "sendUserName": person.name} if person is not None else {}


def _shared(house: House, event: Event) -> bytes:
    """What is the same for all receivers of a live message: made once."""
    found = house.made.get(event.position)
    if found is None:
        found = message(Frame("message", text=_shown(house, event), properties=_sender(house, event)))
        house.keep(event.position, found)
    return found
