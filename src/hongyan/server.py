"""The composition root: builds every part from the settings, starts them in order and stops them in reverse."""

import asyncio
import contextlib
import gc
import logging
import os
import resource
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import NoReturn

import structlog
import uvloop

from hongyan import __version__
from hongyan.config import Endpoint, Settings, parse_endpoint
from hongyan.demo import is_new, make
from hongyan.features.avatars import Avatars
from hongyan.features.cim import Cim
from hongyan.features.files import Files
from hongyan.features.identity import Identity
from hongyan.features.push import Browsers, Push
from hongyan.features.search import Search
from hongyan.features.timers import Going, Timers
from hongyan.features.xmpp import Watchers, Xmpp
from hongyan.gateways.cim.gateway import CimGateway
from hongyan.gateways.cim.house import CimServices
from hongyan.gateways.door.sockets import CannotListen
from hongyan.gateways.door.tls import CertificateError
from hongyan.gateways.web.gateway import WebGateway
from hongyan.gateways.web.services import WebServices
from hongyan.gateways.xmpp.gateway import XmppGateway
from hongyan.gateways.xmpp.house import XmppServices
from hongyan.messaging import Messaging, now_ms
from hongyan.operation import certificate, logs
from hongyan.operation.checks import Following, Room, Seldom
from hongyan.operation.directory import DataDirectory
from hongyan.operation.doctor_tls import trouble_of_xmpp
from hongyan.operation.health import Health
from hongyan.operation.metrics import (
    Metrics,
    of_bus,
    of_cim,
    of_files,
    of_identity,
    of_messaging,
    of_push,
    of_search,
    of_store,
    of_timers,
    of_waking,
    of_web,
    of_xmpp,
)
from hongyan.operation.opening import bus_of, store_of
from hongyan.store.postgres_connection import shown

log = logging.getLogger("hongyan.server")

_OUT_OF_TOUCH = "This node has not seen the end of the shared log for a while: it acts on nothing until it has"
_PARTED = (
    "The database has lost what it had acknowledged: it was put back from an older state while servers ran. "
    "Stop all of them, run hongyan restore --restored-by-hand, and start them again"
)
_STOP_SECONDS = 9.0
"""Whatever a part does, the whole stop stays within 10 s."""


class CannotStart(Exception):
    """The text says why, for people."""


def run(settings: Settings, *, demo: bool = False, ready: Callable[[], None] = lambda: None) -> int:
    """Serve until a signal; `ready` is called when clients are taken. Raises DirectoryError, WrongSchema, CannotStart."""
    logs.set_up(settings.logging)
    os.umask(0o077)
    _raise_file_limit()
    directory = DataDirectory(settings.data)
    directory.prepare()
    with directory.locked(shared=settings.shares_store), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, directory, demo, ready))


