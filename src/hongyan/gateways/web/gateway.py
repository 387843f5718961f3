"""The web gateway: everything on one port, started and stopped together."""

import asyncio
from collections.abc import Mapping

from hongyan.config import parse_endpoint
from hongyan.gateways.door.tls import Certificate
from hongyan.gateways.web.app import build_app
from hongyan.gateways.web.port.listener import HttpPace, Listener
from hongyan.gateways.web.services import WebServices
from hongyan.gateways.web.websocket.context import Context
from hongyan.gateways.web.websocket.door import Door
from hongyan.gateways.web.websocket.output import Output
from hongyan.gateways.web.websocket.upkeep import Pace, Upkeep

_STOP_SECONDS = 8.0
_FINISH_SECONDS = 6.0
"""Of these, for running requests and for closings that are answered."""
_LOOK_SECONDS = 1.0
"""Between two looks at the files of the certificate."""


class WebGateway:
    """`start` raises CannotListen and CertificateError. `stop` ends all connections and returns within eight seconds."""

    def __init__(self, services: WebServices, *, pace: Pace | None = None, http_pace: HttpPace | None = None) -> None:
        limits = services.settings.limits
        self._services = services
        self._pace = pace or Pace(drain=limits.drain_seconds)
        self._http_pace = http_pace or HttpPace(drain=limits.drain_seconds)
        self._app = build_app(services)
        self._certificate: Certificate | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._listener: Listener | None = None

    @property
    def port(self) -> int:
        """The real one, where port 0 was asked for."""
        return self._listener.port if self._listener is not None else 0

    @property
    def websockets(self) -> int:
        """Open ones."""
        return self._context.open if self._listener is not None else 0

    @property
    def cut(self) -> int:
        """WebSockets that were ended because their reader took nothing for too long."""
        return self._upkeep.cut if self._listener is not None else 0

    @property
    def answers(self) -> Mapping[int, int]:
        """HTTP answers by status."""
        return self._app.answers

    @property
    def refused(self) -> Mapping[str, int]:
        """HTTP requests that were refused, by the code of the error."""
        return self._app.refused

    @property
    def trouble(self) -> str | None:
        """What somebody should look at: a certificate on the disk that cannot be used."""
        return self._certificate.trouble if self._certificate is not None else None

    async def start(self) -> None:
        http = self._services.settings.http
        if http.certificate is not None and http.key is not None:
            self._certificate = Certificate(http.certificate, http.key, "http/1.1")
        self._loop = asyncio.get_running_loop()
        self._upkeep = Upkeep(self._pace, self._loop)
        output = Output()
        self._context = Context(self._services.messaging, self._services.settings, output, self._upkeep)
        self._door = Door(self._services, self._context)
        tls = self._certificate.context if self._certificate is not None else None
        listener = Listener(self._app, self._door, pace=self._http_pace, tls=tls, admits=self._admits)
        await listener.start(parse_endpoint(http.listen), shared=self._services.settings.node.workers > 1)
        self._listener = listener
        self._upkeep.start()
        if self._certificate is not None:
            self._look()

    def reload(self) -> bool:
        """Read the certificate again, as on SIGHUP; whether it is in use now."""
        return self._certificate is None or self._certificate.reload()

    async def stop(self, after: float = 1.0) -> None:
        """Tell everybody to come back after about so many seconds, let running requests finish, then cut what is left."""
        if self._listener is None:
            return
        began = self._loop.time()
        self._listener.close()
        if self._looking is not None:
            self._looking.cancel()
        self._door.stop()
        self._services.messaging.sessions.stop(after)
        await self._listener.stop(began + _FINISH_SECONDS)
        await self._end_tasks(began + _FINISH_SECONDS)
        await self._upkeep.all_closed(began + _STOP_SECONDS)
        self._upkeep.stop()

    async def _end_tasks(self, deadline: float) -> None:
        tasks = self._context.tasks
        if tasks:
            await asyncio.wait(list(tasks), timeout=max(0.0, deadline - self._loop.time()))
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _admits(self, http_connections: int) -> bool:
        most = self._services.settings.limits.connections
        others = self._context.open + self._upkeep.waiting_count + self._upkeep.closing_count
        return http_connections + others <= most

    def _look(self) -> None:
        self._looking = self._loop.call_later(_LOOK_SECONDS, self._look)
        if self._certificate is not None and self._certificate.changed():
            self._certificate.reload()
