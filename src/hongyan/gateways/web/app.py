"""The HTTP application. Every request passes the same gate, in this order: origin, path, rate, token, size. Then it is routed."""

import asyncio
from collections import Counter
from importlib.resources.abc import Traversable

from hongyan.core.errors import HongyanError, Invalid, MethodNotAllowed, NotAuthenticated, NotFound
from hongyan.core.model import Caller
from hongyan.gateways.door.peers import site
from hongyan.gateways.door.rates import Rates
from hongyan.gateways.web import access
from hongyan.gateways.web.addresses import Proxies
from hongyan.gateways.web.answering import Answering
from hongyan.gateways.web.asgi import ASGIApp, Receive, Scope, Send, answer
from hongyan.gateways.web.authentication import authenticate
from hongyan.gateways.web.bodies import Disconnected, read_body, replay
from hongyan.gateways.web.description import describe
from hongyan.gateways.web.files import FILES, FilePort
from hongyan.gateways.web.headers import first_of
from hongyan.gateways.web.lodgings import Lodgings
from hongyan.gateways.web.origins import OriginRule
from hongyan.gateways.web.pages import CLIENT, Page, json_page, load_pages
from hongyan.gateways.web.problems import problem, unexpected
from hongyan.gateways.web.rest import Methods, build_rest
from hongyan.gateways.web.services import WebServices
from hongyan.gateways.web.streams import HEARTBEAT, Streams

_BODY_BEFORE_LOGIN = 16_384
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_EMBEDDED_RATE = (20.0, 200)
"""Requests of one embedded page, a second and at once."""
_GET_ONLY = [(b"allow", b"GET, OPTIONS")]
_REDIRECTS = {"/docs/": b"/docs"}


