"""Which server: one of several, the same for as long as it serves, and the next at once when it does not.

A client names one URL, several, or a domain (a name with a dot in it), whose SRV records `_hongyan._tcp.DOMAIN` say where its
servers are; without such records its server is https://DOMAIN. Servers are tried in their order: that of the records, or for
URLs any, drawn at the start, so that the clients of one that stops spread over all the others.

Whoever answers must show the certificate of the domain that was named, wherever the records lead: an answer of a name server
can be forged, and must not decide whom a password is told (RFC 6125, section 6.2.1; RFC 9525, section 6.1).
"""

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from hongyan.client.errors import Unreachable
from hongyan.finding import CannotFind, Records, Target, parse_name_server, resolver, srv

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}$)({_LABEL}\.)+(?![0-9]+$){_LABEL}", re.ASCII)
_OLDEST = 300.0
"""Seconds after which records are asked for again before they are gone by, whatever their time to live is."""
_YOUNGEST = 1.0
"""Seconds for which they are not asked for again: all servers may be away, and many calls waiting."""
_PATIENCE = 0.5
"""Seconds that a new answer may take while there is an old one: going elsewhere must not wait for a name server that is away."""


class Address(msgspec.Struct, frozen=True):
    """Where one server is."""

    url: str
    name: str | None = None
    """The host whose certificate it must show, when that is not the one in `url`."""

    @property
    def secure(self) -> bool:
        return self.url.startswith("https:")

    @property
    def headers(self) -> dict[str, str]:
        """For an HTTP request to `url`."""
        return {"Host": self.name} if self.name else {}

    @property
    def extensions(self) -> dict[str, str]:
        """For httpx: the name that is told in the TLS handshake, and checked."""
        return {"sni_hostname": self.name} if self.name else {}

    @property
    def websocket(self) -> tuple[str, dict[str, Any]]:
        """URL and options for `websockets.connect`."""
        if self.name is None:
            return "ws" + self.url.removeprefix("http"), {}
        parts = urlsplit(self.url)
        return f"wss://{self.name}", {"host": parts.hostname, "port": parts.port or 443, "proxy": None}


