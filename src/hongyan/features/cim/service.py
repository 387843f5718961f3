"""CIM's services, as its gateway uses them."""

import asyncio
import secrets
from collections.abc import Callable, Sequence

from hongyan import config
from hongyan.core import text
from hongyan.core.content import Text
from hongyan.core.errors import Forbidden, NotAuthenticated, NotFound, OutcomeUnknown, RateLimited
from hongyan.core.ids import id_from_bits
from hongyan.core.model import Caller
from hongyan.features.cim import rows
from hongyan.features.cim.directory import Directory, Person
from hongyan.features.cim.keeping import Keeping
from hongyan.features.cim.logins import DEVICE, Logins
from hongyan.features.cim.model import Account, Admitted, Connected, LoginRefused, NotTrusted
from hongyan.features.identity import Identity
from hongyan.messaging import LOBBY, Messaging, Session, Verdict, now_ms
from hongyan.messaging.rate import Bucket
from hongyan.store import Store, Transaction, reading

_MOST_DIRECT = 100_000
"""Direct conversations whose ids are kept."""
_MADE_PER_SECOND, _MADE_AT_ONCE = 10.0, 500.0
"""Accounts that strangers may make on this node, all together."""


class Cim:
    """`start` follows the log; `stop` stores how far everybody has come."""

    def __init__(
        self,
        store: Store,
        messaging: Messaging,
        identity: Identity,
        settings: config.Cim,
        *,
        clock: Callable[[], int] = now_ms,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._store = store
        self._messaging = messaging
        self._identity = identity
        self._registers = settings.register
        self._clock = clock
        self._random = random
        self._making = Bucket(_MADE_PER_SECOND, _MADE_AT_ONCE)
        self._direct: dict[tuple[str, str], str] = {}
        self._logins = Logins(store, messaging, identity, settings, clock=clock, random=random)
        self.directory = Directory(store)
        self.keeping = Keeping(store, lambda: asyncio.get_running_loop().time())

    async def start(self) -> None:
        self._logins.follow()
        self.directory.follow(self._messaging.log)
        self.keeping.start()

    async def stop(self) -> None:
        await self.keeping.stop()

    # Accounts

    async def register(self, name: str) -> int:
        """The number of this name; who does not exist is made, without a password. Raises Invalid, Forbidden,
        RateLimited.
        """
        user = text.account_name(name)
        known = await self.directory.numbers([user])
        if user in known:
            return known[user]
        if not self._registers:
            raise Forbidden("Accounts are made by an administrator here")
        if not self._making.take():
            raise RateLimited("Too many accounts are being made", retry_after=1.0)
        shown, now = text.display_name(name), self._clock()

        def write(tx: Transaction) -> int:
            if rows.existing(tx.connection, [user]):
                return rows.give(tx.connection, [user])[user]
            head = reading.head(tx.connection)
            self._messaging.people.add(tx, user, shown, False, now)
            return rows.give(tx.connection, [user], open=True, position=head)[user]

        return await self._store.transaction(write)

    async def online(self) -> list[Person]:
        """Everybody who is there, over whatever gateway, up to a bound."""
        there = await self._messaging.presence.online()
        known = await self.directory.learn([one.id for one in there])
        return [known[one.id] for one in there if one.id in known]

    # Log-ins

    async def may_log_in(self, number: int, name: str) -> None:
        """Raises LoginRefused; an older log-in that is just ending is waited for."""
        await self._logins.check(number, name)

    async def log_in(
        self, number: int, name: str, address: str, wake: Callable[[], None], close: Callable[[Verdict], None]
    ) -> tuple[Admitted, Session]:
        """A log-in, and its session. Raises LoginRefused, and what `Sessions.open` raises."""
        admitted = await self._logins.log_in(number, name, address)
        try:
            if admitted.token is not None:
                self._identity.check(admitted.token)  # it may have ended while the log-in was stored
            session = await self._messaging.sessions.open(admitted.caller, "cim", admitted.cursor, wake, close)
        except BaseException as error:
            self.keeping.abandoned(admitted)
            if isinstance(error, NotAuthenticated):
                raise LoginRefused("mismatch", "the token has ended") from None
            raise
        return admitted, session

    def connected(self, connection: Connected) -> None:
        self._logins.connected(connection)

    def disconnected(self, connection: Connected) -> None:
        """Its connection has ended."""
        self._logins.disconnected(connection)
        self.keeping.ended(connection)

    def is_here(self, number: int, address: str) -> bool:
        """Whether this number is logged in on this node, from this address."""
        here = self._logins.of(number)
        return here is not None and here.address == address

    async def speaker(self, number: int, address: str, token: str | None) -> Account:
        """The user for whom `address` may speak: they are logged in from there, or it has their token. Raises NotTrusted."""
        account = await self.account(number)
        if account is None:
            raise NotTrusted(f"nobody has the number {number}")
        if token is not None:
            await self._holds(token, account)
        elif not self._stands(account):
            raise NotTrusted(f"{account.user} is not logged in")
        elif account.record is not None and account.record.address != address:
            raise NotTrusted(f"{account.user} is logged in from {account.record.address}")
        if account.disabled:
            raise NotTrusted(f"{account.user} is disabled")
        return account

    async def caller(self, number: int, address: str, token: str | None) -> Caller:
        """The same, asking the store only for who is on another node or has a token."""
        here = self._logins.of(number)
        if token is None and here is not None and here.address == address:
            self._messaging.log.require_fresh()
            return here.admitted.caller
        account = await self.speaker(number, address, token)
        return Caller(account.user, account.name, False, f"cim-{number}", DEVICE)

    async def known_address(self, address: str, token: str | None) -> bool:
        """Whether somebody is logged in from there, or the token is good."""
        if token is not None:
            try:
                await self._identity.find(token)
            except NotAuthenticated:
                return False
            return True
        nodes = self._logins.nodes
        found = await self._store.read(lambda connection: rows.nodes_of(connection, address))
        return any(node in nodes for node in found)

    async def log_out(self, number: int, address: str, token: str | None) -> None:
        """End the log-in of this number. Where none stands nothing is ended, and nobody asked who they are. Raises NotTrusted."""
        account = await self.account(number)
        if account is None or account.record is None:
            return
        if token is not None:
            await self._holds(token, account)
        elif account.record.address != address:
            raise NotTrusted(f"{account.user} is logged in from {account.record.address}")
        await self._logins.log_out(account)

    async def fetch(self, account: Account) -> bool:
        """Push what they missed over their connection; whether there is one."""
        return await self._logins.fetch(account)

    async def account(self, number: int) -> Account | None:
        self._messaging.log.require_fresh()
        return await self._store.read(lambda connection: rows.account(connection, number))

    # Messages

    async def to_group(self, caller: Caller, texts: Sequence[str]) -> None:
        """Into the lobby. Raises what `Sender.send` raises."""
        await self._send(caller, LOBBY, texts)

    async def to_person(self, caller: Caller, number: int, texts: Sequence[str]) -> bool:
        """Whether the receiver is there; what is sent is stored in any case. Raises NotFound, and what `Sender.send` raises."""
        receiver = await self._user(number)
        pair = caller.user, receiver
        lane = self._direct.get(pair)
        if lane is None:
            view, _ = await self._messaging.conversations.create_direct(caller, receiver)
            if len(self._direct) >= _MOST_DIRECT:
                self._direct.clear()
            lane = self._direct[pair] = view.id
        there = self._messaging.presence.is_there(receiver)
        await self._send(caller, lane, texts)
        return there

    async def _user(self, number: int) -> str:
        here = self._logins.of(number)
        if here is not None:
            return here.admitted.caller.user
        account = await self.account(number)
        if account is None:
            raise NotFound(f"Nobody has the number {number}")
        return account.user

    async def _send(self, caller: Caller, lane: str, texts: Sequence[str]) -> None:
        for one in texts:
            # Clients repeat nothing themselves, and their reqNo is the same for all: the id is for our own repetition only.
            client_id, content = id_from_bits(self._random(15)), Text(one)
            try:
                await self._messaging.sender.send(caller, lane, client_id, content)
            except OutcomeUnknown:
                await self._messaging.sender.send(caller, lane, client_id, content)

    def _stands(self, account: Account) -> bool:
        return account.record is not None and account.record.node in self._logins.nodes

    async def _holds(self, token: str, account: Account) -> None:
        try:
            holder = await self._identity.find(token)
        except NotAuthenticated:
            raise NotTrusted("the token is not known or has ended") from None
        if holder.user != account.user:
            raise NotTrusted(f"the token is one of {holder.user}, not of {account.user}")