def _raise_file_limit() -> None:
    """Each connection is a file: take as many as the system grants without asking."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class _Signals:
    """SIGTERM, Ctrl-C and a closed terminal: the first stops, the second does not wait.

    SIGUSR1, which restarts workers one after the other, does nothing to a single process: a `systemctl reload` must not end it.
    """

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.hurry = asyncio.Event()

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        numbers = [signal.SIGTERM, signal.SIGINT]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup leaves it
            numbers.append(signal.SIGHUP)
        for number in numbers:
            loop.add_signal_handler(number, self._heard)
        loop.add_signal_handler(signal.SIGUSR1, log.info, "nothing to restart one after the other: there is one process")
        try:
            yield
        finally:
            for number in (*numbers, signal.SIGUSR1):
                loop.remove_signal_handler(number)

    def _heard(self) -> None:
        (self.hurry if self.stop.is_set() else self.stop).set()


async def _serve(settings: Settings, directory: DataDirectory, demo: bool, ready: Callable[[], None]) -> int:
    if settings.node.name:
        structlog.contextvars.bind_contextvars(node=settings.node.name)
    signals = _Signals()
    with signals.heard():
        _say(await _first_run(settings, directory, demo))
        async with contextlib.AsyncExitStack() as started:
            server = await _start(started, settings, directory)
            endpoint = _reachable(parse_endpoint(settings.http.listen), server.gateway.port)
            _settle()
            with directory.announced(endpoint, others=settings.node.workers > 1):
                _say(await _ready(settings, directory, server, endpoint))
                where = shown(settings.store) if settings.shares_store else directory.database
                log.info("ready on %s, at position %d of %s", endpoint, server.messaging.log.position, where)
                ready()
                await signals.stop.wait()
                server.health.stopping = True
                server.messaging.leave()
                log.info("stopping")
            stopping = asyncio.create_task(started.pop_all().aclose(), name="hongyan stop")
            hurry = asyncio.create_task(signals.hurry.wait())
            await asyncio.wait((stopping, hurry), timeout=_STOP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not stopping.done():
                _abandon("told a second time" if hurry.done() else f"a part did not stop within {_STOP_SECONDS:g} s")
            hurry.cancel()
            try:
                await stopping
            except Exception:
                log.exception("a part did not stop cleanly")
                return 1
    log.info("stopped")
    return 0


class _Server:
    """What runs."""

    def __init__(
        self, health: Health, messaging: Messaging, gateway: WebGateway, cim: CimGateway | None, xmpp: XmppGateway | None
    ) -> None:
        self.health = health
        self.messaging = messaging
        self.gateway = gateway
        self.cim = cim
        self.xmpp = xmpp


async def _start(started: contextlib.AsyncExitStack, settings: Settings, directory: DataDirectory) -> _Server:
    """Each part that was started leaves in `started` how it is stopped."""
    http = settings.http
    store, bus = store_of(settings), bus_of(settings)
    messaging = Messaging(store, bus, settings)
    identity = Identity(store, messaging.people, settings.identity)
    timers = Timers(store, messaging.log, settings, clock=now_ms, random=secrets.token_bytes)
    going = Going(store, messaging.log, settings, clock=now_ms, rank=messaging.nodes.rank)
    search = Search(store, messaging.log, settings, lambda: store.stats.queued)
    browsers = Browsers(store, messaging.log, settings, clock=now_ms, random=secrets.token_bytes)
    ways = (browsers,) if settings.push.enabled else ()
    present = messaging.attendance.awake_of
    push = Push(store, messaging.log, *ways, present=present, clock=now_ms, rank=messaging.nodes.rank)

    health = Health(__version__, lambda: messaging.log.position)
    health.watch(lambda: store.trouble, needed=True)
    health.watch(lambda: _PARTED if messaging.log.parted else None, needed=True)
    health.watch(lambda: _OUT_OF_TOUCH if messaging.log.stale and not messaging.log.parted else None, needed=True)
    health.watch(lambda: bus.trouble)
    health.watch(Following(lambda: messaging.log.head, lambda: messaging.log.position))
    health.watch(Room(directory.path))
    if http.certificate is not None and http.key is not None:
        health.watch(Seldom(partial(certificate.trouble, http.certificate, http.key)))
    health.watch(Seldom(partial(trouble_of_xmpp, settings)))
    metrics = Metrics(
        lambda: of_store(store.stats),
        lambda: of_bus(bus),
        lambda: of_messaging(messaging),
        lambda: of_identity(identity.logins),
        lambda: of_timers(going.gone),
        lambda: of_files(files.received, files.coming),
        lambda: of_push(browsers.counts, browsers.waiting),
        lambda: of_search(search.answered, search.indexer.lag, search.indexer.indexed),
        lambda: of_web(gateway.answers, gateway.refused, gateway.cut),
        lambda: of_cim(cim_gateway.connections, cim_gateway.counts) if cim_gateway is not None else (),
        lambda: of_xmpp(xmpp_gateway.connections, xmpp_gateway.detached, xmpp_gateway.counts) if xmpp_gateway is not None else (),
        lambda: of_waking(*xmpp_gateway.woken) if xmpp_gateway is not None else (),
    )

    def report() -> tuple[int, object]:
        now = health.report()
        return 200 if now.works else 503, now

    avatars = Avatars(store, messaging.log, clock=now_ms)
    files = Files(store, settings, clock=now_ms, random=secrets.token_bytes)
    watchers = Watchers(store, settings)
    xmpp_gateway = None
    if settings.xmpp.c2s or settings.xmpp.c2s_tls or settings.xmpp.s2s or settings.xmpp.web:
        xmpp_gateway = XmppGateway(
            XmppServices(
                messaging=messaging,
                identity=identity,
                avatars=avatars,
                files=files,
                push=push,
                xmpp=Xmpp(store, messaging, settings, clock=now_ms),
                watchers=watchers,
                settings=settings,
                url=lambda: reached_at(settings, gateway.port),
                now=now_ms,
            )
        )
    gateway = WebGateway(
        WebServices(
            messaging=messaging,
            identity=identity,
            search=search,
            push=browsers,
            avatars=avatars,
            files=files,
            timers=timers,
            watchers=watchers,
            settings=settings,
            health=report,
            metrics=metrics.text,
            streams=xmpp_gateway.overview if xmpp_gateway is not None else None,
            lodger=xmpp_gateway.web if xmpp_gateway is not None and settings.xmpp.web else None,
        )
    )
    cim = Cim(store, messaging, identity, settings.cim)
    cim_gateway = None
    if settings.cim.listen:
        cim_gateway = CimGateway(CimServices(messaging=messaging, cim=cim, settings=settings))
    started.push_async_callback(messaging.stop)
    started.push_async_callback(identity.stop)
    started.push_async_callback(search.stop)
    await messaging.start()
    await identity.start(messaging.log, messaging.end_token)
    await search.start()
    started.push_async_callback(going.stop)
    going.start()
    started.push_async_callback(files.stop)
    files.start()
    health.watch(lambda: gateway.trouble)
    health.watch(lambda: files.trouble)
    if cim_gateway is not None:
        started.push_async_callback(cim.stop)
        await cim.start()
    started.push_async_callback(gateway.stop)
    try:
        await gateway.start()
        if cim_gateway is not None:
            started.push_async_callback(cim_gateway.stop)
            await cim_gateway.start()
        if xmpp_gateway is not None:
            started.push_async_callback(xmpp_gateway.stop)
            await xmpp_gateway.start()
            health.watch(lambda: xmpp_gateway.trouble)
    except (CannotListen, CertificateError) as error:
        raise CannotStart(str(error)) from error
    started.push_async_callback(push.stop)  # before the gateways: what a node has taken to tell of it has to be able to tell
    push.start()
    address = Endpoint(advertised(parse_endpoint(http.listen)).host, gateway.port)
    if settings.node.address:
        address = parse_endpoint(settings.node.address)
    addresses = {"http": str(address)}
    if cim_gateway is not None:
        listen, route = (advertised(parse_endpoint(one)) for one in (settings.cim.listen, settings.cim.route))
        addresses |= cim_gateway.addresses(listen, route)
    messaging.join(settings.node.name or f"{socket.gethostname()}:{gateway.port}", addresses)
    return _Server(health, messaging, gateway, cim_gateway, xmpp_gateway)


def _settle() -> None:
    """What was made until now stays: the collector need not walk it again, and needs to come less often.

    With the defaults the longest pause was 82 ms while 48,000 messages went through.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