class WebApp:
    """An ASGI application. `answers` counts by status, `refused` by the code of the error."""

    def __init__(self, services: WebServices, *, heartbeat: float = HEARTBEAT, client: Traversable = CLIENT) -> None:
        http, limits = services.settings.http, services.settings.limits
        self._services = services
        self._origins = OriginRule(services.settings)
        self._proxies = Proxies(http.trusted_proxies)
        self._vary = bool(http.origins)
        self._most_body = http.max_body
        self._users = Rates(limits.requests_per_second, limits.requests_burst)
        self._embedded = Rates(*_EMBEDDED_RATE)
        self._sites = Rates(limits.requests_per_second, limits.requests_burst)
        self._litestar = build_rest(services)
        self._rest: ASGIApp = self._litestar  # type: ignore[assignment]  # its own types of the same protocol
        self._methods = Methods(self._litestar)
        self._pages = load_pages(client, services.settings.embed.origins)
        self._streams = Streams(services, heartbeat=heartbeat)
        self._lodgings = Lodgings(services.lodger)
        self._files = FilePort(services.files, seconds=services.settings.files.receive_seconds)
        self.answers: Counter[int] = Counter()
        self.refused: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1011})  # the listener serves WebSockets itself

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = scope["headers"]
        peer = scope["client"][0] if scope.get("client") else None
        scheme = self._proxies.scheme(peer, scope["scheme"], headers)
        scope = {**scope, "client": (self._proxies.client(peer, headers), 0), "scheme": scheme}
        answering = Answering(send, secure=scheme == "https", vary=self._vary, head=scope["method"] == "HEAD")
        preflight = scope["method"] == "OPTIONS" and first_of(headers, b"access-control-request-method") is not None
        try:
            if scope["path"].startswith(FILES):
                answering.open(preflight=preflight)
            elif (foreign := self._origins.check_headers(headers, scheme)) is not None:
                answering.allow(foreign, preflight=preflight)
            if preflight:
                await answer(answering, 204, [])
            else:
                await self._route(scope, receive, answering)
        except Disconnected:
            return
        except HongyanError as error:
            await self._refuse(error, scope, answering)
        except Exception as error:
            await self._refuse(unexpected(error, f"{scope['method']} {scope['path']}"), scope, answering)
        if answering.begun:
            self.answers[answering.status] += 1

    async def _route(self, scope: Scope, receive: Receive, send: Answering) -> None:
        path: str = scope["path"]
        method: str = scope["method"]
        page = await self._description() if path == access.DESCRIPTION else self._pages.get(path)
        if page is not None:
            if page.framed:
                send.framed()
            await _serve(page, scope, send)
            return
        if path in _REDIRECTS:
            await answer(send, 307, [(b"location", _REDIRECTS[path]), (b"content-length", b"0")])
            return
        if path.startswith(FILES):
            self._sites.spend(site(scope["client"][0]))
            await self._files.serve(path, scope, receive, send)
            return
        if path in self._lodgings:
            self._sites.spend(site(scope["client"][0]))
            await self._lodgings.serve(path, scope, receive, send)
            return
        if not access.is_plain(path) or not (path.startswith("/v1/") or path in access.OPEN):
            self._sites.spend(site(scope["client"][0]))
            raise NotFound("There is nothing at this address")
        if path in access.OPEN:
            self._sites.spend(site(scope["client"][0]))
            await self._call(scope, None, receive, send)
            return
        caller = await self._admit(scope)
        if path in (access.POLL, access.EVENT_STREAM):
            if method == "OPTIONS":
                await answer(send, 204, _GET_ONLY)
            elif method != "GET":
                raise MethodNotAllowed("Events are read with GET")
            else:
                serve = self._streams.poll if path == access.POLL else self._streams.event_stream
                await serve(caller, scope, receive, send)
        elif path == access.WEBSOCKET:
            raise Invalid("This address takes WebSockets only")
        else:
            await self._call(scope, caller, receive, send)

    async def _description(self) -> Page:
        """Made when somebody first asks: it takes a quarter of a second."""
        if access.DESCRIPTION not in self._pages:
            self._pages[access.DESCRIPTION] = json_page(await asyncio.to_thread(describe, self._litestar))
        return self._pages[access.DESCRIPTION]

    async def _admit(self, scope: Scope) -> Caller:
        """The one place that decides who comes in."""
        try:
            caller = await self._who(scope)
        except NotAuthenticated:
            self._sites.spend(site(scope["client"][0]))
            raise
        if caller.only is None:
            self._users.spend(caller.payer)
        else:
            self._embedded.spend(caller.payer)
            access.embedded(scope["method"], scope["path"], caller.only)
        return caller

    async def _who(self, scope: Scope) -> Caller:
        return await authenticate(scope["headers"], self._services, ticket=scope["path"] == access.EMBED_SESSION)

    async def _call(self, scope: Scope, caller: Caller | None, receive: Receive, send: Answering) -> None:
        """One REST call. Its body is here, whole, before anything runs."""
        if scope["method"] == "OPTIONS":
            await answer(send, 204, [(b"allow", self._methods.at(scope["path"]).encode())])
            return
        body = b""
        if scope["method"] in _WITH_BODY:
            most = self._most_body if caller is not None else min(_BODY_BEFORE_LOGIN, self._most_body)
            body = await read_body(scope["headers"], receive, most)
            if caller is not None:
                caller = await self._who(scope)  # the token may have ended while the body came
        if scope["method"] == "HEAD":
            scope["method"] = "GET"
        if caller is not None:
            scope["user"] = caller
        await self._rest(scope, replay(body), send)

    async def _refuse(self, error: HongyanError, scope: Scope, send: Answering) -> None:
        self.refused[error.code] += 1
        if send.begun:
            return  # too late for words: the connection is closed unfinished
        status, headers, body = problem(error)
        if isinstance(error, MethodNotAllowed):
            headers.extend(_GET_ONLY)
        if first_of(scope["headers"], b"expect") is not None:
            headers.append((b"connection", b"close"))  # the body it announced may come or not
        await answer(send, status, headers, body)


def build_app(services: WebServices, *, heartbeat: float = HEARTBEAT, client: Traversable = CLIENT) -> WebApp:
    """The ASGI application for REST, polling, server-sent events, the pages and the description. `client` is the built one."""
    return WebApp(services, heartbeat=heartbeat, client=client)


async def _serve(page: Page, scope: Scope, send: Send) -> None:
    method = scope["method"]
    if method == "OPTIONS":
        await answer(send, 204, [(b"allow", b"GET, HEAD, OPTIONS")])
    elif method not in ("GET", "HEAD"):
        raise MethodNotAllowed
    else:
        accepted = first_of(scope["headers"], b"accept-encoding")
        headers = page.headed(accepted)
        if page.known_by(first_of(scope["headers"], b"if-none-match")):
            await answer(send, 304, headers)
        else:
            body = await page.given(accepted)
            await answer(send, page.status, [*headers, (b"content-length", b"%d" % len(body))], body)


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
