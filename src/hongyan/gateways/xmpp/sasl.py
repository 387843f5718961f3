"""SASL as a stream of XMPP has it (RFC 6120, section 6): what is offered, and one attempt to log in. No sockets, no XML."""

from base64 import b64decode
from binascii import Error
from collections.abc import Mapping

import msgspec

from hongyan.core.errors import Forbidden, HongyanError, Invalid, NotAuthenticated, TooLarge
from hongyan.features.identity import Exchange, Identity, Proven, require_own

PLAIN = "PLAIN"
_MOST = 8_192
"""A password of 1,000 characters with its name fits."""


class Challenge(msgspec.Struct, frozen=True):
    """Send it, and give what comes back to `respond`."""

    data: bytes


class Success(msgspec.Struct, frozen=True):
    """They are who they say."""

    proven: Proven
    data: bytes | None
    """What goes with it: the server's own proof."""


Step = Challenge | Success


class SaslFailure(Exception):
    """The attempt is over. `condition` is of RFC 6120, section 6.5; `detail` is for people, and may be told."""

    def __init__(self, condition: str, detail: str = "") -> None:
        super().__init__(f"{condition}: {detail}" if detail else condition)
        self.condition = condition
        self.detail = detail


class Mechanisms:
    """What one stream offers."""

    def __init__(self, identity: Identity, bindings: Mapping[str, bytes], *, secure: bool) -> None:
        """`bindings` are what the connection's TLS can be bound by, type to data; `secure` is that nobody reads along."""
        self.bindings = bindings
        self._offered = (*identity.mechanisms(bindings), *((PLAIN,) if secure else ()))

    def offered(self) -> tuple[str, ...]:
        """Strongest first."""
        return self._offered

    def require(self, mechanism: str) -> None:
        """Raises SaslFailure for what is not offered."""
        if mechanism not in self._offered:
            raise SaslFailure("encryption-required" if mechanism == PLAIN else "invalid-mechanism")


class Negotiation:
    """One attempt: `begin`, then `respond` to each challenge, until Success or SaslFailure. The next attempt is another one."""

    def __init__(self, identity: Identity, mechanisms: Mechanisms, domain: str, address: str) -> None:
        """`address` is from where they come."""
        self._identity = identity
        self._mechanisms = mechanisms
        self._domain = domain
        self._address = address
        self._mechanism = ""
        self._over = False
        self._exchange: Exchange | None = None

    async def begin(self, mechanism: str, initial: bytes | None) -> Step:
        """`initial` is None when nothing came with it; an empty one is `=` on the wire."""
        if self._mechanism or self._over:
            raise self._ended("malformed-request")
        try:
            self._mechanisms.require(mechanism)
        except SaslFailure:
            self._over = True
            raise
        self._mechanism = mechanism
        return Challenge(b"") if initial is None else await self.respond(initial)

    async def respond(self, data: bytes) -> Step:
        """An answer to what `begin` or this returned."""
        if not self._mechanism or self._over:
            raise self._ended("malformed-request")
        try:
            step = await (self._plain(data) if self._mechanism == PLAIN else self._scram(data))
        except HongyanError as error:
            raise self._ended(_condition(error), error.detail) from error
        self._over = isinstance(step, Success)
        return step

    def abort(self) -> SaslFailure:
        """The client wants no more; what to answer."""
        return self._ended("aborted")

    def _ended(self, condition: str, detail: str = "") -> SaslFailure:
        self._over = True
        self._exchange = None
        return SaslFailure(condition, detail)

    async def _plain(self, data: bytes) -> Step:
        authzid, name, password = plain(data)
        require_own(authzid, name, self._domain)
        return Success(await self._identity.prove(name, password, self._address), None)

    async def _scram(self, data: bytes) -> Step:
        if self._exchange is None:
            bindings = self._mechanisms.bindings
            self._exchange = self._identity.scram(self._mechanism, self._address, bindings, domain=self._domain)
            return Challenge(await self._exchange.first(data))
        return Success(*await self._exchange.final(data))


def plain(data: bytes) -> tuple[str, str, str]:
    """Whom to act for, name and password (RFC 4616). Raises Invalid, TooLarge; neither quotes them."""
    if len(data) > _MOST:
        raise TooLarge("This is too long for a name and a password")
    parts = data.split(b"\0")
    if len(parts) != 3 or not parts[1] or not parts[2]:
        raise Invalid("PLAIN is whom to act for, a name and a password, with NUL between them")
    try:
        authzid, name, password = (part.decode() for part in parts)
    except UnicodeDecodeError:
        pass  # it holds the password, so it must not be the context of what is raised
    else:
        return authzid, name, password
    raise Invalid("PLAIN is said in UTF-8")


def decoded(text: str) -> bytes | None:
    """The text of `<auth/>` or `<response/>`: None is nothing, `=` is empty (RFC 6120, section 6.4.2). Raises SaslFailure."""
    if text in ("", "="):
        return b"" if text else None
    try:
        return b64decode(text, validate=True)
    except (Error, ValueError):
        raise SaslFailure("incorrect-encoding", "This is no base64") from None


def _condition(error: HongyanError) -> str:
    """A disabled account is not told apart from a wrong password."""
    if isinstance(error, NotAuthenticated):
        return "not-authorized"
    if isinstance(error, Forbidden):
        return "invalid-authzid"
    return "malformed-request" if isinstance(error, (Invalid, TooLarge)) else "temporary-auth-failure"
