"""One request to a push service, to exactly the address that was looked at. Nothing of the answer but its status is used."""

import asyncio
import ssl
from collections.abc import Mapping
from functools import lru_cache

import msgspec

from hongyan.features.push.endpoints import Endpoint

_HEAD_BYTES = 16_384


class Answer(msgspec.Struct, frozen=True):
    status: int
    retry_after: float | None = None


class BadAnswerError(Exception):
    """It does not speak HTTP/1.1."""


@lru_cache(1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


async def post(endpoint: Endpoint, address: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Raises OSError (also ssl.SSLError), BadAnswerError. Who calls it decides how long it may take."""
    tls = {"ssl": _tls(), "server_hostname": endpoint.host} if endpoint.secure else {}
    reader, writer = await asyncio.open_connection(address, endpoint.port, limit=_HEAD_BYTES, **tls)  # type: ignore[arg-type]
    try:
        host = endpoint.origin.partition("://")[2]
        named = {"Host": host, "Connection": "close", "Content-Length": str(len(body)), **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        writer.write(f"POST {endpoint.target} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body)
        await writer.drain()
        while (answer := _read(await reader.readuntil(b"\r\n\r\n"))).status < 200:
            pass
        return answer
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise BadAnswerError("The answer is none of HTTP/1.1") from None
    finally:
        writer.transport.abort()


def _read(head: bytes) -> Answer:
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or not (parts[1].isdecimal() and len(parts[1]) == 3):
        raise BadAnswerError("The answer is none of HTTP/1.1")
    fields = dict(line.lower().split(":", 1) for line in lines if ":" in line)
    after = fields.get("retry-after", "").strip()
    return Answer(int(parts[1]), float(after) if after.isdecimal() and len(after) < 8 else None)
