"""Passwords: chosen, kept, verified. Whoever guesses gets one answer for every reason, after the same work."""

import logging
from collections.abc import Callable

from sqlalchemy import Connection

from hongyan import config
from hongyan.core import text
from hongyan.core.errors import Invalid, WrongPassword
from hongyan.features.identity import rows, scram
from hongyan.features.identity.address import network
from hongyan.features.identity.deriving import Deriving
from hongyan.features.identity.rows import Credentials
from hongyan.features.identity.scram import Verifier
from hongyan.features.identity.throttle import Throttle
from hongyan.store import Store

log = logging.getLogger("hongyan.identity")


class Passwords:
    def __init__(
        self, store: Store, settings: config.Identity, *, ticks: Callable[[], int], random: Callable[[int], bytes]
    ) -> None:
        self._store = store
        self._shortest = settings.password_length
        self.iterations = settings.iterations
        self._ticks = ticks
        self._random = random
        self._deriving = Deriving(settings.logins_at_once)
        self._throttle = Throttle(settings.failures_per_account, settings.failures_per_address, settings.failure_window)
        self._nobody = self.unusable()
        """What an unknown name is checked against, so that it takes as long as a known one."""

    def close(self) -> None:
        self._deriving.close()

    def chosen(self, password: str) -> str:
        """A new password, prepared. Raises Invalid."""
        prepared = text.password(password)
        if len(prepared) < self._shortest:
            raise Invalid(f"A password has at least {self._shortest} characters")
        return prepared

    def salt(self) -> bytes:
        return self._random(16)

    async def derive(self, prepared: str) -> Verifier:
        """Raises Overloaded."""
        return await self._deriving.derive(prepared, self.salt(), self.iterations)

    def unusable(self) -> Verifier:
        """No password leads to these keys, and a log-in finds that out as slowly as with others."""
        return Verifier(self.salt(), self.iterations, self._random(32), self._random(32))

    async def verify(self, name: str, password: str, address: str) -> tuple[str, Credentials]:
        """The account.

        Raises WrongPassword (there is none, it is disabled, or the password is wrong), RateLimited, Overloaded.
        """
        user = _prepared(text.account_name, name, name[:64].encode(errors="replace").decode())
        typed = _prepared(text.password, password, "")
        with self._throttle.attempt(user, address, self._ticks()) as attempt:
            found = await self._store.read(lambda connection: rows.credentials(connection, user))
            kept = found.verifier if found is not None else self._nobody
            derived = await self._deriving.derive(typed, kept.salt, kept.iterations)
            if not scram.same(derived, kept) or found is None:
                # Never what was typed as a name: people type passwords there.
                log.info("log-in refused: account %s, from %s", user if found is not None else "unknown", network(address))
                raise WrongPassword
            attempt.succeeded()
        return user, found


def still(connection: Connection, user: str, verified: Credentials) -> Credentials:
    """Inside a transaction: what was verified is still the password, and the account not disabled. Raises WrongPassword.

    Otherwise a log-in that began before a password change would get a token that outlives it.
    """
    current = rows.credentials(connection, user)
    if current is None or not scram.same(current.verifier, verified.verifier):
        raise WrongPassword
    return current


def _prepared(prepare: Callable[[str], str], typed: str, otherwise: str) -> str:
    """What cannot be a name or a password is looked up and verified all the same, and is never right."""
    try:
        return prepare(typed)
    except Invalid:
        return otherwise
