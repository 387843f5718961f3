"""A whole web application on a store of its own: the real services, people with tokens, and clients for them."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec

from hongyan.config import Endpoint, Http, Limits, Settings
from hongyan.config import Identity as IdentitySettings
from hongyan.features.avatars import Avatars
from hongyan.features.files import Files
from hongyan.features.identity.service import Identity
from hongyan.features.push import Browsers
from hongyan.features.search import Search
from hongyan.features.timers import Timers
from hongyan.features.xmpp import Watchers
from hongyan.gateways.web.app import WebApp, build_app
from hongyan.gateways.web.port.listener import HttpPace, Listener
from hongyan.gateways.web.services import WebServices
from hongyan.messaging import now_ms
from tests.build import House, house

PASSWORD = "correct horse 42"
PEOPLE = ("alice", "bob", "carol", "dave")


def settings(http: dict[str, Any] | None = None, limits: dict[str, Any] | None = None) -> Settings:
    """Defaults with the cheapest allowed password verifier; a test that counts requests sets its own rate."""
    chosen = {"requests_per_second": 10_000.0, "requests_burst": 100_000, **(limits or {})}
    return Settings(http=Http(**(http or {})), limits=Limits(**chosen), identity=IdentitySettings(iterations=4_096))


class WebHouse:
    """`client` calls without sockets. `tokens` has one for everybody."""

    def __init__(
        self,
        home: House,
        identity: Identity,
        search: Search,
        push: Browsers,
        files: Files,
        watchers: Watchers,
        app: WebApp,
        health: dict[str, Any],
    ) -> None:
        self.home = home
        self.identity = identity
        self.search = search
        self.push = push
        self.files = files
        self.watchers = watchers
        self.app = app
        self.health = health
        self.tokens: dict[str, str] = {}
        transport = httpx.ASGITransport(app, client=("192.0.2.7", 5000))  # type: ignore[arg-type]
        self.client = httpx.AsyncClient(transport=transport, base_url="http://chat.example")

    async def call(self, user: str | None, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        headers = dict(more.pop("headers", {}))
        if user is not None:
            headers["Authorization"] = f"Bearer {self.tokens[user]}"
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            more["content"] = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self.client.request(method, path, headers=headers, **more)

    async def group(self, *members: str, title: str = "项目组", history: str = "joined") -> str:
        owner, *others = members
        body = {"kind": "group", "title": title, "members": others, "history": history}
        answer = await self.call(owner, "POST", "/v1/conversations", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def send(self, user: str, conversation: str, client_id: str, text: str = "你好") -> httpx.Response:
        body = {"client_id": client_id, "content": {"type": "text", "text": text}}
        return await self.call(user, "POST", f"/v1/conversations/{conversation}/messages", body)

    async def state(self) -> list[Any]:
        """Everything that a request could have changed: the log, which every change is in."""
        return await self.home.log()


def timers_of(home: House) -> Timers:
    return Timers(home.store, home.messaging.log, home.settings, clock=now_ms, random=secrets.token_bytes)


def push_of(home: House) -> Browsers:
    return Browsers(home.store, home.messaging.log, home.settings, clock=now_ms, random=secrets.token_bytes)


def built_client(folder: Path) -> Path:
    """What a build of the web client leaves, as small as it can be."""
    (folder / "assets").mkdir(parents=True, exist_ok=True)
    for name, text in {
        "index.html": '<!doctype html><title>client</title><script type="module" src="/assets/index-1a2b3c4d.js"></script>',
        "icon.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>',
        "sw.js": "self.addEventListener('push', () => {});",
        "manifest.webmanifest": '{"name":"Hongyan","start_url":"/"}',
        "assets/index-1a2b3c4d.js": "console.log('大雁');\n" * 200,
        ".stamp": "0",
        "notes.txt": "not for browsers",
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@contextlib.asynccontextmanager
async def web_house(
    path: Path, chosen: Settings | None = None, *, heartbeat: float = 15.0, client: Path | None = None
) -> AsyncIterator[WebHouse]:
    """`client` is the folder of a built web client; one of its own unless given."""
    chosen = chosen or settings()
    client = client or built_client(path.parent / "client")
    async with house(path, chosen) as home:
        identity = Identity(home.store, home.messaging.people, chosen.identity)
        await identity.start(home.messaging.log, home.messaging.end_token)
        health: dict[str, Any] = {"status": "ok", "reasons": [], "version": "0", "position": 0}
        search = Search(home.store, home.messaging.log, chosen, lambda: home.store.stats.queued)
        await search.start()
        push = push_of(home)
        watchers = Watchers(home.store, chosen)
        files = Files(home.store, msgspec.structs.replace(chosen, data=path.parent), clock=now_ms, random=secrets.token_bytes)
        services = WebServices(
            messaging=home.messaging,
            identity=identity,
            timers=timers_of(home),
            search=search,
            push=push,
            avatars=Avatars(home.store, home.messaging.log, clock=now_ms),
            files=files,
            watchers=watchers,
            settings=chosen,
            health=lambda: (200 if health["status"] == "ok" else 503, health),
            metrics=lambda: b"hongyan_up 1.0\n",
        )
        app = build_app(services, heartbeat=heartbeat, client=client)
        web = WebHouse(home, identity, search, push, files, watchers, app, health)
        for name in PEOPLE:
            await identity.add(name, PASSWORD, display=name.title(), admin=name == "alice")
            web.tokens[name] = (await identity.login(name, PASSWORD, "laptop", "192.0.2.1")).token
        await home.settled()
        try:
            yield web
        finally:
            await web.client.aclose()
            await push.stop()
            await search.stop()
            await identity.stop()


@contextlib.asynccontextmanager
async def listening(app: WebApp, *, drain: float = 20.0, body: float = 60.0) -> AsyncIterator[tuple[str, int]]:
    """The same behind a port: host and port."""
    listener = Listener(app, _NoDoor(), pace=HttpPace(drain=drain, body=body, tick=0.02), tls=None, admits=lambda count: True)  # type: ignore[arg-type]
    await listener.start(Endpoint("127.0.0.1", 0))
    try:
        yield "127.0.0.1", listener.port
    finally:
        await listener.stop(asyncio.get_running_loop().time() + 1)


class _NoDoor:
    """Nobody comes with a WebSocket here."""


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that this is a problem document of RFC 9457 in the form of docs/protocol.md."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/problem+json", answer.headers
    body = answer.json()
    assert body["type"] == f"urn:hongyan:error:{code}", body
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert set(body) <= {"type", "title", "status", "detail", "retry_after"}
    return dict(body)


async def operations(web: WebHouse) -> list[tuple[str, str]]:
    """Method and path of everything that the description names, with ids filled in."""
    paths = (await web.call(None, "GET", "/openapi.json")).json()["paths"]
    filled = {"{conversation}": "lobby", "{user}": "bob", "{token_id}": "t", "{seq}": "1", "{timer}": "t", "{file}": "t"}
    found = []
    for path, item in paths.items():
        for name, value in filled.items():
            path = path.replace(name, value)
        found += [(method.upper(), path) for method in item]
    assert len(found) > 25
    return found
