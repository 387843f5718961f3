"""Many accounts at once, for the command line."""

from collections.abc import Callable, Sequence

from hongyan.core import text
from hongyan.core.errors import Conflict
from hongyan.features.identity import rows
from hongyan.features.identity.issuing import fresh
from hongyan.features.identity.passwords import Passwords
from hongyan.features.identity.scram import Keys
from hongyan.features.identity.tokens import token_draft
from hongyan.messaging import People
from hongyan.store import Store, Transaction

AT_ONCE = 500
"""Accounts in one transaction."""


class Import:
    def __init__(
        self,
        store: Store,
        people: People,
        passwords: Passwords,
        *,
        clock: Callable[[], int],
        random: Callable[[int], bytes],
        days: int,
    ) -> None:
        self._store = store
        self._people = people
        self._passwords = passwords
        self._clock = clock
        self._random = random
        self._days = days

    async def run(self, accounts: Sequence[tuple[str, str]], tokens: bool) -> list[tuple[str, str | None]]:
        """See `Identity.import_accounts`."""
        prepared = [(text.account_name(name), self._passwords.chosen(password)) for name, password in accounts]
        await self._refuse_taken([user for user, _ in prepared])
        given: list[tuple[str, str | None]] = []
        for at in range(0, len(prepared), AT_ONCE):
            part = prepared[at : at + AT_ONCE]
            if tokens:
                keys = [self._passwords.unusable() for _ in part]
            else:
                keys = await self._passwords.derive_all([password for _, password in part])
            new = [(user, its) for (user, _), its in zip(part, keys, strict=True)]
            given += await self._store_part(new, tokens)
        return given

    async def _refuse_taken(self, users: Sequence[str]) -> None:
        seen: set[str] = set()
        for user in users:
            if user in seen:
                raise Conflict(f"The name {user} is there twice")
            seen.add(user)
        taken = await self._people.names(users)
        if taken:
            raise Conflict(f"The name {min(taken)} is taken")

    async def _store_part(self, new: Sequence[tuple[str, Keys]], tokens: bool) -> list[tuple[str, str | None]]:
        now = self._clock()
        made = {user: fresh(self._random) for user, _ in new} if tokens else {}
        issued = [token.content(user, user, False, "import", "session", now, self._days) for user, token in made.items()]

        def write(tx: Transaction) -> None:
            self._people.add_many(tx, [(user, user, False) for user, _ in new], now)
            rows.put_keys(tx.connection, new, change_password=False)
            if issued:
                rows.add_tokens(tx.connection, issued, now)
            tx.append_all([token_draft(token, now) for token in issued])

        await self._store.transaction(write)
        return [(user, made[user].token if tokens else None) for user, _ in new]