async def _first_run(settings: Settings, directory: DataDirectory, demo: bool) -> str:
    if not demo:
        return ""
    if await is_new(directory, settings):
        told = await make(directory, settings, datetime.now().astimezone(), secrets.token_bytes)
        if told is not None:
            where = f"These passwords are shown once; they are also in {directory.demo}"
            return f"A demonstration organisation was made. {where}\n{told}"
    if directory.demo.exists():
        return f"The passwords of the demonstration organisation are in {directory.demo}"
    return "--demo changed nothing: there are data already"


async def _ready(settings: Settings, directory: DataDirectory, server: _Server, endpoint: Endpoint) -> str:
    """What a person who has just started it wants to know."""
    address = f"{'https' if settings.http.certificate else 'http'}://{endpoint}"
    lines = [f"Hongyan {__version__} is ready on {address}"]
    if server.cim is not None:
        tcp = _reachable(parse_endpoint(settings.cim.listen), server.cim.port)
        route = _reachable(parse_endpoint(settings.cim.route), server.cim.route_port)
        lines.append(f"Clients of CIM: the route is http://{route}, the TCP port {tcp}")
    if server.xmpp is not None and server.xmpp.ports:
        told = {"c2s": "clients", "c2s_tls": "clients (TLS)", "s2s": "servers"}
        ports = [
            f"{told[name]} {_reachable(parse_endpoint(getattr(settings.xmpp, name)), port)}"
            for name, port in server.xmpp.ports.items()
        ]
        lines.append(f"XMPP of {settings.domain}: {', '.join(ports)}")
    if not await server.messaging.people.search("", 1):
        where = "--store URL" if settings.shares_store else f"--data {directory.path}"
        lines.append(f"Nobody has an account yet. Make the first one: hongyan {where} user add NAME --admin")
    return "\n".join(lines)


def advertised(listen: Endpoint) -> Endpoint:
    """Where others reach what listens on every address: by the name of this machine."""
    return Endpoint(socket.gethostname(), listen.port) if listen.everywhere else listen


def reached_at(settings: Settings, port: int) -> str:
    """SCHEME://HOST[:PORT] of the web port for people, without a path: what the settings say, or what follows from them."""
    http = settings.http
    if http.url:
        return http.url
    listen = parse_endpoint(http.listen)
    host = settings.domain if listen.everywhere else listen.host
    return f"{'https' if http.certificate else 'http'}://{Endpoint(host, port)}"


def _reachable(listen: Endpoint, port: int) -> Endpoint:
    """An address that works on this machine."""
    this = "::1" if ":" in listen.host else "127.0.0.1"
    return Endpoint(this if listen.everywhere else listen.host, port)


def _say(text: str) -> None:
    """To the person, not to the log. Nobody may be listening any more."""
    if text:
        with contextlib.suppress(OSError):
            print(text, flush=True)


def _abandon(reason: str) -> NoReturn:
    """End without waiting for threads. Everything that was acknowledged is on the disk."""
    log.warning("ended without a clean stop: %s", reason)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(1)