class Servers:
    """`given` is a URL, several (a sequence, or with commas between them), or a domain. Raises ValueError for what is none.

    `dns` is the ADDRESS:PORT of the name server to ask for a domain, without it the system's; `look` asks for the records.
    """

    def __init__(
        self,
        given: str | Sequence[str],
        *,
        dns: str | None = None,
        draw: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
        look: Callable[[str], Awaitable[Records]] | None = None,
    ) -> None:
        self.name = name_of(given)
        """All that was named, always in one form: a token is kept for it."""
        if dns is not None:
            parse_name_server(dns)
        self._look = look or (lambda name: srv(name, resolver(dns), draw))
        self._clock = clock
        self._left: Address | None = None
        self._peace: dict[Address, float] = {}
        """When those may be asked again that asked to be left in peace."""
        self._domain: str | None = None
        self._oldest = _OLDEST
        self._asked_at: float | None = None
        self._due = False
        self._asking = asyncio.Lock()
        self._trouble = ""
        parts = self.name.split(",")
        if len(parts) == 1 and _DOMAIN.fullmatch(parts[0]):
            self._domain = parts[0]
            self._due = True
            self.all: tuple[Address, ...] = ()
            """Those that are known, in the order in which they are tried."""
            self.current = Address(f"https://{self._domain}")
            """The one in use."""
        else:
            for part in parts:
                if not _is_url(part):
                    raise ValueError(f"{part} is no address of a server; it looks like http://127.0.0.1:8440, or example.org")
            self.all = tuple(sorted((Address(part) for part in parts), key=lambda _: draw()))
            self.current = self.all[0]

    @property
    def secure(self) -> bool:
        """Whether any of them is reached over TLS."""
        return self._domain is not None or any(server.secure for server in self.all)

    @property
    def direct(self) -> bool:
        """Whether proxies of the environment must not come between: httpx checks the certificate of what is behind them for the
        host in the URL, which here is the one that an SRV record names.
        """
        return self._domain is not None

    @property
    def peace(self) -> float | None:
        """Seconds for which the one in use asked to be left in peace, if it did."""
        rest = self._peace.get(self.current, 0.0) - self._clock()
        return rest if rest > 0 else None

    async def find(self) -> None:
        """Before each request and stream: asks for the records of a domain when that is due.

        Raises Unreachable when it is not known where any server is.
        """
        if not self._due:
            return
        before = self._asked_at
        async with self._asking:
            if self._asked_at == before:  # otherwise somebody has asked in the meantime
                await self._ask()
        if not self.all:
            raise Unreachable(f"{self._domain}: {self._trouble}")

    def leave(self, server: Address, tried: set[Address], after: float | None = None) -> bool:
        """This server does not serve now (and asks for `after` seconds of peace): take another one. True: try that at once.

        `tried` are those that the caller has tried since it last waited. When there is no other, it is emptied: wait, then go on.
        """
        now = self._clock()
        tried.add(server)
        if after is not None:
            self._peace[server] = now + after
        if self._domain is not None and (self._asked_at is None or now - self._asked_at >= self._oldest):
            self._due = True
        if self.current != server and self.current not in tried:
            return True  # somebody else has left it before
        self._left = server
        for other in self.all:
            if other not in tried and self._peace.get(other, now) <= now:
                self.current = other
                return True
        tried.clear()
        self._due = self._domain is not None
        self._choose(now)
        return False

    def _choose(self, now: float) -> None:
        """The first of those that wish to be asked soonest; only if need be the one that was left last."""
        if self.all:
            self.current = min(self.all, key=lambda one: (max(0.0, self._peace.get(one, now) - now), one == self._left))

    async def _ask(self) -> None:
        now = self._clock()
        if self.all and self._asked_at is not None and now - self._asked_at < _YOUNGEST:
            return
        try:
            async with asyncio.timeout(_PATIENCE if self.all else None):
                records = await self._look(f"_hongyan._tcp.{self._domain}")
            found = tuple(self._address(target) for target in records.targets)
            self._oldest = min(_OLDEST, max(_YOUNGEST, records.ttl))
        except TimeoutError:
            found = self.all
        except CannotFind as error:
            self._trouble = str(error)
            match error.reason:
                case "none":
                    found = (Address(f"https://{self._domain}"),)
                case "closed":
                    found = ()
                case _:
                    found = self.all
        self._asked_at = self._clock()
        self._due = not found
        first = not self.all
        self.all = found
        self._peace = {server: until for server, until in self._peace.items() if server in found and until > now}
        if first or self.current not in found:
            self._choose(now)

    def _address(self, target: Target) -> Address:
        host = str(target).removesuffix(":443") if target.port == 443 else str(target)
        return Address(f"https://{host}", None if target.host == self._domain else self._domain)


def name_of(given: str | Sequence[str]) -> str:
    """The same text for the same servers, in whatever order they were named."""
    parts = [part.strip() for text in ([given] if isinstance(given, str) else given) for part in text.split(",")]
    return ",".join(sorted({part.rstrip("/") if "://" in part else _domain(part) for part in parts}))


def _domain(text: str) -> str:
    """In its form for name servers when it is a domain, otherwise as it is."""
    try:
        host = httpx.URL(f"https://{text}").raw_host.decode().rstrip(".").lower()
    except (httpx.InvalidURL, ValueError):
        return text
    return host if _DOMAIN.fullmatch(host) and not set(text) & set("/:@?#[]% ") else text


def _is_url(text: str) -> bool:
    try:
        return bool(text.startswith(("http://", "https://")) and urlsplit(text).hostname and httpx.URL(text).host)
    except (ValueError, httpx.InvalidURL):
        return False
