"""Who comes in as a WebSocket. What can be refused is refused before the handshake is answered, with a problem over HTTP.

Only a browser, whose token comes in the first frame, is let in before it is known, and waits in `login.py`.
"""

import asyncio
from functools import partial
from typing import Protocol

from hongyan.core.errors import HongyanError, NotAuthenticated, Overloaded
from hongyan.core.model import Caller
from hongyan.gateways.door.lent import Lodger
from hongyan.gateways.door.peers import site
from hongyan.gateways.door.rates import Rates
from hongyan.gateways.web.addresses import Proxies
from hongyan.gateways.web.authentication import bearer_token
from hongyan.gateways.web.lodgings import caller_of
from hongyan.gateways.web.origins import OriginRule
from hongyan.gateways.web.problems import unexpected
from hongyan.gateways.web.services import WebServices
from hongyan.gateways.web.websocket.codec import Auth
from hongyan.gateways.web.websocket.connection import Connection
from hongyan.gateways.web.websocket.context import Context
from hongyan.gateways.web.websocket.deflate import Agreement, Deflater
from hongyan.gateways.web.websocket.handshake import Offer, UpgradeRequest, read_offer, read_other
from hongyan.gateways.web.websocket.lent import Lent
from hongyan.gateways.web.websocket.login import Login
from hongyan.gateways.web.websocket.transport import hand_over
from hongyan.gateways.web.websocket.upkeep import Waiting
from hongyan.messaging import Session, Verdict

_STRANGERS = 1_000
"""Connections that may wait for their first frame."""
_STRANGERS_OF_A_SITE = 200
"""Of them, so that one address does not keep the others out."""


class Upgrading(Protocol):
    """An HTTP connection whose latest request asks to become a WebSocket."""

    transport: asyncio.Transport

    def release(self) -> None:
        """It is a WebSocket from now on."""

    def refuse(self, error: HongyanError) -> None:
        """Answer with a problem and close."""


