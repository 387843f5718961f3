"""The CIM gateway: the TCP port and the route's, started and stopped together."""

import asyncio
import contextlib
import logging
from functools import partial

from hongyan.config import Endpoint, parse_endpoint
from hongyan.gateways.cim.choosing import GATEWAY, ROUTE, Choosing
from hongyan.gateways.cim.connection import Connection
from hongyan.gateways.cim.house import CimServices, Counts, House
from hongyan.gateways.cim.http import Desk, HttpConnection, Pace
from hongyan.gateways.cim.route import Route
from hongyan.gateways.door.lists import Lists
from hongyan.gateways.door.peers import safely
from hongyan.gateways.door.sockets import BACKLOG, bind

log = logging.getLogger("hongyan.cim")

_STOP_SECONDS = 0.5
"""For clients to take their last bytes."""
_TICK_SECONDS = 1.0


class CimGateway:
    """`start` raises CannotListen. `stop` closes all connections and returns within two seconds."""

    def __init__(self, services: CimServices, *, pace: Pace | None = None) -> None:
        settings = services.settings
        self._settings = settings.cim
        self._shared = settings.node.workers > 1
        self._house = House(services)
        self._pace = pace or Pace(drain=settings.limits.drain_seconds)
        self._servers: list[asyncio.Server] = []
        self._lists: Lists | None = None
        self._desk: Desk | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.port = 0
        """The real ones, where port 0 was asked for."""
        self.route_port = 0

    @property
    def counts(self) -> Counts:
        return self._house.counts

    @property
    def connections(self) -> tuple[int, int]:
        """Open ones: of strangers, and logged in."""
        if self._lists is None:
            return 0, 0
        return len(self._lists) - self._lists.logged_in_count, self._lists.logged_in_count

    async def start(self) -> None:
        listen, route = parse_endpoint(self._settings.listen), parse_endpoint(self._settings.route)
        self._warn(listen, route)
        self._loop = asyncio.get_running_loop()
        limits = self._house.settings.limits
        tick = max(0.05, min(_TICK_SECONDS, self._settings.idle_seconds / 10, self._settings.login_seconds / 10))
        self._lists = Lists(most=self._settings.connections, drain=limits.drain_seconds, tick=tick)
        answer = Route(self._house, Choosing(self._house.messaging, self._settings)).answer
        most, body_bytes = limits.connections, self._house.settings.http.max_body
        self._desk = Desk(answer, self._house.task, self._pace, most, body_bytes, asyncio.Event())
        try:
            self.port = await self._listen(listen, partial(Connection, self._house, self._lists))
            self.route_port = await self._listen(route, partial(HttpConnection, self._desk))
        except BaseException:
            self._close()
            raise
        self._lists.start()
        self._tick()

    def addresses(self, listen: Endpoint, route: Endpoint) -> dict[str, str]:
        """What other nodes and clients are told, when they reach these ports there."""
        tcp = self._settings.address or str(Endpoint(listen.host, self.port))
        return {GATEWAY: tcp, ROUTE: self._settings.route_address or str(Endpoint(route.host, self.route_port))}

    async def stop(self) -> None:
        self._close()
        if self._timer is not None:
            self._timer.cancel()
        if self._desk is not None:
            self._desk.stopping = True
            for connection in list(self._desk.open):
                safely(connection.stop)
        if self._lists is not None:
            await self._lists.stop(_STOP_SECONDS)
        if self._desk is not None:
            await self._all_answered(self._desk)
        await self._house.stop()

    async def _all_answered(self, desk: Desk) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                while desk.open:
                    desk.fewer.clear()
                    await desk.fewer.wait()
        for connection in list(desk.open):
            connection.abort()

    async def _listen(self, endpoint: Endpoint, protocol: "partial[Connection] | partial[HttpConnection]") -> int:
        sockets = await self._loop.run_in_executor(None, bind, endpoint, self._shared)
        for one in sockets:
            self._servers.append(await self._loop.create_server(protocol, sock=one, backlog=BACKLOG))
        return int(sockets[0].getsockname()[1])

    def _close(self) -> None:
        for server in self._servers:
            server.close()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(_TICK_SECONDS, self._tick)
        now = self._loop.time()
        for connection in list(self._desk.open) if self._desk is not None else ():
            safely(partial(connection.look, now))

    def _warn(self, listen: Endpoint, route: Endpoint) -> None:
        for what, endpoint in (("cim.listen", listen), ("cim.route", route)):
            if not endpoint.local:
                log.warning(
                    "%s is %s: CIM encrypts nothing, and whoever reaches these ports can take part without a password, log in as "
                    "any account that was made by a CIM client, and read what it may read. Let only a network in that you trust, "
                    "and set cim.register = false where accounts are an administrator's to make",
                    what,
                    endpoint,
                )
