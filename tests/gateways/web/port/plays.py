"""Plays on a real port: the whole gateway over the real services, and clients that are exact about bytes.

async with open_port(tmp_path) as port:
    alice = await port.raw("alice")
    await alice.say({"op": "ping", "ref": 1})
    assert await alice.hears("pong") == {...}
"""

import asyncio
import base64
import contextlib
import os
import ssl
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from hongyan.config import Log, Settings
from hongyan.features.avatars import Avatars
from hongyan.gateways.web.gateway import WebGateway
from hongyan.gateways.web.port.listener import HttpPace
from hongyan.gateways.web.services import WebServices
from hongyan.gateways.web.websocket.upkeep import Pace
from hongyan.messaging import now_ms
from tests.gateways.web.webhouse import WebHouse, settings, timers_of, web_house

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
SECONDS = 10.0
_MASK = bytes.fromhex("37fa213d")  # the one of RFC 6455, 5.7; always the same, so that tests keep their names


class Port:
    """A gateway on a free port, and who can come to it."""

    def __init__(self, web: WebHouse, gateway: WebGateway, services: WebServices, tls: ssl.SSLContext | None) -> None:
        self.web = web
        self.home = web.home
        self.gateway = gateway
        self.services = services
        self.tls = tls
        self._raw: list[Raw] = []

    @property
    def url(self) -> str:
        return f"{'wss' if self.tls else 'ws'}://127.0.0.1:{self.gateway.port}/v1/events/ws"

    def library(
        self, user: str | None, *, subprotocol: str | None = "hongyan.json", after: str | None = None, **more: Any
    ) -> connect:
        """The client of another project (websockets)."""
        headers = {"Authorization": f"Bearer {self.web.tokens[user]}"} if user else {}
        return connect(
            self.url + (f"?after={after}" if after else ""),
            additional_headers=headers | more.pop("headers", {}),
            subprotocols=[Subprotocol(subprotocol)] if subprotocol else None,
            ssl=self.tls,
            **more,
        )

    async def raw(self, user: str | None, *, after: str | None = None, behind: bytes = b"", **more: Any) -> "Raw":
        """A bare socket behind a good handshake. `behind` is sent with the handshake, in one piece."""
        raw = await self.socket()
        await raw.shake_hands(self.web.tokens[user] if user else None, after=after, behind=behind, **more)
        return raw

    async def socket(self) -> "Raw":
        reader, writer = await asyncio.open_connection("127.0.0.1", self.gateway.port, ssl=self.tls, limit=2**25)
        return self.adopt(Raw(reader, writer))

    def adopt(self, raw: "Raw") -> "Raw":
        """Close it at the end."""
        self._raw.append(raw)
        return raw

    async def close_clients(self) -> None:
        for raw in self._raw:
            raw.writer.transport.abort()
            with contextlib.suppress(Exception):
                await raw.writer.wait_closed()


@contextlib.asynccontextmanager
async def open_port(
    path: Path,
    *,
    http: dict[str, Any] | None = None,
    limits: dict[str, Any] | None = None,
    ring: int | None = None,
    pace: dict[str, float] | None = None,
    http_pace: dict[str, Any] | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Port]:
    """`tls` is the client's side; the server's is in `http`. Unless given, only the waits of a closing are shorter than usual."""
    chosen = settings({"listen": "127.0.0.1:0"} | (http or {}), limits)
    if ring is not None:
        chosen = msgspec.structs.replace(chosen, log=Log(ring=ring))
    async with web_house(path / "hongyan.db", chosen) as web:
        services = _services(web, chosen)
        gateway = WebGateway(
            services,
            pace=Pace(**{"grace": 0.3, "tick": 0.05, "drain": chosen.limits.drain_seconds} | (pace or {})),
            http_pace=HttpPace(**{"tick": 0.05, "drain": chosen.limits.drain_seconds} | (http_pace or {})),
        )
        await gateway.start()
        port = Port(web, gateway, services, tls)
        try:
            yield port
        finally:
            await port.close_clients()
            await gateway.stop()


def _services(web: WebHouse, chosen: Settings) -> WebServices:
    return WebServices(
        messaging=web.home.messaging,
        identity=web.identity,
        timers=timers_of(web.home),
        search=web.search,
        push=web.push,
        avatars=Avatars(web.home.store, web.home.messaging.log, clock=now_ms),
        files=web.files,
        watchers=web.watchers,
        settings=chosen,
        health=lambda: (200, web.health),
        metrics=lambda: b"",
    )


def handshake(
    token: str | None,
    target: str = "/v1/events/ws",
    *,
    subprotocol: str | None = "hongyan.json",
    extensions: str | None = None,
    version: str = "13",
    key: str | None = None,
    method: str = "GET",
    extra: str = "",
) -> bytes:
    key = key if key is not None else base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"{method} {target} HTTP/1.1",
        "Host: chat.example",
        "Upgrade: websocket",
        "Connection: keep-alive, Upgrade",
        f"Sec-WebSocket-Version: {version}",
        f"Sec-WebSocket-Key: {key}",
    ]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if subprotocol is not None:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    if extensions is not None:
        lines.append(f"Sec-WebSocket-Extensions: {extensions}")
    return ("\r\n".join(lines) + "\r\n" + extra + "\r\n").encode()