class Door:
    def __init__(self, services: WebServices, context: Context) -> None:
        settings = services.settings
        self._sessions = services.messaging.sessions
        self._identity = services.identity
        self._context = context
        self._lodger = services.lodger
        self._compression = settings.http.compression
        self._origins = OriginRule(settings)
        self._proxies = Proxies(settings.http.trusted_proxies)
        self._sites = Rates(settings.limits.requests_per_second, settings.limits.requests_burst)
        self._deflaters: dict[int, Deflater] = {}
        self._stopping = False

    def knock(self, http: Upgrading, request: UpgradeRequest, pipelined: bytes) -> None:
        """Let it in, or refuse it, now or soon. `pipelined` is what came behind the handshake."""
        try:
            if self._stopping:
                raise _stopping()
            if self._lodger is not None and (path := _path(request)) in self._lodger.websockets:
                self._lend(self._lodger, path, http, request, pipelined)
                return
            offer, token = self._look_at(request)
        except HongyanError as error:
            http.refuse(error)
            return
        if token is not None:
            http.transport.pause_reading()
            self._context.task(self._enter(http, offer, token, self._site(request), pipelined))
            return
        http.release()
        http.transport.write(offer.answer)
        login = Login(
            http.transport,
            offer.codec,
            self._context.upkeep,
            lambda login, message: self._log_in(login, offer, message),
            site=self._site(request),
            compresses=offer.deflate is not None,
        )
        http.transport.set_protocol(login)
        login.begin(pipelined)

    def stop(self) -> None:
        """Let nobody in any more, and send away who has not logged in."""
        self._stopping = True
        for login in self._context.upkeep.waiting:
            self._send_away(login)

    def _send_away(self, login: Waiting) -> None:
        error = _stopping()
        login.refuse(None, error, Verdict("later", error.retry_after, error.detail))

    def _lend(self, lodger: Lodger, path: str, http: Upgrading, request: UpgradeRequest, pipelined: bytes) -> None:
        """To another gateway. Raises OriginRefused, RateLimited, Overloaded, Invalid, MethodNotAllowed."""
        headers, peer = request.headers, request.peer
        scheme = self._proxies.scheme(peer, request.scheme, headers)
        self._origins.check_headers(headers, scheme)
        self._sites.spend(self._site(request))
        lodger.admit()
        answer = read_other(request, lodger.websockets[path])
        http.release()
        http.transport.write(answer)
        lent = Lent(self._context, http.transport)
        lent.talker = lodger.talk(path, lent, caller_of(self._proxies.client(peer, headers), scheme, headers))
        http.transport.set_protocol(lent)
        lent.begin(pipelined)

    def _look_at(self, request: UpgradeRequest) -> tuple[Offer, str | None]:
        """Everything that can be told from the request alone. No token: it comes in the first frame."""
        headers, peer = request.headers, request.peer
        self._origins.check_headers(headers, self._proxies.scheme(peer, request.scheme, headers))
        try:
            token = bearer_token(headers)
        except NotAuthenticated:
            self._sites.spend(self._site(request))
            raise
        offer = read_offer(request, compression=self._compression)
        if token is None:
            whence, upkeep = self._site(request), self._context.upkeep
            self._sites.spend(whence)
            if upkeep.waiting_count >= _STRANGERS or upkeep.waiting_from(whence) >= _STRANGERS_OF_A_SITE:
                raise Overloaded("Too many connections have not logged in yet", retry_after=2.0)
        return offer, token

    def _site(self, request: UpgradeRequest) -> str:
        return site(self._proxies.client(request.peer, request.headers))

    async def _enter(self, http: Upgrading, offer: Offer, token: str, whence: str, pipelined: bytes) -> None:
        try:
            connection = self._connection(http.transport, offer, await self._who(token, whence))
            session = await self._open(connection, offer)
        except HongyanError as error:
            http.refuse(error)
            return
        except asyncio.CancelledError:
            http.refuse(_stopping())
            raise
        if http.transport.is_closing():
            session.close()
            return
        http.release()
        http.transport.write(offer.answer)
        self._begin(connection, session, http.transport, b"", pipelined)

    def _log_in(self, login: Login, offer: Offer, message: bytes) -> None:
        """The first message of a connection without a token."""
        self._context.upkeep.arrived(login)
        try:
            request = offer.codec.request(message)
            if not isinstance(request, Auth):
                raise NotAuthenticated('The first frame is {"op":"auth","token":...}')
        except NotAuthenticated as error:
            login.refuse(offer.codec.ref_of(message), error, Verdict("login", reason=error.detail))
        except HongyanError as error:
            login.refuse(offer.codec.ref_of(message), error, Verdict("stop", reason=error.detail))
        else:
            self._context.task(self._enter_late(login, offer, request.token, request.ref))

    async def _enter_late(self, login: Login, offer: Offer, token: str, ref: int | None) -> None:
        try:
            connection = self._connection(login.transport, offer, await self._who(token, None))
            session = await self._open(connection, offer)
        except NotAuthenticated as error:
            login.refuse(ref, error, Verdict("login", reason=error.detail))
            return
        except HongyanError as error:
            login.refuse(ref, error, Verdict("later", error.retry_after or 1.0, error.detail))
            return
        except asyncio.CancelledError:
            self._send_away(login)
            raise
        if login.transport.is_closing():
            session.close()
            return
        self._begin(connection, session, login.transport, offer.codec.welcome(ref, connection.caller.user), login.pipelined)

    async def _who(self, token: str, whence: str | None) -> Caller:
        """The user behind a token. Raises nothing but HongyanError."""
        try:
            return await self._identity.find(token)
        except NotAuthenticated:
            if whence is not None:
                self._sites.spend(whence)
            raise
        except HongyanError:
            raise
        except Exception as error:
            raise unexpected(error, "letting a WebSocket in") from None

    def _connection(self, transport: asyncio.Transport, offer: Offer, caller: Caller) -> Connection:
        return Connection(self._context, transport, caller, offer.codec, self._deflater(offer.deflate))

    async def _open(self, connection: Connection, offer: Offer) -> Session:
        """Raises nothing but HongyanError."""
        try:
            return await self._sessions.open(connection.caller, "websocket", offer.cursor, connection.wake, connection.end)
        except NotAuthenticated:
            verdict = connection.verdict
            if verdict is None or verdict.do == "login":
                raise
            raise Overloaded(verdict.reason, retry_after=verdict.after) from None
        except HongyanError:
            raise
        except Exception as error:
            raise unexpected(error, "opening a WebSocket") from None

    def _begin(
        self, connection: Connection, session: Session, transport: asyncio.Transport, welcome: bytes, pipelined: bytes
    ) -> None:
        begin = partial(connection.begin, session, welcome)
        try:
            hand_over(transport, connection, begin, pipelined, self._context.hard_frame_bytes)
        except Exception as error:
            unexpected(error, "handing a WebSocket over")
            session.close()
            transport.abort()

    def _deflater(self, agreement: Agreement | None) -> Deflater | None:
        """One for each size of window, shared by all connections that have agreed on it."""
        if agreement is None:
            return None
        bits = agreement.window_bits
        if bits not in self._deflaters:
            self._deflaters[bits] = Deflater(bits)
        return self._deflaters[bits]


def _path(request: UpgradeRequest) -> str:
    return request.target.partition(b"?")[0].decode("latin-1")


def _stopping() -> Overloaded:
    return Overloaded("The server is stopping", retry_after=1.0)
