"""Passwords: chosen, kept, verified. Whoever guesses gets one answer for every reason, after the same work."""

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hmac import digest

import msgspec
from sqlalchemy import Connection

from hongyan import config
from hongyan.core import text
from hongyan.core.errors import HongyanError, Invalid, Overloaded, WrongPassword
from hongyan.features.identity import rows, scram
from hongyan.features.identity.address import network
from hongyan.features.identity.deriving import Deriving, derive_all
from hongyan.features.identity.rows import Credentials
from hongyan.features.identity.scram import Hash, Keys, Verifier
from hongyan.features.identity.throttle import Throttle
from hongyan.store import Store

log = logging.getLogger("hongyan.identity")

_SALT_BYTES = 16


class Proven(msgspec.Struct, frozen=True):
    """Who knew a password, as of a moment ago: `Identity.enter` makes a log-in of it, if it is still the password."""

    user: str
    credentials: Credentials
    sha1: Verifier | None = None
    """Keys that the account did not have yet, to be kept when it logs in."""


class Challenged(msgspec.Struct, frozen=True):
    """Whose password a client of SCRAM has to prove, and by what. Nobody's looks the same."""

    user: str
    found: Credentials | None
    verifier: Verifier


class Passwords:
    def __init__(
        self, store: Store, settings: config.Identity, *, ticks: Callable[[], int], random: Callable[[int], bytes]
    ) -> None:
        self._store = store
        self._shortest = settings.password_length
        self._iterations = settings.iterations
        self._sha1_iterations = settings.sha1_iterations
        self._with_sha1 = settings.scram_sha1
        self._ticks = ticks
        self._random = random
        self._deriving = Deriving(settings.logins_at_once)
        self._throttle = Throttle(settings.failures_per_account, settings.failures_per_address, settings.failure_window)
        self._nobody = self.unusable().sha256
        """What an unknown name is checked against, so that it takes as long as a known one."""

    def close(self) -> None:
        self._deriving.close()

    def chosen(self, password: str) -> str:
        """A new password, prepared. Raises Invalid."""
        prepared = text.password(password)
        if len(prepared) < self._shortest:
            raise Invalid(f"A password has at least {self._shortest} characters")
        return prepared

    async def derive(self, prepared: str) -> Keys:
        """Raises Overloaded."""
        sha256 = await self._deriving.derive(prepared, self._salt(), self._iterations)
        return Keys(sha256, await self._derive_sha1(prepared) if self._with_sha1 else None)

    async def derive_all(self, prepared: Sequence[str]) -> list[Keys]:
        """See `deriving.derive_all`."""
        sha256 = await derive_all([(one, self._salt()) for one in prepared], self._iterations)
        if not self._with_sha1:
            return [Keys(one) for one in sha256]
        sha1 = await derive_all([(one, self._salt()) for one in prepared], self._sha1_iterations, "sha1")
        return [Keys(one, other) for one, other in zip(sha256, sha1, strict=True)]

    def unusable(self) -> Keys:
        """No password leads to these keys, and a log-in finds that out as slowly as with others."""
        return Keys(Verifier(self._salt(), self._iterations, self._random(32), self._random(32)))

    async def verify(self, name: str, password: str, address: str) -> Proven:
        """The account.

        Raises WrongPassword (there is none, it is disabled, or the password is wrong), RateLimited, Overloaded.
        """
        user = _account(name)
        typed = _prepared(text.password, password, "")
        with self._throttle.attempt(user, address, self._ticks()) as attempt:
            found = await self._store.read(lambda connection: rows.credentials(connection, user))
            kept = found.keys.sha256 if found is not None else self._nobody
            derived = await self._deriving.derive(typed, kept.salt, kept.iterations)
            if not scram.same(derived, kept) or found is None:
                raise _refused(user, found, address)
            attempt.succeeded()
        missing = None
        if self._with_sha1 and found.keys.sha1 is None:
            with contextlib.suppress(Overloaded):  # then they come with the next log-in
                missing = await self._derive_sha1(typed)
        return Proven(user, found, missing)

    async def challenge(self, name: str, hash: Hash) -> Challenged:
        """What a client of SCRAM is asked. For what is no account, is disabled, or has no such keys it is the same each time."""
        user = _account(name)
        found = await self._store.read(lambda connection: rows.credentials(connection, user))
        kept = found.keys.of(hash) if found is not None else None
        # Of the store's key, so that it is the same on every node and after a restart.
        salt = digest(self._store.key, f"scram salt\0{hash}\0{user}".encode(), "sha256")[:_SALT_BYTES]
        if kept is not None:
            return Challenged(user, found, kept)
        iterations = self._iterations if hash == "sha256" else self._sha1_iterations
        size = len(digest(b"", b"", hash))
        return Challenged(user, None, Verifier(salt, iterations, self._nobody.stored_key[:size], self._nobody.server_key[:size]))

    def decide(self, challenged: Challenged, address: str, right: bool) -> Proven:
        """The end of an exchange, whose proof was right or not; a wrong one is a guess like a wrong password.

        Raises WrongPassword, RateLimited, Overloaded.
        """
        user, found = challenged.user, challenged.found
        with self._throttle.attempt(user, address, self._ticks()) as attempt:
            self._deriving.require_room()
            if not right or found is None:
                self._deriving.proof_was_wrong()
                raise _refused(user, found, address)
            attempt.succeeded()
        return Proven(user, found)

    async def _derive_sha1(self, prepared: str) -> Verifier:
        return await self._deriving.derive(prepared, self._salt(), self._sha1_iterations, "sha1")

    def _salt(self) -> bytes:
        return self._random(_SALT_BYTES)


def still(connection: Connection, proven: Proven) -> Credentials:
    """Inside a transaction: what was proven is still the password, and the account not disabled. Raises WrongPassword.

    Otherwise a log-in that began before a password change would get a token that outlives it.
    """
    current = rows.credentials(connection, proven.user)
    if current is None or not scram.same(current.keys.sha256, proven.credentials.keys.sha256):
        raise WrongPassword
    return current


@contextlib.contextmanager
def counted(outcomes: Counter[str]) -> Iterator[None]:
    """A log-in that fails is counted by the code of its error."""
    try:
        yield
    except HongyanError as error:
        outcomes[error.code] += 1
        raise


def _refused(user: str, found: Credentials | None, address: str) -> WrongPassword:
    # Never what was typed as a name: people type passwords there.
    log.info("log-in refused: account %s, from %s", user if found is not None else "unknown", network(address))
    return WrongPassword()


def _account(name: str) -> str:
    return _prepared(text.account_name, name, name[:64].encode(errors="replace").decode())


def _prepared(prepare: Callable[[str], str], typed: str, otherwise: str) -> str:
    """What cannot be a name or a password is looked up and verified all the same, and is never right."""
    try:
        return prepare(typed)
    except Invalid:
        return otherwise