def client_frame(opcode: int, payload: bytes, *, final: bool = True, masked: bool = True, reserved: int = 0) -> bytes:
    """A frame as RFC 6455, 5.2 has it; `reserved` is 4 for the first reserved bit."""
    first = (0x80 if final else 0) | reserved << 4 | opcode
    size = len(payload)
    flag = 0x80 if masked else 0
    if size < 126:
        head = bytes((first, flag | size))
    elif size < 65_536:
        head = bytes((first, flag | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, flag | 127)) + size.to_bytes(8, "big")
    if not masked:
        return head + payload
    pattern = (_MASK * (size // 4 + 1))[:size]
    return head + _MASK + (int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")).to_bytes(size, "big")


def deflated(message: bytes) -> bytes:
    """As permessage-deflate puts it on the wire, by itself."""
    z = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (z.compress(message) + z.flush(zlib.Z_SYNC_FLUSH))[:-4]


class Closed(Exception):
    """The server hung up without a close frame."""


class Raw:
    """A client on a bare socket. Frames are checked for what a server may send."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.binary = False
        self.compressed = 0
        """Frames that came compressed."""

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def shake_hands(self, token: str | None, *, after: str | None = None, behind: bytes = b"", **more: Any) -> None:
        query = f"?after={after}" if after else ""
        await self.write(handshake(token, f"/v1/events/ws{query}", **more) + behind)
        status, headers, _ = await self.answer()
        assert status == 101, (status, headers)
        self.binary = headers.get("sec-websocket-protocol") == "hongyan.msgpack"

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of an answer over HTTP."""
        async with asyncio.timeout(SECONDS):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.rstrip().split("\r\n")
            headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(first.split()[1]), headers, body

    async def say(self, *maps: dict[str, Any]) -> None:
        encode = msgspec.msgpack.encode if self.binary else msgspec.json.encode
        opcode = BINARY if self.binary else TEXT
        await self.write(b"".join(client_frame(opcode, encode(one)) for one in maps))

    async def frame(self) -> tuple[int, bytes]:
        """The next frame, its payload as it was before compression. Raises Closed at the end."""
        try:
            async with asyncio.timeout(SECONDS):
                first, size = await self.reader.readexactly(2)
                assert not size & 0x80, "a server's frame is masked"
                if size == 126:
                    size = int.from_bytes(await self.reader.readexactly(2), "big")
                    assert size > 125
                elif size == 127:
                    size = int.from_bytes(await self.reader.readexactly(8), "big")
                    assert size > 65_535
                payload = await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Closed from error
        assert first & 0xB0 == 0x80, f"neither a whole frame nor a plain one: {first:#04x}"
        if first & 0x40:
            self.compressed += 1
            payload = zlib.decompressobj(-15).decompress(payload + b"\0\0\xff\xff")
        return first & 0x0F, payload

    async def map(self) -> dict[str, Any]:
        opcode, payload = await self.frame()
        assert opcode == (BINARY if self.binary else TEXT), (opcode, payload)
        return dict(msgspec.msgpack.decode(payload) if self.binary else msgspec.json.decode(payload))

    async def hears(self, op: str, check: Callable[[dict[str, Any]], bool] = lambda found: True) -> dict[str, Any]:
        """The next map of this kind; what comes before it is passed over."""
        while True:
            found = await self.map()
            if found["op"] == op and check(found):
                return found

    async def hears_one_of(self, *ops: str, ref: int | None = None) -> dict[str, Any]:
        """The next answer of these kinds, to `ref` if given."""
        while True:
            found = await self.map()
            if found["op"] in ops and (ref is None or found["ref"] == ref):
                return found

    async def events(self, count: int, type: str = "message") -> list[dict[str, Any]]:
        """The next so many events of a type."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            batch = await self.hears("events")
            found += [event for event in batch["events"] if event["type"] == type]
        assert len(found) == count
        return found

    async def seqs(self, count: int) -> list[int]:
        """The places of the next so many messages; nothing else of them is kept."""
        found: list[int] = []
        while len(found) < count:
            batch = await self.hears("events")
            found += [event["seq"] for event in batch["events"] if event["type"] == "message"]
        assert len(found) == count
        return found

    async def close_code(self) -> int:
        """The code of the server's close frame; what comes before it is passed over."""
        while True:
            opcode, payload = await self.frame()
            if opcode == CLOSE:
                return int.from_bytes(payload[:2], "big")

    async def ended(self) -> None:
        """Wait until the server has hung up."""
        with contextlib.suppress(Closed):
            while True:
                await self.frame()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.005)


async def decoded(connection: ClientConnection, op: str) -> dict[str, Any]:
    """The next map of this kind that the library gives."""
    async with asyncio.timeout(SECONDS):
        while True:
            raw = await connection.recv()
            found = msgspec.msgpack.decode(raw) if isinstance(raw, bytes) else msgspec.json.decode(raw)
            if found["op"] == op:
                return dict(found)
