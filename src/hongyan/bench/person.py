"""One connection of the benchmark: it sends, receives, keeps its ledger, and comes back with its cursor when it is cut off."""

import asyncio
from array import array
from collections import Counter

from hongyan.bench.ledger import Ledger, Sent
from hongyan.bench.links import Owner, PollLink, SseLink, Target, WebSocketLink
from hongyan.bench.plan import PersonPlan
from hongyan.bench.stamp import PREFIX, REF_BASE, STAMP, SendForm, lane_prefix, now_us
from hongyan.bench.wire import TEXT, Frame, frame

_LONGEST = 2**32 - 1
_HANDSHAKE_SECONDS = 30.0
_PING = frame(TEXT, b'{"op":"ping","ref":1}')
_PING_MSGPACK = frame(0x2, b"\x82\xa2op\xa4ping\xa3ref\x01")


class Tally:
    """What all persons of one worker count together."""

    def __init__(self) -> None:
        self.delays = array("I")
        self.acked = 0
        self.delivered = 0
        self.position = 0
        self.strays = 0
        self.disorder = 0
        self.refused_connections = 0
        self.reconnects = 0
        self.errors: Counter[str] = Counter()


class Lane:
    """One conversation: who is in it and how much is in flight.

    `outstanding` counts what is still to come: of every message sent an acknowledgement and a copy for each member, the
    sender's own connection included.
    """

    def __init__(self, run: int, index: int, conversation: str) -> None:
        self.prefix = lane_prefix(run, index)
        self.conversation = conversation
        self.members: list[Person] = []
        self.senders: list[Person] = []
        self.outstanding = 0
        self.limit = 0
        """Send while `outstanding` is below this; 0 is silence."""
        self._turn = 0

    @property
    def weight(self) -> int:
        """What one message adds to `outstanding`."""
        return len(self.members) + 1

    def allow(self, window: int) -> None:
        """Keep `window` messages in flight from now on; 0 stops."""
        self.limit = (window - 1) * self.weight + 1 if window else 0
        self.pump()

    def pump(self) -> None:
        while self.outstanding < self.limit:
            self.send()

    def send(self) -> None:
        self._turn = (self._turn + 1) % len(self.senders)
        self.outstanding += len(self.members) + 1
        self.senders[self._turn].send()


