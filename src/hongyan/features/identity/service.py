"""Accounts, log-in and tokens, as everybody else uses them.

The command line uses an `Identity` on an open store alone; a server also calls `start`, and then `check` works.
"""

import asyncio
import builtins
import contextlib
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from sqlalchemy import Connection

from hongyan import config
from hongyan.core import text
from hongyan.core.errors import Conflict, Invalid, NotAuthenticated, NotFound
from hongyan.core.model import Caller, user_lane
from hongyan.features.identity import exchange, rows
from hongyan.features.identity.embedding import Embedding
from hongyan.features.identity.exchange import Exchange
from hongyan.features.identity.importing import Import
from hongyan.features.identity.issuing import Change, end, end_all, fresh, issue
from hongyan.features.identity.model import AccountView, IssuedToken, Login, TokenView
from hongyan.features.identity.passwords import Passwords, Proven, counted, still
from hongyan.features.identity.throttle import ticks_ms
from hongyan.features.identity.tokens import Account, TokenTable, account_draft
from hongyan.messaging import Log, People, now_ms
from hongyan.store import Store, Transaction

log = logging.getLogger("hongyan.identity")

_SWEPT_AT_ONCE = 500
_LONGEST_DAYS = 3_650


class Identity:
    """`check` is the hot path and asks no database; everything else asks the store."""

    def __init__(
        self,
        store: Store,
        people: People,
        settings: config.Identity,
        *,
        clock: Callable[[], int] = now_ms,
        ticks: Callable[[], int] = ticks_ms,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """`clock` tells the time of day, `ticks` how long ago a guess was."""
        self._store = store
        self._people = people
        self._settings = settings
        self._clock = clock
        self._random = random
        self._passwords = Passwords(store, settings, ticks=ticks, random=random)
        self._table: TokenTable | None = None
        self._log: Log | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self.embedding = Embedding(store, clock=clock, random=random, follow=self._follow)
        self.logins: Counter[str] = Counter()
        """Log-ins by outcome, whatever they come by: `ok`, or the code of the error."""

    async def start(self, log: Log, end_token: Callable[[str, str], None], *, sweep_seconds: float = 60.0) -> None:
        """Follow the log from now on. `end_token` is called with user and token id for each token that ends, on whatever node."""
        table = TokenTable(end_token)
        log.fold(table.apply)
        now = self._clock()
        position, live = await self._store.read(lambda connection: rows.live(connection, now))
        table.load(position, live)
        self._table = table
        self._log = log
        if not self._settings.scram_sha1 and await self._store.read(rows.has_sha1):
            await self._store.transaction(lambda tx: rows.drop_sha1(tx.connection))
        self._sweeping = asyncio.create_task(self._sweep_on(sweep_seconds), name="hongyan token sweep")

    async def stop(self) -> None:
        """Also without `start`: it ends the threads that derive."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeping
            self._sweeping = None
        self._passwords.close()

    # Tokens

    async def find(self, token: str, *, ticket: bool = False) -> Caller:
        """As `check`, also for a token that another node has issued a moment ago."""
        if self._table is not None and self._log is not None and self._table.could_be(token) and self._table.find(token) is None:
            self._log.require_fresh()
            await self._log.caught_up()
        return self.check(token, ticket=ticket)

    def check(self, token: str, *, ticket: bool = False) -> Caller:
        """Whose token it is, as far as this node knows; also that of a `ticket`, where one may be shown. Raises NotAuthenticated,
        Overloaded (it has lost touch).
        """
        if self._log is not None:
            self._log.require_fresh()
        live = self._table.find(token) if self._table is not None else None
        if live is None or live.expires <= self._clock() or (live.ticket and not ticket):
            raise NotAuthenticated("This token is not known or has ended; log in again")
        return live.caller

    async def login(self, name: str, password: str, device: str, address: str) -> Login:
        """A new token for this device. Raises Invalid (the device), WrongPassword, RateLimited, Overloaded."""
        device = text.device_label(device)
        return await self.enter(await self.prove(name, password, address), device, "session")

    async def logout(self, caller: Caller) -> None:
        """End the caller's own token."""
        with contextlib.suppress(NotFound):  # something else has just ended it
            await self.end(caller, caller.token_id)

    async def tokens(self, caller: Caller) -> builtins.list[TokenView]:
        """The caller's live tokens and, behind them, their devices that sleep."""
        now = self._clock()
        return await self._store.read(lambda connection: rows.views(connection, caller, now))

    async def issue(self, caller: Caller, name: str, days: int | None = None) -> IssuedToken:
        """A named token, for programs. Raises Invalid, Conflict (too many), NotAuthenticated (the caller's own has ended)."""
        name = text.device_label(name)
        days = self._settings.named_token_days if days is None else days
        if not 1 <= days <= _LONGEST_DAYS:
            raise Invalid(f"A named token lives 1 to {_LONGEST_DAYS:,} days")
        new, now, most = fresh(self._random), self._clock(), self._settings.tokens_per_user

        def write(tx: Transaction) -> tuple[IssuedToken, Change]:
            found = rows.credentials(tx.connection, caller.user)
            if found is None or not rows.has_token(tx.connection, caller.user, caller.token_id):
                raise NotAuthenticated("Your token has ended; log in again")
            if rows.count_named(tx.connection, caller.user, now) >= most - 1:  # one place is left for a log-in
                raise Conflict("You have as many named tokens as you may have; end one first")
            issued = new.content(caller.user, found.name, found.admin, name, "named", now, days)
            answer = IssuedToken(new.token, new.id, name, issued.expires)
            return answer, issue(tx, issued, now, most=most, keep=caller.token_id)

        answer, change = await self._store.transaction(write, scope=user_lane(caller.user))
        self._follow(change)
        return answer

    async def end(self, caller: Caller, token_id: str) -> None:
        """End one of the caller's own tokens, or the waking of a device that sleeps. Raises NotFound for everything else."""
        now = self._clock()

        def write(tx: Transaction) -> Change:
            # A device that logs itself out may only be going to sleep.
            woken = token_id != caller.token_id and rows.end_registrations_of(tx.connection, caller.user, token_id)
            if rows.has_token(tx.connection, caller.user, token_id):
                return end(tx, [token_id], now)
            if not woken:
                raise NotFound("You have no such token")
            return Change()

        self._follow(await self._store.transaction(write, scope=user_lane(caller.user)))

    async def sweep(self) -> int:
        """End what has expired, so that its sessions end too and no row stays. How many there were."""
        now = self._clock()
        swept = 0
        while ids := await self._store.read(lambda connection: rows.expired(connection, now, _SWEPT_AT_ONCE)):
            await self._end(ids, now)
            swept += len(ids)
        return swept

    # Log-in, in its parts: somebody proves who they are, and enters

    async def prove(self, name: str, password: str, address: str) -> Proven:
        """By the password itself. Raises WrongPassword, RateLimited, Overloaded."""
        with counted(self.logins):
            return await self._passwords.verify(name, password, address)

    def mechanisms(self, bindings: Mapping[str, bytes]) -> tuple[str, ...]:
        """What `scram` may be asked for, strongest first."""
        return exchange.mechanisms(bindings, sha1=self._settings.scram_sha1)

    def scram(self, mechanism: str, address: str, bindings: Mapping[str, bytes], *, domain: str = "") -> Exchange:
        """By SCRAM. `bindings` are what the channel can be bound by, type to data, and none without TLS; people may also say that
        they act as their own address at `domain`. Raises Invalid for a mechanism that is not offered.
        """
        if mechanism not in self.mechanisms(bindings):
            raise Invalid("This mechanism is not offered here")
        nonce = exchange.new_nonce(self._random)
        return Exchange(self._passwords, mechanism, address, bindings, nonce=nonce, domain=domain, outcomes=self.logins)

    async def enter(self, proven: Proven, device: str, kind: Literal["session", "xmpp"] = "xmpp") -> Login:
        """A new token for this device; one of kind `xmpp` takes the place of what the device had of it.

        Raises Invalid (the device), WrongPassword (it has been changed, or the account disabled, since).
        """
        device, user = text.device_label(device), proven.user
        new, now = fresh(self._random), self._clock()

        def write(tx: Transaction) -> tuple[Login, Change]:
            found = still(tx.connection, proven)
            if proven.sha1 is not None and found.keys.sha1 is None:
                rows.put_sha1(tx.connection, [(user, proven.sha1)])
            instead = rows.of_device(tx.connection, user, kind, device) if kind == "xmpp" else ()
            issued = new.content(user, found.name, found.admin, device, kind, now, self._settings.session_days)
            answer = Login(new.token, new.id, user, found.name, device, issued.expires, found.change_password)
            return answer, issue(tx, issued, now, most=self._settings.tokens_per_user, instead=instead)

        with counted(self.logins):
            answer, change = await self._store.transaction(write, scope=user_lane(user))
        self._follow(change)
        self.logins["ok"] += 1
        return answer

    # Passwords

    async def change_password(self, caller: Caller, old: str, new: str, address: str) -> None:
        """One's own; every other token ends. Raises Invalid, WrongPassword, RateLimited, Overloaded, NotAuthenticated."""
        prepared = self._passwords.chosen(new)
        proven = await self._passwords.verify(caller.user, old, address)
        user = proven.user
        if prepared == text.password(old):
            raise Invalid("The new password is the old one; choose another")
        keys = await self._passwords.derive(prepared)
        now = self._clock()

        def write(tx: Transaction) -> Change:
            still(tx.connection, proven)
            if not rows.has_token(tx.connection, user, caller.token_id):
                raise NotAuthenticated("Your token has ended; log in again")
            rows.put_keys(tx.connection, [(user, keys)], change_password=False)
            return end_all(tx, user, now, keep=caller.token_id)

        self._follow(await self._store.transaction(write, scope=user_lane(user)))

    async def set_password(self, user: str, new: str, *, must_change: bool = False, keep: str | None = None) -> None:
        """Somebody's, by an administrator; every token but `keep` ends. Raises Invalid, NotFound, Overloaded."""
        user = text.account_name(user)
        keys = await self._passwords.derive(self._passwords.chosen(new))
        now = self._clock()

        def write(tx: Transaction) -> Change:
            if rows.account(tx.connection, user) is None:
                raise NotFound(f"There is no user {user}")
            rows.put_keys(tx.connection, [(user, keys)], change_password=must_change)
            return end_all(tx, user, now, keep=keep)

        self._follow(await self._store.transaction(write, scope=user_lane(user)))

    # Accounts

    def has_password(self, connection: Connection, user: str) -> bool:
        """Inside somebody's transaction or read: whether there is a password, even one that nobody knows."""
        return rows.has_verifier(connection, user)

    async def add(
        self, name: str, password: str, *, display: str | None = None, admin: bool = False, must_change: bool = False
    ) -> str:
        """A new account; its id. Raises Invalid, Conflict when the name was ever used, Overloaded."""
        user = text.account_name(name)
        shown = user if display is None else text.display_name(display)
        keys = await self._passwords.derive(self._passwords.chosen(password))
        now = self._clock()

        def write(tx: Transaction) -> None:
            self._people.add(tx, user, shown, admin, now)
            rows.put_keys(tx.connection, [(user, keys)], change_password=must_change)

        await self._store.transaction(write)
        return user

    async def import_accounts(self, accounts: Sequence[tuple[str, str]], tokens: bool) -> builtins.list[tuple[str, str | None]]:
        """Many accounts from (name, password); their ids, with a token for each when `tokens`, otherwise None.

        With `tokens` nobody can log in with a password until one is set: deriving ten thousand takes minutes, and who asks for
        tokens does not log in. All names and passwords are checked before anything is stored; then 500 accounts are one
        transaction. Raises Invalid, Conflict.
        """
        days = self._settings.session_days
        run = Import(self._store, self._people, self._passwords, clock=self._clock, random=self._random, days=days).run
        return await run(accounts, tokens)

    async def disable(self, user: str) -> None:
        """No log-in any more, and every token ends. Raises NotFound."""
        await self._set_disabled(user, True)

    async def enable(self, user: str) -> None:
        """Log-in works again; ended tokens stay ended. Raises NotFound."""
        await self._set_disabled(user, False)

    async def list(self) -> builtins.list[AccountView]:
        """Every account, in order of id."""
        return await self._store.read(rows.accounts)

    async def _set_disabled(self, name: str, disabled: bool) -> None:
        user, now = text.account_name(name), self._clock()

        def write(tx: Transaction) -> Change:
            account = rows.account(tx.connection, user)
            if account is None:
                raise NotFound(f"There is no user {user}")
            self._people.disable(tx, user, disabled)
            change = end_all(tx, user, now) if disabled else Change()
            tx.append(account_draft(Account(user, account.admin, disabled), now))
            return change

        self._follow(await self._store.transaction(write))

    async def _end(self, ids: Sequence[str], now: int) -> None:
        self._follow(await self._store.transaction(lambda tx: end(tx, ids, now), scope="sweep"))

    def _follow(self, change: Change) -> None:
        """What was committed is true on this node at once, before its follower comes to it."""
        if self._table is not None:
            self._table.ended(change.ended_at, change.ended)
            if change.issued is not None:
                self._table.issued(change.issued_at, change.issued)

    async def _sweep_on(self, seconds: float) -> None:
        while True:
            try:
                await self.sweep()
            except Exception as error:
                log.warning("expired tokens cannot be swept: %s", error)
            await asyncio.sleep(seconds)
