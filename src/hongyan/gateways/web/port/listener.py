"""The port: accepts connections for HTTP and WebSockets, with or without TLS, and stops in a bounded time."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from email.utils import formatdate

import msgspec
from uvicorn import Config
from uvicorn.server import ServerState

from hongyan.config import Endpoint
from hongyan.gateways.door.sockets import BACKLOG, bind
from hongyan.gateways.web.asgi import ASGIApp, Receive, Scope, Send
from hongyan.gateways.web.port.http import HttpProtocol
from hongyan.gateways.web.websocket.door import Door

_TASK_SECONDS = 0.5
"""For the work on requests to notice that their connections are gone."""


class HttpPace(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds."""

    head: float = 10.0
    """For the head of a request to come, once it has begun or the connection was made."""
    body: float = 60.0
    keep_alive: int = 75
    drain: float = 20.0
    """That a client may take nothing of an answer."""
    tick: float = 1.0
    handshake: float = 10.0
    """For the handshake of TLS."""


class Listener:
    def __init__(
        self, app: ASGIApp, door: Door, *, pace: HttpPace, tls: ssl.SSLContext | None, admits: Callable[[int], bool]
    ) -> None:
        self._door = door
        self._pace = pace
        self._tls = tls
        self._admits = admits
        self._state = ServerState()
        self._app = app
        self._cutting = False
        self._config = Config(
            self._answer,
            http=HttpProtocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=pace.keep_alive,
        )
        self._servers: list[asyncio.Server] = []
        self._timer: asyncio.TimerHandle | None = None
        self._fewer = asyncio.Event()
        """A connection of HTTP has ended."""
        self.port = 0

    @property
    def connections(self) -> int:
        """Those of HTTP."""
        return len(self._state.connections)

    async def start(self, endpoint: Endpoint, *, shared: bool = False) -> None:
        """`shared`: with other processes that listen on the same port. Raises CannotListen."""
        if not self._config.loaded:
            self._config.load()
        self._loop = asyncio.get_running_loop()
        sockets = await self._loop.run_in_executor(None, bind, endpoint, shared)
        self.port = sockets[0].getsockname()[1]
        handshake = self._pace.handshake if self._tls is not None else None
        for one in sockets:
            server = await self._loop.create_server(
                self._protocol, sock=one, backlog=BACKLOG, ssl=self._tls, ssl_handshake_timeout=handshake
            )
            self._servers.append(server)
        self._tick()

    def close(self) -> None:
        """Accept nobody any more."""
        for server in self._servers:
            server.close()

    async def stop(self, deadline: float) -> None:
        """Let running requests finish until `deadline` of the loop's clock, then cut what is left."""
        self.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                while self._state.connections:
                    self._fewer.clear()
                    await self._fewer.wait()
        if self._timer is not None:
            self._timer.cancel()
        self._cutting = True
        for connection in list(self._state.connections):
            connection.transport.abort()
        tasks = list(self._state.tasks)
        if tasks:  # most are about to end by themselves, since nobody is there to be answered
            await asyncio.wait(tasks, timeout=_TASK_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A request that is cut when the server stops is no fault: uvicorn would log whatever is raised as one."""
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            if not self._cutting:
                raise

    def _protocol(self) -> asyncio.Protocol:
        pace = self._pace
        return HttpProtocol(
            self._config,
            self._state,
            self._door,
            admits=lambda: self._admits(len(self._state.connections)),
            gone=self._fewer.set,
            head_seconds=pace.head,
            body_seconds=pace.body,
        )

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._pace.tick, self._tick)
        self._state.default_headers = [(b"date", formatdate(time.time(), usegmt=True).encode())]
        now = self._loop.time()
        for connection in list(self._state.connections):
            connection.look(now, self._pace.drain)  # type: ignore[union-attr]  # uvicorn lists protocols of other kinds, too