class Person(Owner):
    """See the module. `lane` is None for a connection that only listens."""

    def __init__(
        self,
        plan: PersonPlan,
        lane: Lane | None,
        target: Target,
        tally: Tally,
        *,
        size: int,
        random_ids: bool,
        poll_interval: float,
        source: str | None = None,
    ) -> None:
        self.plan = plan
        self.lane = lane
        self.cursor: str | None = None
        self.sent = 0
        self.unanswered: dict[int, bytes] = {}
        """By number: the frames without an answer, kept to be sent again with the same client id."""
        self.refused: set[int] = set()
        self.pongs = 0
        self.is_open = False
        self.closing = False
        self.opened_in = 0
        """Microseconds from the first attempt of the latest opening until it succeeded."""
        self._target = target
        self._tally = tally
        self._interval = poll_interval
        self._source = source
        self._link: WebSocketLink | SseLink | PollLink | None = None
        self._opening: asyncio.Future[tuple[str, float | None] | None] | None = None
        self._back: asyncio.Task[bool] | None = None
        self._verdict: tuple[str, float] | None = None
        self._seq = 0
        self._member = 0
        self._form: SendForm | None = None
        self.ledger = Ledger(0)
        self._size = size
        self._random_ids = random_ids
        self._binary = plan.transport == "ws-msgpack"

    def join(self) -> None:
        """Take a place in the lane, once all its members are known."""
        if self.lane is None:
            return
        self._member = self.lane.members.index(self)
        self.ledger = Ledger(len(self.lane.members))
        if self in self.lane.senders:
            self._form = SendForm(
                binary=self._binary,
                conversation=self.lane.conversation,
                prefix=self.lane.prefix,
                member=self._member,
                size=self._size,
                random_ids=self._random_ids,
            )

    def known(self) -> Sent:
        return Sent(self.sent, frozenset(self.unanswered), frozenset(self.refused))

    # Opening and closing

    async def open(self, deadline: int) -> bool:
        """Connect, waiting as long as the server asks for, until it succeeds or now_us() is past `deadline`."""
        began = now_us()
        while not self.closing:
            outcome = await self._attempt()
            if outcome is None:
                self.opened_in = now_us() - began
                return True
            reason, wait = outcome
            if reason in ("http-503", "http-429"):
                self._tally.refused_connections += 1
            else:
                self._tally.errors[f"open: {reason}"] += 1
            pause = wait if wait is not None else 0.5
            if now_us() + pause * 1e6 > deadline:
                return False
            await asyncio.sleep(pause)
        return False

    async def _attempt(self) -> tuple[str, float | None] | None:
        loop = asyncio.get_running_loop()
        self._opening = loop.create_future()
        self._link = link = self._new_link()
        try:
            async with asyncio.timeout(_HANDSHAKE_SECONDS):
                await loop.create_connection(
                    lambda: link,
                    self._target.host,
                    self._target.port,
                    ssl=self._target.tls,
                    local_addr=(self._source, 0) if self._source else None,
                )
                return await self._opening
        except TimeoutError:
            link.drop()
            return "timeout", None
        except OSError as error:
            return type(error).__name__, None
        finally:
            self._opening = None

    def _new_link(self) -> WebSocketLink | SseLink | PollLink:
        token, transport = self.plan.token, self.plan.transport
        if transport == "sse":
            return SseLink(self, self._target, token, self.cursor)
        if transport == "long-poll":
            return PollLink(self, self._target, token, self.cursor, wait=30, interval=0.0)
        if transport == "short-poll":
            return PollLink(self, self._target, token, self.cursor, wait=0, interval=self._interval)
        return WebSocketLink(self, self._target, token, self.cursor, binary=self._binary)

    def cut(self) -> None:
        """Drop the connection as a dead network does."""
        self.is_open = False
        if self._link is not None:
            self._link.drop()

    async def close(self) -> None:
        self.closing = True
        if self._back is not None:
            self._back.cancel()
            await asyncio.gather(self._back, return_exceptions=True)
        self.cut()

    def link_open(self) -> None:
        self.is_open = True
        self._verdict = None
        for waiting in list(self.unanswered.values()):
            self._write(waiting)
        if self._opening is not None and not self._opening.done():
            self._opening.set_result(None)

    def link_closed(self, reason: str, retry_after: float | None) -> None:
        was_open, self.is_open = self.is_open, False
        if self._opening is not None and not self._opening.done():
            self._opening.set_result((reason, retry_after))
        elif was_open and not self.closing:
            what, wait = self._verdict or (reason, 0.5)
            self._tally.errors[f"closed: {what}"] += 1
            self._tally.reconnects += 1
            self._back = asyncio.get_running_loop().create_task(self._come_back(wait))

    async def _come_back(self, wait: float) -> bool:
        await asyncio.sleep(wait)
        return await self.open(now_us() + 60_000_000)

    # Sending

    def send(self) -> None:
        """Send one message of the lane. While cut off it is kept and goes out on the next connection."""
        form = self._form
        if form is None:
            raise TypeError("a connection without a WebSocket and a lane does not send")
        n = self.sent
        self.sent = n + 1
        self.unanswered[n] = data = form.frame(n, now_us())
        if self.is_open:
            self._write(data)

    def ping(self) -> None:
        if self.is_open and isinstance(self._link, WebSocketLink):
            self._write(_PING_MSGPACK if self._binary else _PING)

    def _write(self, data: bytes) -> None:
        if isinstance(self._link, WebSocketLink):
            self._link.write(data)

    def _again(self, n: int) -> None:
        waiting = self.unanswered.get(n)
        if waiting is not None and self.is_open:
            self._write(waiting)

    # Receiving

    def link_frame(self, frame: Frame, now: int) -> None:
        op = frame.op
        if op == "events":
            self._events(frame, now)
        elif op == "ack":
            self._ack(frame)
        elif op == "error":
            self._error(frame)
        elif op == "pong":
            self.pongs += 1
            self.cursor = frame.cursor or self.cursor
        elif op == "close":
            self._verdict = frame.do, frame.after or 0.0

    def _ack(self, frame: Frame) -> None:
        if frame.ref is not None and self.unanswered.pop(frame.ref - REF_BASE, None) is not None and self.lane is not None:
            self._tally.acked += 1
            if frame.position > self._tally.position:
                self._tally.position = frame.position
            lane = self.lane
            lane.outstanding -= 1
            if lane.outstanding < lane.limit:
                lane.pump()

    def _error(self, frame: Frame) -> None:
        self._tally.errors[frame.type or "error"] += 1
        n = (frame.ref or 0) - REF_BASE
        if n not in self.unanswered or self.lane is None:
            return
        if frame.retry_after is not None:
            asyncio.get_running_loop().call_later(frame.retry_after, self._again, n)
        else:
            del self.unanswered[n]
            self.refused.add(n)
            self.lane.outstanding -= self.lane.weight

    def _events(self, frame: Frame, now: int) -> None:
        if frame.cursor:
            self.cursor = frame.cursor
        if frame.limited:
            self._tally.errors[f"limited: {frame.type or 'cursor not continued'}"] += 1
        lane = self.lane
        if not frame.events or lane is None:
            return
        prefix, me, tally, ledger = lane.prefix, self._member, self._tally, self.ledger
        fresh = 0
        for event in frame.events:
            if event.type != "message" or event.content is None:
                continue
            text = event.content.text
            if text[:PREFIX] != prefix:
                tally.strays += text[:8] == prefix[:8]
                continue
            sender = int(text[14:18], 16)
            if sender != me:
                tally.delays.append(min(now - int(text[26:STAMP], 16), _LONGEST))
            if ledger.arrived(sender, int(text[18:26], 16)):
                fresh += 1
            if event.seq != self._seq + 1 and self._seq:
                tally.disorder += 1
            self._seq = event.seq
        tally.delivered += fresh
        lane.outstanding -= fresh
        if lane.outstanding < lane.limit:
            lane.pump()
