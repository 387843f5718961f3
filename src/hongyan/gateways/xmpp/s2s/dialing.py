"""Calling another server: where it is (RFC 6120, section 3.2), TLS and what its certificate is worth, what its stream offers."""

import asyncio
from typing import TYPE_CHECKING

import msgspec

from hongyan.finding import CannotFind, NotPublicError, Target, resolver, srv
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.faults import StreamFault
from hongyan.gateways.xmpp.s2s.link import Link, LinkLost
from hongyan.gateways.xmpp.stream import STREAMS, TLS

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.s2s.federation import Federation

_PORT = 5269
_TARGETS = 4
_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 20.0


class CannotReach(Exception):
    """The other server. `condition` is what its stanzas are answered with; `for_now`: it may be starting anew."""

    def __init__(self, condition: str, text: str, *, for_now: bool = False) -> None:
        super().__init__(text)
        self.condition = condition
        self.for_now = for_now


class Reached(msgspec.Struct, frozen=True):
    link: Link
    features: Element
    trusted: bool
    """Its certificate is its own, and somebody who is believed says so."""
    stream: str
    """The id of its stream."""


async def dial(federation: "Federation", local: str, remote: str) -> Reached:
    """A stream to another server, encrypted where it can be. Raises CannotReach."""
    try:
        link = await _connect(federation, remote)
    except CannotFind as error:
        raise CannotReach("remote-server-not-found", str(error)) from None
    try:
        return await _negotiate(federation, link, local, remote)
    except (LinkLost, TimeoutError, StreamFault) as error:
        link.abort()
        raise CannotReach("remote-server-timeout", f"{remote} does not answer as a server: {error}") from None
    except BaseException:
        link.abort()
        raise


async def _negotiate(federation: "Federation", link: Link, local: str, remote: str) -> Reached:
    stream, features = await _head(link, local, remote)
    if not link.secure and features.child(f"{TLS} starttls") is not None:
        link.write(f"<starttls xmlns='{TLS}'/>")
        if (await link.next(_ANSWER_SECONDS)).name != f"{TLS} proceed":
            raise CannotReach("remote-server-timeout", f"{remote} refuses TLS")
        await link.start_tls(federation.context, calls=remote)
        stream, features = await _head(link, local, remote)
    if not link.secure and federation.settings.s2s_tls:
        raise CannotReach("remote-server-timeout", f"{remote} does not encrypt")
    trusted = link.proves(remote)
    if not trusted and not federation.settings.s2s_dialback:
        raise CannotReach("remote-server-not-found", f"{remote} shows no certificate that is believed")
    return Reached(link, features, trusted, stream)


async def _head(link: Link, local: str, remote: str) -> tuple[str, Element]:
    link.open({"from": local, "to": remote, "version": "1.0"})
    head = await link.next(_ANSWER_SECONDS)
    if head.name != f"{STREAMS} stream":
        raise StreamFault("invalid-namespace")
    if not head.get("version"):  # before RFC 3920: no features, dialback only
        return head.get("id"), Element(f"{STREAMS} features")
    features = await link.next(_ANSWER_SECONDS)
    if features.name != f"{STREAMS} features":
        raise StreamFault("invalid-xml")
    return head.get("id"), features


async def again(link: Link, local: str, remote: str) -> tuple[str, Element]:
    """The stream begins anew, after SASL."""
    link.restart()
    return await _head(link, local, remote)


async def _connect(federation: "Federation", remote: str) -> Link:
    """Raises CannotFind, CannotReach."""
    loop = asyncio.get_running_loop()
    why = CannotReach("remote-server-not-found", f"{remote} has no address")
    for target in (await _targets(federation, remote))[:_TARGETS]:
        link = Link(federation.settings.stanza_bytes, federation.write_buffer)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                host = await federation.address(target.host)
        except NotPublicError:
            said = "has no address of the public network (xmpp.s2s_private_addresses is for others)"
            why = CannotReach("remote-server-not-found", f"{target.host} {said}")
            continue
        except (OSError, TimeoutError, CannotFind) as error:
            why = CannotReach("remote-server-not-found", f"{target.host} has no address that can be found: {error}")
            continue
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await loop.create_connection(lambda link=link: link, host, target.port)  # type: ignore[misc]
        except (OSError, TimeoutError) as error:
            federation.log.info("%s at %s cannot be reached: %s", remote, target, error)
            why = CannotReach("remote-server-timeout", f"Nobody answers at {remote}", for_now=True)
            continue
        return link
    raise why


async def _targets(federation: "Federation", remote: str) -> list[Target]:
    if remote.startswith("["):
        return [Target(remote[1:-1], _PORT)]
    try:
        return list((await srv(f"_xmpp-server._tcp.{remote}", resolver(federation.name_server))).targets)
    except CannotFind as error:
        if error.reason != "none":
            raise
        return [Target(remote, _PORT)]
