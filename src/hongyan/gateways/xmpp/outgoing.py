"""What has happened, as stanzas: events and signals of a session, in their order."""

from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from hongyan.core.errors import NotFound
from hongyan.core.model import DIRECTORY_LANE, Event
from hongyan.features.xmpp import Place
from hongyan.gateways.xmpp.faults import StreamFault
from hongyan.gateways.xmpp.held import Held
from hongyan.gateways.xmpp.jid import Jid
from hongyan.messaging import Chunk

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.resource import Resource

Ask = Callable[[], Awaitable[None]]
_AT_ONCE = 200
_MINE = 10_000


class Outgoing:
    def __init__(self, resource: "Resource") -> None:
        self._resource = resource
        self._house = resource.house
        self._queue: deque[Event | Ask] = deque()
        self._mine: OrderedDict[str, None] = OrderedDict()
        """Client ids of what this resource has sent and not seen yet: it is not told of it again."""
        self._held = Held()
        self._dirty = False
        self._closed = False
        self._working = False
        self._beginning = False
        self.upto = 0
        """Everything up to this position was written, or need not be; 0 while nothing is known."""

    def mine(self, client_id: str) -> None:
        while len(self._mine) >= _MINE:
            self._mine.popitem(last=False)
        self._mine[client_id] = None

    def is_mine(self, event: Event) -> bool:
        """Asked once for each event."""
        if event.client_id is not None and event.client_id in self._mine and event.sender == self._resource.user:
            del self._mine[event.client_id]
            return True
        return False

    def active(self, active: bool) -> None:
        """Client state indication (XEP-0352): while it is not active, presence and typing wait, also for the next message."""
        self._held.active = active
        if active:
            self._release()

    def _release(self) -> None:
        for body in self._held.release():
            self._tell(body)

    def wake(self) -> None:
        """There is something to take, or room for it."""
        if not self._dirty and not self._closed:
            self._dirty = True
            self._house.flush(self._resource)

    def close(self) -> None:
        self._closed = True
        self._queue.clear()

    def flush(self) -> None:
        self._dirty = False
        resource = self._resource
        while not self._closed and not self._working and resource.may_write and resource.priority is not None:
            if self._beginning:
                self._beginning = False
                self._later(self._begin(), resource.since)
                return
            if self._queue:
                self._write()
                continue
            session = resource.session
            chunk = session.take(_AT_ONCE)
            if chunk is not None:
                self._take(chunk)
            elif session.behind and not session.closed:
                self._later(self._follow())
            else:
                resource.moved()
                return

    def _write(self) -> None:
        queue, resource, table, places = self._queue, self._resource, self._house.table, self._house.xmpp.places
        while queue and not self._working and not self._closed and resource.may_write:
            event = queue[0]
            if not isinstance(event, Event):
                queue.popleft()
                self._later(event())
                return
            place, shape = None, None
            if event.lane == DIRECTORY_LANE:
                shape = table.profile
            elif event.lane.startswith("user:"):
                shape = table.events.get(("own", event.type))
            elif ("direct", event.type) in table.events or ("room", event.type) in table.events:
                place = places.get(event.lane)
                if place is None:
                    self._later(self._learn())
                    return
                shape = table.events.get(("direct" if place.pair is not None else "room", event.type))
            if place is not None and self._blocked(place):
                shape = None
            queue.popleft()
            if shape is not None and event.type == "message":
                self._release()
            if shape is not None and (work := shape(resource, event, place)) is not None:
                self._later(work, event.position)
            else:
                self.upto = event.position

    def _blocked(self, place: Place) -> bool:
        circle = self._resource.around.circle
        if circle is None or not circle.blocked:
            return False
        peer = place.peer(self._resource.user)
        who = self._house.jid(peer) if peer is not None else Jid(place.name, self._house.rooms_domain)
        return self._resource.around.blocks(who)

    def _take(self, chunk: Chunk) -> None:
        self._queue.extend([entry.event for entry in chunk.entries])
        for body in chunk.signals:
            if not self._held.keeps(body):
                self._tell(body)

    def _tell(self, body: dict[str, Any]) -> None:
        for told in self._house.table.signals.get(body["type"], ()):
            told(self._resource, body)

    def then(self, ask: Ask) -> None:
        """Tell something that has to be asked first, behind what waits already."""
        self._queue.append(ask)
        self.wake()

    def begin(self) -> None:
        """Its client is available for the first time."""
        self._beginning = True
        self.wake()

    async def _begin(self) -> None:
        for tell in self._house.table.available:
            if (work := tell(self._resource)) is not None:
                await work

    def _later(self, work: Awaitable[None], upto: int | None = None) -> None:
        """What has to be asked first; what is behind it waits. Afterwards everything up to that position was written; if it fails
        the stream ends, and what was not told is told to who comes back.
        """
        self._working = True
        self._house.task(self._work(work, upto))

    async def _work(self, work: Awaitable[None], upto: int | None) -> None:
        resource = self._resource
        try:
            await work
        except NotFound as error:
            self._house.log.debug("nothing is told to %s: %s", resource.jid, error)
        except Exception:
            self._house.log.exception("something could not be told to %s", resource.jid)
            resource.close(StreamFault("internal-server-error", "Something could not be read: come back"))
            return
        finally:
            self._working = False
        if upto is not None:
            self.upto = upto
        self.wake()

    async def _learn(self) -> None:
        """Which conversations those are that something waits of."""
        queue, places = self._queue, self._house.xmpp.places
        lanes = [event.lane for event in queue if isinstance(event, Event)]
        await places.learn([lane for lane in lanes if not lane.startswith("user:")])
        while (
            queue
            and isinstance(event := queue[0], Event)
            and places.get(event.lane) is None
            and not event.lane.startswith("user:")
        ):
            queue.popleft()  # of a conversation that is not there

    async def _follow(self) -> None:
        self._take(await self._resource.session.next(_AT_ONCE))
