"""One TCP connection: the shell around the state machine of `session.py`."""

import asyncio

from hongyan.core.errors import HongyanError, RateLimited
from hongyan.features.cim import Admitted, Confirmed, LoginRefused
from hongyan.gateways.cim.house import House, log
from hongyan.gateways.cim.outgoing import Outgoing
from hongyan.gateways.cim.session import Close, Effect, LogIn, Session, Write
from hongyan.gateways.door.lists import Lists
from hongyan.gateways.door.peers import address_of, site
from hongyan.gateways.door.progress import progress
from hongyan.messaging import Session as Stream
from hongyan.messaging import Verdict


class Connection(asyncio.Protocol):
    __slots__ = (
        "_house", "_lists", "_loop", "_outgoing", "_session", "_stream", "_transport", "_written", "address", "admitted",
    )  # fmt: skip

    def __init__(self, house: House, lists: Lists) -> None:
        self._house = house
        self._lists = lists
        self._loop = asyncio.get_running_loop()
        cim = house.settings.cim
        self._session = Session(
            self._loop.time(),
            frame_bytes=cim.frame_bytes,
            idle_seconds=cim.idle_seconds,
            login_seconds=cim.login_seconds,
        )
        self.admitted: Admitted
        """Once it is logged in."""
        self._stream: Stream | None = None
        self._outgoing: Outgoing | None = None
        self._written = 0
        """Before the log-in."""
        self.address = "unknown"

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self.address = address_of(transport)
        transport.set_write_buffer_limits(high=self._house.settings.limits.write_buffer)
        if not self._lists.admit(self):
            self.dismiss("full", "there are as many connections as there may be")

    def data_received(self, data: bytes) -> None:
        before = self._session.frames
        self._do(self._session.received(data, self._loop.time()))
        self._house.counts.frames_in += self._session.frames - before

    def pause_writing(self) -> None:
        """What a peer asks that does not read is not answered: it is not heard."""
        self._transport.pause_reading()
        self._lists.full(self)
        if self._outgoing is not None:
            self._outgoing.pause()

    def resume_writing(self) -> None:
        self._lists.not_full(self)
        if not self._transport.is_closing():
            self._transport.resume_reading()
        if self._outgoing is not None:
            self._outgoing.resume()

    def connection_lost(self, error: Exception | None) -> None:
        self._session.closed()
        self._lists.gone(self)
        if self._outgoing is not None:
            self._house.cim.disconnected(self)
            self._outgoing.close()
        if self._stream is not None:
            self._stream.close()

    # hongyan.features.cim.Connected

    def confirmed(self) -> Confirmed:
        return self._outgoing.confirmed() if self._outgoing is not None else Confirmed(0)

    def fetch(self) -> None:
        if self._outgoing is not None:
            self._outgoing.fetch()

    def end(self, reason: str) -> None:
        self.dismiss("ended", reason)

    # For the timer

    def tick(self, now: float) -> None:
        self._do(self._session.tick(now))

    def progress(self) -> object:
        return progress(self._transport)

    def stuck(self) -> None:
        self.dismiss("stuck", "nothing was taken for too long")
        self._transport.abort()

    def settled(self) -> bool:
        if self._outgoing is None:
            return True
        self._outgoing.close()
        return self._outgoing.confirmed().whole

    def drop(self) -> None:
        self._transport.abort()

    def dismiss(self, reason: str, detail: str) -> None:
        """`reason` is a word for the metrics."""
        if self._transport.is_closing():
            return
        self._session.closed()
        self._house.counts.closed[reason] += 1
        who = self.admitted.caller.user if self._outgoing is not None else "a stranger"
        level = log.info if reason in ("protocol", "ended", "stuck") else log.debug
        level("CIM connection of %s from %s closed: %s", who, self.address, detail)
        if self._outgoing is not None:
            self._outgoing.close()
        if self._stream is not None:
            self._stream.close()
        self._lists.closing(self)
        self._transport.close()

    def _do(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Write(data):
                    self._house.counts.frames_out += 1
                    if self._outgoing is not None:
                        self._outgoing.write(data)
                    else:
                        self._written += len(data)
                        self._transport.write(data)
                case LogIn(number, name):
                    self._house.task(self._log_in(number, name))
                case Close(reason, detail):
                    self.dismiss(reason, detail)

    async def _log_in(self, number: int, name: str) -> None:
        outcome = "internal"
        try:
            self._house.sites.spend(site(self.address))
            admitted, stream = await self._house.cim.log_in(number, name, self.address, self._wake, self._verdict)
        except LoginRefused as refused:
            outcome = refused.reason
            log.info("CIM log-in of %d from %s refused: %s", number, self.address, refused)
        except HongyanError as error:
            outcome = error.code
            level = log.debug if isinstance(error, RateLimited) else log.warning
            level("CIM log-in of %d from %s failed: %s", number, self.address, error.detail)
        except Exception:
            log.exception("a CIM log-in failed")
        else:
            outcome = "ok"
            self._let_in(admitted, stream)
        self._house.counts.logins[outcome] += 1
        if outcome != "ok":
            self.dismiss("login", f"log-in refused: {outcome}")

    def _let_in(self, admitted: Admitted, stream: Stream) -> None:
        self.admitted, self._stream = admitted, stream
        self._outgoing = Outgoing(self._house, self._transport, admitted, stream, self._written, self._moved, self.dismiss)
        if self._transport.is_closing():  # it went away meanwhile, and that was told to nobody
            self._house.cim.disconnected(self)
            self._outgoing.close()
            stream.close()
            return
        self._lists.logged_in(self)
        log.info("CIM log-in of %s from %s", admitted.caller.user, self.address)
        self._house.cim.connected(self)
        self._do(self._session.admitted(self._loop.time()))
        self._outgoing.wake()

    def _wake(self) -> None:
        if self._outgoing is not None:
            self._outgoing.wake()

    def _moved(self) -> None:
        self._house.cim.keeping.moved(self)

    def _verdict(self, verdict: Verdict) -> None:
        self.dismiss("stopping" if verdict.do in ("resume", "later") else "ended", verdict.reason)
