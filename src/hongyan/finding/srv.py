"""SRV records (RFC 2782): the hosts of a service by priority, and at random by weight inside a priority."""

import contextlib
import ipaddress
import random
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import msgspec

from hongyan.finding.target import Target

if TYPE_CHECKING:  # imported where a name is looked up: it takes 60 ms, and most who import this package never ask
    from dns.asyncresolver import Resolver

_TRY = 1.0
"""Seconds until a name server that is silent is asked again, or the next one is."""
_WITHIN = 5.0


class CannotFind(Exception):
    """A name that leads nowhere now. The text says why, for people."""

    def __init__(self, text: str, reason: Literal["none", "closed", "unanswered"]) -> None:
        super().__init__(text)
        self.reason = reason
        """`none`: there is no such record. `closed`: the record says that the service is not there. `unanswered`: nobody said."""


class Records(msgspec.Struct, frozen=True):
    """What a name server said."""

    targets: tuple[Target, ...]
    """In the order in which they are to be tried."""
    ttl: int
    """Seconds for which this may be believed without asking again."""


def parse_name_server(text: str) -> Target:
    """ADDRESS:PORT, or an address alone for port 53. Raises ValueError with a sentence for people."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or "", 53 if parts.port is None else parts.port
        ipaddress.ip_address(host)
        if parts.netloc != text or "@" in text or not port:
            raise ValueError
    except ValueError:
        raise ValueError(f"expected the ADDRESS:PORT of a name server, such as 127.0.0.1:53 or [::1]:53, not {text!r}") from None
    return Target(host, port)


def resolver(name_server: str | None = None) -> "Resolver":
    """Asks this name server, or those of the system as they are now. Raises CannotFind, and ValueError for what is no address."""
    import dns.asyncresolver

    try:
        found = dns.asyncresolver.Resolver(configure=name_server is None)
    except dns.resolver.NoResolverConfiguration as error:
        raise CannotFind(f"This system names no name server: {error}", "unanswered") from error
    if name_server is not None:
        target = parse_name_server(name_server)
        found.nameservers, found.port = [target.host], target.port
    found.timeout, found.lifetime = _TRY, _WITHIN
    return found


async def srv(name: str, resolver: "Resolver", draw: Callable[[], float] = random.random) -> Records:
    """The records of a name such as `_nats._tcp.example.org`. `draw` gives a number from 0 up to 1. Raises CannotFind."""
    import dns.exception
    import dns.name
    import dns.resolver

    try:
        answer = await resolver.resolve(dns.name.from_text(name), "SRV")
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
        raise CannotFind(f"There is no SRV record {name}", "none") from error
    except (dns.exception.DNSException, OSError, UnicodeError) as error:
        raise CannotFind(f"No name server told where {name} is: {str(error) or type(error).__name__}", "unanswered") from error
    said = sorted((one.priority, one.weight, one.target.to_text(omit_final_dot=True), one.port) for one in answer)
    there = [record for record in said if record[2] != "."]
    if not there:
        raise CannotFind(f"{name} says that this service is not available there", "closed")
    targets: list[Target] = []
    for _, group in groupby(there, key=lambda record: record[0]):
        targets += by_weight([(weight, Target(host, port)) for _, weight, host, port in group], draw)
    return Records(tuple(dict.fromkeys(targets)), answer.chaining_result.minimum_ttl)


async def addresses(host: str, resolver: "Resolver") -> list[str]:
    """Those of a host, which may be one itself; of IPv4 first. Raises CannotFind."""
    import dns.exception

    with contextlib.suppress(ValueError):
        return [str(ipaddress.ip_address(host))]
    found: list[str] = []
    for kind in ("A", "AAAA"):
        with contextlib.suppress(dns.exception.DNSException, OSError, UnicodeError):
            found += [str(one) for one in await resolver.resolve(host, kind)]
    if not found:
        raise CannotFind(f"{host} has no address", "none")
    return found


def by_weight(records: Iterable[tuple[int, Target]], draw: Callable[[], float]) -> list[Target]:
    """The order of the records of one priority: the algorithm of RFC 2782, page 3, with those of weight 0 first in line."""
    line = sorted(records, key=lambda record: record[0])
    ordered = []
    while line:
        mark = int(draw() * (sum(weight for weight, _ in line) + 1))
        for at, (weight, _) in enumerate(line):
            mark -= weight
            if mark <= 0:
                ordered.append(line.pop(at)[1])
                break
    return ordered
