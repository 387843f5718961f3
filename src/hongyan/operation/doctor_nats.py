"""What `hongyan doctor` finds about the bus."""

import asyncio
import contextlib
from collections.abc import Iterator
from urllib.parse import urlsplit

from nats.aio.client import Client

from hongyan.config import Endpoint, Settings
from hongyan.operation.finding import Finding
from hongyan.operation.redact import redact_text

_SECONDS = 4.0


def examine(settings: Settings) -> Iterator[Finding]:
    """Each server of the bus that cannot be reached with what the settings have, or whose connection can be read."""
    for server in [part.strip() for part in settings.bus.split(",")]:
        if "+srv://" in server:  # where that leads is looked up by the bus
            continue
        scheme, name, host = _parts(server)
        reason = asyncio.run(_trouble(server))
        if reason is not None:
            yield Finding(
                f"The bus {name} cannot be reached: {reason}", "Look whether it runs, and whether bus in the settings is right"
            )
        if scheme != "tls" and not Endpoint(host, 0).local:
            yield Finding(
                f"The connection to the bus {name} is not encrypted: what nodes tell one another can be read on the way",
                "Turn on tls in NATS, and write tls:// in the settings",
            )


def _parts(server: str) -> tuple[str, str, str]:
    """Scheme, the URL without name and password, the host."""
    scheme, _, rest = server.partition("://")
    place = rest.rpartition("@")[2]
    try:
        host = urlsplit(f"//{place}").hostname or ""
    except ValueError:
        host = ""
    return scheme, f"{scheme}://{place}", host


async def _trouble(server: str) -> str | None:
    errors: list[Exception] = []

    async def heard(error: Exception) -> None:
        errors.append(error)

    client = Client()
    try:
        async with asyncio.timeout(_SECONDS):
            await client.connect(
                servers=[server], name="hongyan doctor", allow_reconnect=False, connect_timeout=2, error_cb=heard
            )
            await client.flush(2)
    except Exception as error:  # what a driver raises is of many kinds
        reason = errors[-1] if errors else error
        return redact_text(str(reason) or type(reason).__name__)
    finally:
        with contextlib.suppress(Exception):
            await client.close()
    return None
