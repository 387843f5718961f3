"""A browser with its push service: an HTTP server that takes messages, checks who sends them, and reads them as a browser does.

Written from RFC 8030, 8188, 8291 and 8292, apart from what it tests.
"""

import asyncio
import base64
import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _mac(key: bytes, data: bytes) -> bytes:
    mac = hmac.HMAC(key, hashes.SHA256())
    mac.update(data)
    return mac.finalize()


class Received(msgspec.Struct):
    headers: dict[str, str]
    notice: dict[str, Any]


class Browser:
    """`statuses` are answered one after the other, then 201 for ever; while there is a `gate` and it is closed, nothing is."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.endpoint = f"{origin}/push/{secrets.token_hex(8)}"
        self.statuses: list[int] = []
        self.extra = ""
        self.received: list[Received] = []
        self.asked = 0
        self.gate: asyncio.Event | None = None
        self.at_gate = 0
        """Requests that have come to it."""
        self.server_key = b""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = secrets.token_bytes(16)
        self._public = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def subscription(self) -> dict[str, Any]:
        """As PushSubscription.toJSON() gives it."""
        keys = {"p256dh": b64(self._public), "auth": b64(self._auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    async def wait_for(self, count: int) -> list[Received]:
        async with asyncio.timeout(10):
            while len(self.received) < count:
                await asyncio.sleep(0.005)
        return self.received

    async def wait_asked(self, count: int) -> None:
        async with asyncio.timeout(10):
            while self.asked < count:
                await asyncio.sleep(0.005)

    async def wait_at_gate(self, count: int) -> None:
        async with asyncio.timeout(10):
            while self.at_gate < count:
                await asyncio.sleep(0.005)

    async def pass_gate(self) -> None:
        if self.gate is not None:
            self.at_gate += 1
            await self.gate.wait()

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """What the push service answers."""
        self.asked += 1
        if self.statuses:
            return self.statuses.pop(0)
        self._verify(headers["authorization"])
        assert headers["content-encoding"] == "aes128gcm"
        self.received.append(Received(headers, msgspec.json.decode(self.decrypt(body))))
        return 201

    def decrypt(self, body: bytes) -> bytes:
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(body) <= 4096
        assert len(sealed) <= size
        shared = self._key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        secret = _mac(_mac(self._auth, shared), b"WebPush: info\0" + self._public + sender + b"\x01")
        base = _mac(salt, secret)
        key = _mac(base, b"Content-Encoding: aes128gcm\0\x01")[:16]
        nonce = _mac(base, b"Content-Encoding: nonce\0\x01")[:12]
        plain = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\0")
        assert plain[-1:] == b"\x02"
        return plain[:-1]

    def _verify(self, authorization: str) -> None:
        scheme, _, rest = authorization.partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        assert (scheme, unb64(parts["k"])) == ("vapid", self.server_key)
        head, claims, signature = parts["t"].split(".")
        assert msgspec.json.decode(unb64(head)) == {"typ": "JWT", "alg": "ES256"}
        told = msgspec.json.decode(unb64(claims))
        assert told["aud"] == self.origin
        assert told["sub"].startswith("mailto:")
        raw = unb64(signature)
        assert len(raw) == 64
        der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), self.server_key)
        key.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))


class PushService:
    """Several browsers behind one origin."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.browsers: dict[str, Browser] = {}
        self.paths: list[str] = []

    def browser(self) -> Browser:
        made = Browser(self.origin)
        self.browsers[made.endpoint.removeprefix(self.origin)] = made
        return made

    def open_all(self) -> None:
        for browser in self.browsers.values():
            if browser.gate is not None:
                browser.gate.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines if line)
            headers = {name.lower(): value for name, value in headers.items()}
            body = await reader.readexactly(int(headers["content-length"]))
            method, path, _ = first.split(" ")
            self.paths.append(path)
            browser = self.browsers.get(path)
            if browser is not None:
                await browser.pass_gate()
            status = browser.take(headers, body) if browser is not None and method == "POST" else 404
            extra = browser.extra if browser is not None else ""
            writer.write(f"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 {status} X\r\n{extra}Content-Length: 0\r\n\r\n".encode())
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    service = PushService("")
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    service.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield service
    finally:
        server.close()
        await server.wait_closed()
