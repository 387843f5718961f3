"""The way from one of our domains to another server: a queue with a bound, and a stream that is made when there is something to
send. Who cannot be reached costs its senders an error, and nobody else anything.
"""

import asyncio
from base64 import b64encode
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.codec import quote
from hongyan.gateways.xmpp.dialects import SASL
from hongyan.gateways.xmpp.faults import Over, StanzaFault, StreamFault
from hongyan.gateways.xmpp.s2s.dialback import key
from hongyan.gateways.xmpp.s2s.dialing import CannotReach, Reached, again, dial
from hongyan.gateways.xmpp.s2s.link import DIALBACK, Link, LinkLost

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.s2s.federation import Federation

_ANSWER_SECONDS = 20.0
_IDLE_SECONDS = 600.0
_WAITING = 67_108_864
"""Characters that may wait for all servers together."""
_HEARD = 16
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 8.0
_PAUSE_SECONDS = 5.0
"""After a failure everything is answered with it for so long."""


class Waiting(msgspec.Struct, frozen=True):
    stanza: str
    over: Over
    since: float


class Route:
    def __init__(self, federation: "Federation", local: str, remote: str) -> None:
        self._federation = federation
        self.local = local
        self.remote = remote
        self.family = jid.family(remote)
        self._waiting: deque[Waiting] = deque()
        self._bytes = 0
        """Of those, in characters."""
        self._something = asyncio.Event()
        self._room = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._link: Link | None = None
        self._fault: StanzaFault | None = None
        self._until = 0.0
        self._pause = 0.0
        """Before it is called again."""
        self.how = ""
        """`external` or `dialback`, while it stands."""

    @property
    def count(self) -> int:
        """Stanzas that wait."""
        return len(self._waiting)

    @property
    def stands(self) -> bool:
        """There is a stream, or one is being made."""
        return self._task is not None

    @property
    def idle(self) -> bool:
        """Nothing is under way, and what failed may be tried again."""
        return self._task is None and not self._waiting and asyncio.get_running_loop().time() >= self._until

    async def room(self) -> None:
        """Wait until less waits than half of what may."""
        settings = self._federation.settings
        while len(self._waiting) > settings.s2s_queue // 2 or self._bytes > settings.s2s_queue_bytes // 2:
            self._room.clear()
            await self._room.wait()

    async def empty(self) -> None:
        """Wait until nothing waits."""
        while self._waiting:
            self._room.clear()
            await self._room.wait()

    def send(self, stanza: str, over: Over) -> None:
        """`over` is not called for what waits when this server stops."""
        settings = self._federation.settings
        if self._fault is not None and asyncio.get_running_loop().time() < self._until:
            over(self._fault)
        elif (
            len(self._waiting) >= settings.s2s_queue
            or self._bytes + len(stanza) > settings.s2s_queue_bytes
            or self._federation.waiting > _WAITING
        ):
            over(StanzaFault("resource-constraint", f"Too much waits for {self.remote}"))
        else:
            self._waiting.append(Waiting(stanza, over, asyncio.get_running_loop().time()))
            self._take(-len(stanza))
            self._something.set()
            if self._task is None:
                self._task = self._federation.task(self._run())

    def _take(self, size: int) -> None:
        """So much does not wait any more."""
        self._bytes -= size
        self._federation.waiting -= size

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            async with asyncio.timeout(self._federation.settings.s2s_seconds):
                link = await self._reached()
        except CannotReach as error:
            self._failed(StanzaFault(error.condition, str(error)))
        except TimeoutError:
            self._failed(StanzaFault("remote-server-timeout", f"{self.remote} does not answer"))
        except Exception:
            self._federation.log.exception("the way to %s failed", self.remote)
            self._failed(StanzaFault("remote-server-timeout"))
        else:
            self._fault = None
            self._link = link
            await self._write(link)
        finally:
            self._end()

    async def _reached(self) -> Link:
        """Where nobody answers it is tried again: the other side may be starting anew."""
        while True:
            await asyncio.sleep(self._pause)
            try:
                return await self._authenticated()
            except CannotReach as error:
                if not error.for_now:
                    raise
            self._rest()

    def _rest(self) -> None:
        """It is to be called again, each time later."""
        self._pause = min(max(2 * self._pause, _FIRST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)

    def _end(self) -> None:
        link, self._link, self._task, self.how = self._link, None, None, ""
        if link is not None:
            link.close()
        if self._waiting and not self._federation.stopping:  # it broke with something unsent
            self._rest()
            self._task = self._federation.task(self._run())
        elif not self._waiting and self._fault is None:
            self._federation.forget(self)

    def _failed(self, fault: StanzaFault) -> None:
        self._federation.log.info("%s cannot be reached from %s: %s", self.remote, self.local, fault.text or fault.condition)
        self._fault = fault
        self._pause = 0.0  # until then it is not called at all
        self._until = asyncio.get_running_loop().time() + _PAUSE_SECONDS
        waiting, self._waiting = self._waiting, deque()
        self._take(self._bytes)
        self._room.set()
        for one in waiting:
            one.over(fault)

    async def _write(self, link: Link) -> None:
        """What waits, until the stream ends or nothing was to be sent for long."""
        listening = self._federation.task(self._listen(link))
        try:
            while not link.lost:
                while self._waiting and not link.lost:
                    await link.drained()
                    if not link.lost:
                        self._one(link)
                self._something.clear()
                if self._waiting or link.lost:
                    continue
                async with asyncio.timeout(_IDLE_SECONDS):
                    await self._something.wait()
        except TimeoutError:
            if self._waiting:  # it does not read
                link.abort()
                self._failed(StanzaFault("remote-server-timeout", f"{self.remote} takes nothing"))
        finally:
            listening.cancel()

    def _one(self, link: Link) -> None:
        first = self._waiting[0]
        if asyncio.get_running_loop().time() - first.since > 2 * self._federation.settings.s2s_seconds:
            raise TimeoutError
        link.write(first.stanza)
        if not link.lost:
            self._waiting.popleft()
            self._take(len(first.stanza))
            self._pause = 0.0
            self._room.set()
            first.over(None)

    async def _listen(self, link: Link) -> None:
        """Nothing is said on a stream of ours but its end; who says more than a little is not listened to."""
        try:
            for _ in range(_HEARD):
                await link.next(1e9)
            link.abort()
            self._something.set()
        except (LinkLost, StreamFault):
            link.abort()
            self._something.set()

    async def _authenticated(self) -> Link:
        reached = await dial(self._federation, self.local, self.remote)
        link = reached.link
        try:
            if not await self._external(reached):
                await self._dialback(reached)
        except (LinkLost, StreamFault) as error:
            link.abort()
            raise CannotReach("remote-server-timeout", f"{self.remote} ended its stream: {error}") from None
        except BaseException:
            link.abort()
            raise
        return link

    async def _external(self, reached: Reached) -> bool:
        """SASL EXTERNAL (XEP-0178), where it is offered and taken."""
        offered = reached.features.child(f"{SASL} mechanisms")
        if not reached.trusted or offered is None or "EXTERNAL" not in [one.text for one in offered.children]:
            return False
        link = reached.link
        said = b64encode(self.local.encode()).decode()
        link.write(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>{said}</auth>")
        if (await link.next(_ANSWER_SECONDS)).name != f"{SASL} success":
            return False
        await again(link, self.local, self.remote)
        self.how = "external"
        return True

    async def _dialback(self, reached: Reached) -> None:
        if not self._federation.settings.s2s_dialback:
            raise CannotReach("remote-server-timeout", f"{self.remote} does not believe our certificate")
        made = key(self._federation.secret, self.remote, self.local, reached.stream)
        reached.link.write(f"<db:result from='{quote(self.local)}' to='{quote(self.remote)}'>{made}</db:result>")
        answer = await reached.link.next(_ANSWER_SECONDS)
        if answer.name != f"{DIALBACK} result" or answer.get("type") != "valid":
            raise CannotReach("remote-server-timeout", f"{self.remote} does not believe that we are {self.local}")
        self.how = "dialback"
