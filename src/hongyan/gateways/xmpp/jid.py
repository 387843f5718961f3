"""Addresses (RFC 7622)."""

import re
from functools import lru_cache
from ipaddress import IPv6Address

import idna
import msgspec
from precis_i18n import get_profile

from hongyan.gateways.xmpp.faults import StanzaFault

_LOCAL = get_profile("UsernameCaseMapped")
_RESOURCE = get_profile("OpaqueString")
_BYTES = 1_023
_REFUSED = frozenset("\"&'/:<>@")
_PLAIN = re.compile(r"[a-z0-9_.-]{1,256}")
"""Of which nothing has to be prepared."""
_HOST = re.compile(r"(?=.{1,255}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")


class BadJid(ValueError):
    """No address."""


class Jid(msgspec.Struct, frozen=True, gc=False):
    """`local@domain/resource`, prepared: what is the same is equal."""

    local: str
    """Empty for an address of a server."""
    domain: str
    resource: str = ""

    @property
    def bare(self) -> "Jid":
        return self if not self.resource else Jid(self.local, self.domain)

    def at(self, resource: str) -> "Jid":
        return Jid(self.local, self.domain, resource)

    def __str__(self) -> str:
        bare = f"{self.local}@{self.domain}" if self.local else self.domain
        return f"{bare}/{self.resource}" if self.resource else bare


def family(domain: str) -> str:
    """What domains below it have in common that one has made up: what is registered, as far as its form tells (`a.com.cn`)."""
    labels = domain.split(".")
    return ".".join(labels[-3 if len(labels) > 2 and len(labels[-2]) <= 3 else -2 :])


def of_user(user: str, domain: str, resource: str = "") -> Jid:
    """Where a user of the server of this domain is: those of other servers have their address as id."""
    local, at, elsewhere = user.partition("@")
    return Jid(local, elsewhere if at else domain, resource)


@lru_cache(maxsize=16_384)
def parse(text: str) -> Jid:
    """Raises BadJid."""
    if len(text) > 3 * _BYTES + 2:
        raise BadJid("An address is too long")
    rest, slash, resource = text.partition("/")
    local, at, domain = rest.rpartition("@")
    if (at and not local) or (slash and not resource) or "@" in local:
        raise BadJid("A part of an address is empty")
    return Jid(local_part(local) if at else "", domain_part(domain), resource_part(resource) if slash else "")


def address(text: str) -> Jid:
    """The same of what stands in a stanza. Raises StanzaFault."""
    try:
        return parse(text)
    except BadJid as error:
        raise StanzaFault("jid-malformed", str(error)) from None


def local_part(text: str) -> str:
    """Raises BadJid."""
    if _PLAIN.fullmatch(text):
        return text
    try:
        prepared = str(_LOCAL.enforce(text))
    except (UnicodeError, ValueError):
        raise BadJid("The part before @ has a character that is not allowed") from None
    if not prepared or len(prepared.encode()) > _BYTES or not _REFUSED.isdisjoint(prepared):
        raise BadJid("The part before @ is empty, too long or has a character that is not allowed")
    return prepared


def domain_part(text: str) -> str:
    """In ASCII, lower case, without the final dot. Raises BadJid."""
    lower = text.lower().removesuffix(".")
    if _HOST.fullmatch(lower) and "xn--" not in lower:
        return lower
    if lower.startswith("[") and lower.endswith("]"):
        return _address(lower)
    try:
        prepared = idna.encode(lower, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise BadJid("This is no domain") from None
    if not _HOST.fullmatch(prepared):
        raise BadJid("This is no domain")
    return prepared


def _address(text: str) -> str:
    try:
        return f"[{IPv6Address(text[1:-1])}]"
    except ValueError:
        raise BadJid("This is no domain") from None


def resource_part(text: str) -> str:
    """Raises BadJid."""
    if _PLAIN.fullmatch(text):
        return text
    try:
        prepared = str(_RESOURCE.enforce(text))
    except (UnicodeError, ValueError):
        raise BadJid("The part after / has a character that is not allowed") from None
    if not prepared or len(prepared.encode()) > _BYTES:
        raise BadJid("The part after / is empty or too long")
    return prepared
