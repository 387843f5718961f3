"""One session of BOSH: requests in the order of their numbers, answers that may be asked for again, what waits for one."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from hongyan.gateways.xmpp.bosh.bodies import INACTIVE_SECONDS, PAUSE_SECONDS, XBOSH, Opening, began, body, number, terminate
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.faults import StreamFault
from hongyan.gateways.xmpp.framed import declared
from hongyan.gateways.xmpp.stream import STREAMS, Stream

if TYPE_CHECKING:
    from hongyan.gateways.door.lists import Lists
    from hongyan.gateways.xmpp.bosh.sessions import Bosh
    from hongyan.gateways.xmpp.house import House


class _Held:
    """A request that is not answered. Without a future its connection is gone, and it may come again."""

    __slots__ = ("future", "until")

    def __init__(self, future: "asyncio.Future[str]", until: float) -> None:
        self.future: asyncio.Future[str] | None = future
        self.until = until


class Session:
    """A Wire. `begin` opens the stream; then each request of the client is given to `request`."""

    tls_offered = False
    bindings: Mapping[str, bytes] = {}

    def __init__(
        self, house: "House", lists: "Lists", bosh: "Bosh", sid: str, rid: int, opening: Opening, address: str, *, secure: bool
    ) -> None:
        self._house = house
        self._lists = lists
        self._bosh = bosh
        self._loop = asyncio.get_running_loop()
        self._opening = opening
        self.sid = sid
        self.address = address
        self.secure = secure
        self.known = False
        """Somebody has logged in."""
        self.most = house.settings.xmpp.stranger_bytes
        self._stream = Stream(house, self)
        self._next = rid
        """The number of the request whose turn it is."""
        self._held: OrderedDict[int, _Held] = OrderedDict()
        self._early: dict[int, tuple[Element, int]] = {}
        self._answers: OrderedDict[int, str] = OrderedDict()
        """The last ones, by request: a client whose connection broke asks again."""
        self._answered = 0
        self._inbox: deque[tuple[Literal["head", "stanza", "end", "done"], Element, int]] = deque()
        """What was said, and behind the last of a request how many bytes that had."""
        self._inbox_bytes = 0
        self._out: list[str] = []
        self._size = 0
        self._first: dict[str, str] = {}
        """Attributes of the next answer."""
        self._failed = self._closing = self._gone = self._paused = self._full = self._due = False
        self._since = self._quiet = self._loop.time()
        self._patience: float = INACTIVE_SECONDS
        self._condition: str | None = None

    def begin(self) -> None:
        if self._lists.admit(self):
            self._head(self._opening.to, self._opening.version)
        else:
            self._stream.fail(StreamFault("resource-constraint", "There are as many connections as there may be"))

    # Requests

    async def request(self, rid: int, element: Element, size: int) -> str:
        """The answer, when it is time for it. The first request is the one that began the session."""
        if rid in self._answers:
            return self._answers[rid]
        if self._gone:
            return terminate("item-not-found")
        again = self._held.get(rid)
        if again is not None:
            if again.future is not None and not again.future.done():
                again.future.set_result(body((), {"type": "error"}))  # section 14.3: the older of the two
        elif not self._next <= rid < self._next + self._opening.requests:
            self.refuse("item-not-found")
            return terminate("item-not-found")
        else:
            self._early[rid] = element, size
        held = self._held[rid] = _Held(self._loop.create_future(), self._loop.time() + self._opening.wait)
        self._held = OrderedDict(sorted(self._held.items()))
        self._patience = INACTIVE_SECONDS
        self._take()
        self._settle_soon()
        return await self._wait(held)

    async def _wait(self, held: _Held) -> str:
        future = held.future
        if future is None:
            return terminate("item-not-found")
        try:
            return await future
        finally:
            if held.future is future:
                held.future = None
            self._quiet = self._loop.time()

    def refuse(self, condition: str) -> None:
        """The client has broken the rules of BOSH: the session ends."""
        self._condition = condition
        self._stream.close()
        self.close()

    def _take(self) -> None:
        """What has its turn now."""
        while self._next in self._early and not self._closing:
            element, size = self._early.pop(self._next)
            self._next += 1
            if size == 0:
                continue  # it began the session
            self._inbox_bytes += size
            if element.get(f"{XBOSH} restart") in ("true", "1"):
                self._inbox.append(("head", element, 0))
            self._inbox += [("stanza", child, 0) for child in element.children]
            self._inbox.append(("end" if element.get("type") == "terminate" else "done", element, size))
            if (pause := number(element.get("pause"))) is not None:
                if pause > PAUSE_SECONDS:
                    self.refuse("policy-violation")
                    return
                self._patience = max(pause, 1)
                self._answer_all()
        self._work()

    def _work(self) -> None:
        while self._inbox and not self._paused and not self._closing:
            kind, element, size = self._inbox.popleft()
            self._inbox_bytes -= size
            if kind == "stanza":
                self._stream.received(element)
            elif kind == "head":
                self._head(element.get("to") or self._house.domain, "1.0")
            elif kind == "end":
                self._stream.ended()

    def _head(self, to: str, version: str) -> None:
        self._stream.head(Element(f"{STREAMS} stream", {"to": to, "version": version}))

    # Answers

    def _settle_soon(self) -> None:
        if not self._due:
            self._due = True
            self._loop.call_soon(self._settle)

    def _settle(self) -> None:
        """Answer what can be answered."""
        self._due = False
        if self._closing:
            self._answer_all()
            return
        if self._out:
            self._answer()
        while self._waiting > self._opening.hold and self._inbox_bytes <= self.most and self._answer():
            pass

    @property
    def _waiting(self) -> int:
        return sum(1 for held in self._held.values() if held.future is not None)

    def _answer_all(self) -> None:
        while self._answer():
            pass

    def _answer(self) -> bool:
        """The oldest request whose client is there, with all there is; those before it, whose clients are gone, with nothing."""
        rid = next((rid for rid, held in self._held.items() if held.future is not None and not held.future.done()), None)
        if rid is None or (rid >= self._next and not self._closing):
            return False
        for gone in [one for one in self._held if one < rid]:
            del self._held[gone]
            self._remember(gone, body())
        held = self._held.pop(rid)
        if held.future is not None:
            held.future.set_result(self._remember(rid, self._compose()))
        return True

    def _compose(self) -> str:
        stanzas, self._out, self._size = self._out, [], 0
        first, self._first = self._first, {}
        self._answered += 1
        if self._closing:
            return body(stanzas, {**first, "type": "terminate", **({"condition": self._condition} if self._condition else {})})
        if self._full:
            self._full = False
            self._lists.not_full(self)
            self._loop.call_soon(self._stream.room)
        return body(stanzas, first)

    def _remember(self, rid: int, answer: str) -> str:
        self._answers[rid] = answer
        while len(self._answers) > self._opening.requests:
            self._answers.popitem(last=False)
        return answer

    # Wire

    def open(self, attributes: Mapping[str, str]) -> None:
        if not self._answered:
            self._first = began(self.sid, self._opening, attributes)

    def write(self, xml: str) -> None:
        if self._closing:
            return
        if xml.startswith("<stream:error"):
            self._condition = "remote-stream-error"
        self._out.append(declared(xml))
        self._size += len(xml)
        self._settle_soon()
        if self._size > self._house.settings.limits.write_buffer and not self._full:
            self._full = True
            self._lists.full(self)
            self._stream.full()

    def start_tls(self) -> None:
        """It is never offered."""

    def restart(self) -> None:
        """The client asks for it with an attribute."""

    def logged_in(self) -> None:
        self._lists.logged_in(self)
        self.most = self._house.settings.xmpp.stanza_bytes
        self.known = True
        self._bosh.logged_in(self)

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        if self._inbox:
            self._loop.call_soon(self._work)
        self._settle_soon()

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        self._inbox.clear()
        self._early.clear()
        self._lists.closing(self)
        self._answer_all()
        if self._house.stopping:
            self.drop()

    # Listed

    def tick(self, now: float) -> None:
        if self._closing:
            return
        if not self._stream.bound and now - self._since > self._house.settings.xmpp.login_seconds:
            self._stream.fail(StreamFault("connection-timeout", "Log in sooner"))
        elif not self._waiting and now - self._quiet > self._patience:
            self.drop()
        while any(held.until <= now and held.future is not None for held in self._held.values()) and self._answer():
            pass

    def progress(self) -> object:
        return self._answered

    def stuck(self) -> None:
        self.drop()

    def dismiss(self, reason: str, detail: str) -> None:
        self._stream.fail(StreamFault("system-shutdown" if reason == "stopping" else "resource-constraint", detail))

    def settled(self) -> bool:
        return True

    def drop(self) -> None:
        """It is gone, whoever asks for it."""
        if self._gone:
            return
        self._closing = self._gone = True
        self._answer_all()
        self._bosh.gone(self)
        self._lists.gone(self)
        self._stream.lost()
