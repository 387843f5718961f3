"""The XMPP gateway: its ports and what it has on the web port, started and stopped together."""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial

from OpenSSL import SSL

from hongyan.config import Endpoint, parse_endpoint
from hongyan.config.settings import Http
from hongyan.config.settings import Xmpp as XmppSettings
from hongyan.features.xmpp import Forwarding, Waking
from hongyan.gateways.door.lists import Lists
from hongyan.gateways.door.sockets import BACKLOG, CannotListen, bind
from hongyan.gateways.door.tls import Certificate
from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.house import Counts, House, XmppServices
from hongyan.gateways.xmpp.overview import Overview
from hongyan.gateways.xmpp.s2s.federation import Federation
from hongyan.gateways.xmpp.s2s.publishing import Publishing
from hongyan.gateways.xmpp.s2s.tls import make_context
from hongyan.gateways.xmpp.tcp import TcpStream
from hongyan.gateways.xmpp.web import Web
from hongyan.gateways.xmpp.xeps import table

log = logging.getLogger("hongyan.xmpp")

_STOP_SECONDS = 0.5
"""For clients to take their last bytes."""
_TICK_SECONDS = 1.0
_HANDSHAKE_SECONDS = 10.0


class XmppGateway:
    """`start` raises CannotListen and CertificateError. `stop` closes all connections and returns within three seconds."""

    def __init__(self, services: XmppServices) -> None:
        settings = services.settings
        self._settings = settings.xmpp
        self._http = settings.http
        self._shared = settings.node.workers > 1
        self._drain = settings.limits.drain_seconds
        self._house = House(services, table())
        self._forwarding: Forwarding | None = None
        self.overview = Overview(self._house)
        self.web = Web(self._house)
        """What is served on the web port."""
        self._servers: list[asyncio.Server] = []
        self._lists: Lists | None = None
        self._certificate: Certificate | None = None
        self._looking: asyncio.TimerHandle | None = None
        self.ports: dict[str, int] = {}
        """The real ones, by setting, where port 0 was asked for."""

    @property
    def _files(self) -> "Http | XmppSettings":
        """Whose certificate it shows."""
        return self._settings if self._settings.certificate is not None else self._http

    @property
    def counts(self) -> Counts:
        return self._house.counts

    @property
    def connections(self) -> tuple[int, int]:
        """Open ones: of strangers, and logged in."""
        if self._lists is None:
            return 0, 0
        return len(self._lists) - self._lists.logged_in_count, self._lists.logged_in_count

    @property
    def detached(self) -> int:
        """Resources whose connection is gone, and who may come back."""
        return self._house.detached

    @property
    def woken(self) -> tuple[Mapping[str, int], int]:
        """Notifications to push services by outcome, and how many wait."""
        waking = self._house.waking
        return ({}, 0) if waking is None else (waking.counts, waking.waiting)

    @property
    def trouble(self) -> str | None:
        """What somebody should look at: a certificate on the disk that cannot be used."""
        return self._certificate.trouble if self._certificate is not None else None

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        files = self._files
        if files.certificate is not None and files.key is not None:
            self._certificate = Certificate(files.certificate, files.key, "xmpp-client")
        tick = max(0.05, min(_TICK_SECONDS, self._settings.login_seconds / 10, self._settings.idle_seconds / 10))
        lists = self._lists = Lists(most=self._settings.connections, drain=self._drain, tick=tick)
        try:
            if self._settings.s2s:
                await self._federate(parse_endpoint(self._settings.s2s))
            if self._settings.c2s:
                await self._listen("c2s", parse_endpoint(self._settings.c2s), lists, direct=False)
            if self._settings.c2s_tls:
                await self._listen("c2s_tls", parse_endpoint(self._settings.c2s_tls), lists, direct=True)
        except BaseException:
            self._close()
            raise
        lists.start()
        self.web.start(lists)
        self._look()

    async def stop(self) -> None:
        self._close()
        if self._forwarding is not None:
            await self._forwarding.stop()
        if self._house.federation is not None:
            await self._house.federation.stop()
        if self._looking is not None:
            self._looking.cancel()
        await self._house.stop()
        if self._lists is not None:
            await self._lists.stop(_STOP_SECONDS)

    async def _listen(self, name: str, endpoint: Endpoint, lists: Lists, *, direct: bool) -> None:
        trusted = endpoint.local and self._settings.allow_plaintext
        if self._certificate is None and (direct or not trusted):
            raise CannotListen(f"XMPP on {endpoint} needs a certificate: give xmpp.certificate and xmpp.key, or those of http")
        if self._settings.allow_plaintext and not endpoint.local:
            log.warning("xmpp.allow_plaintext does not count for %s, which is no loopback address", endpoint)
        make = partial(TcpStream, self._house, lists, self._certificate, direct=direct, trusted=trusted)
        tls = self._certificate.context if direct and self._certificate is not None else None
        handshake = _HANDSHAKE_SECONDS if tls is not None else None
        sockets = await self._loop.run_in_executor(None, bind, endpoint, self._shared)
        for one in sockets:
            self._servers.append(
                await self._loop.create_server(make, sock=one, backlog=BACKLOG, ssl=tls, ssl_handshake_timeout=handshake)
            )
        self.ports[name] = int(sockets[0].getsockname()[1])

    async def _federate(self, endpoint: Endpoint) -> None:
        federation = Federation(self._house, self._context())
        self._house.federation = federation
        sockets = await self._loop.run_in_executor(None, bind, endpoint, self._shared)
        for one in sockets:
            self._servers.append(await self._loop.create_server(federation.accepted, sock=one, backlog=BACKLOG))
        self.ports["s2s"] = int(sockets[0].getsockname()[1])
        await federation.start()
        self._forwarding = self._house.xmpp.forwarding(federation.visitors.forward)
        await self._forwarding.start()
        if self._house.xmpp.registrations.possible:
            self._wake(federation)

    def _wake(self, federation: Federation) -> None:
        """Devices that sleep, from now on."""
        house = self._house
        house.waking = Waking(
            house.xmpp.registrations,
            Publishing(house, federation.asking).publish,
            present=house.messaging.attendance.awake_of,
            site=lambda service: jid.family(jid.parse(service).domain),
            queue=house.settings.push.queue,
            clock=house.now,
        )
        house.push.add(house.waking)

    def _context(self) -> SSL.Context:
        """Made anew when the certificate has changed: see `_look`."""
        files = self._files
        if files.certificate is None or files.key is None:
            raise CannotListen(
                "XMPP with other servers needs a certificate: give xmpp.certificate and xmpp.key, or those of http"
            )
        return make_context(files.certificate, files.key, self._settings.s2s_authorities)

    def _close(self) -> None:
        for server in self._servers:
            server.close()

    def _look(self) -> None:
        self._looking = self._loop.call_later(_TICK_SECONDS, self._look)
        self._house.look_for_silence(self._loop.time())
        if self._certificate is None or not self._certificate.changed() or not self._certificate.reload():
            return
        if self._house.federation is not None:
            self._house.federation.context = self._context()
