"""Log-ins: one of each number stands at a time. Its record is in the store; what ends it elsewhere comes through the log."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Container

import msgspec
from sqlalchemy import Connection

from hongyan import config
from hongyan.core import text
from hongyan.core.errors import Invalid, NotAuthenticated
from hongyan.core.ids import id_from_bits
from hongyan.core.model import Caller, Event
from hongyan.features.cim import rows
from hongyan.features.cim.model import Account, Admitted, Connected, LoginRefused, Record
from hongyan.features.identity import ACCOUNTS_LANE, Identity
from hongyan.messaging import Messaging
from hongyan.store import Draft, Store, Transaction, reading

CIM_LANE = "_cim"
DEVICE = "CIM"
_MOST_LATEST = 10_000
_WAIT_SECONDS = 1.0
"""For a connection that has just ended to be recorded as such."""
_LOOK_SECONDS = 0.05
_MOST_WAITING = 100
"""For that, at once: each looks at the store again and again."""


class _About(msgspec.Struct):
    """Content of an event in `_cim`. `login`: of this user only this session stands. `offline`: none. `fetch`: it is to push what
    was missed.
    """

    user: str
    session: str = ""


class _Disabled(msgspec.Struct):
    id: str
    disabled: bool


_encode = msgspec.json.Encoder().encode
_about = msgspec.json.Decoder(_About).decode
_disabled = msgspec.json.Decoder(_Disabled).decode


class Logins:
    """Those of this node, and the records of all."""

    def __init__(
        self,
        store: Store,
        messaging: Messaging,
        identity: Identity,
        settings: config.Cim,
        *,
        clock: Callable[[], int],
        random: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._messaging = messaging
        self._identity = identity
        self._replaces = settings.repeated == "replace"
        self._clock = clock
        self._random = random
        self._here: dict[str, dict[str, Connected]] = {}
        """By user, then by session: an older one may still be closing."""
        self._by_number: dict[int, Connected] = {}
        self._waiting = 0
        self._latest: OrderedDict[str, tuple[int, str]] = OrderedDict()
        """By user: up to which position only which session stands."""

    def follow(self) -> None:
        self._messaging.log.fold(self._apply)

    @property
    def nodes(self) -> Container[str]:
        """A record of another node than these stands no more."""
        return {node.id for node in self._messaging.nodes.all()}

    def of(self, number: int) -> Connected | None:
        """The connection of this number, when it is on this node."""
        return self._by_number.get(number)

    def all(self) -> list[Connected]:
        return [one for sessions in self._here.values() for one in sessions.values()]

    async def log_in(self, number: int, given: str, address: str) -> Admitted:
        """A log-in that is recorded. Raises LoginRefused, Overloaded, StoreUnavailable."""
        name, _, token = given.partition(" ")
        self._messaging.log.require_fresh()
        holder = await self._holder(token)
        await self._store.read(lambda connection: self._check(connection, number, name, holder))  # strangers wait for no writer
        nodes, now = self.nodes, self._clock()
        record = Record(self._messaging.node, id_from_bits(self._random(15)), address, now)

        def write(tx: Transaction) -> Admitted:
            account = self._check(tx.connection, number, name, holder)
            before = account.record
            if before is not None and before.node in nodes and not self._replaces:
                raise LoginRefused("repeated", f"{account.user} is logged in from {before.address}")
            head = reading.head(tx.connection)
            if account.position is not None and account.position < head:
                rows.miss(tx.connection, account.user, account.position, head)
            rows.log_in(tx.connection, number, record, head)
            missed, begun = rows.missed(tx.connection, account.user), head
            if before is not None:
                begun = tx.append(self._draft("login", account.user, record.session, now)).position
            caller = Caller(account.user, account.name, False, f"cim-{record.session}", DEVICE)
            if holder is not None:
                caller = msgspec.structs.replace(holder, device=DEVICE)
            cursor = f"{self._store.epoch}.{head}"
            return Admitted(caller, number, record.session, cursor, begun, token or None, missed)

        return await self._store.transaction(write, scope=_scope(number))

    async def check(self, number: int, given: str) -> Account:
        """Whether they could log in. Raises LoginRefused."""
        name, _, token = given.partition(" ")
        self._messaging.log.require_fresh()
        holder = await self._holder(token)
        account = await self._store.read(lambda connection: self._check(connection, number, name, holder))
        deadline = asyncio.get_running_loop().time() + _WAIT_SECONDS
        self._waiting += 1
        try:
            while account.record is not None and account.record.node in self.nodes and not self._replaces:
                if asyncio.get_running_loop().time() > deadline or self._waiting > _MOST_WAITING:
                    raise LoginRefused("repeated", f"{account.user} is logged in from {account.record.address}")
                await asyncio.sleep(_LOOK_SECONDS)
                account = await self._store.read(lambda connection: self._check(connection, number, name, holder))
        finally:
            self._waiting -= 1
        return account

    def connected(self, connection: Connected) -> None:
        """It is logged in. It is ended at once when something has ended it meanwhile."""
        admitted = connection.admitted
        user = admitted.caller.user
        position, session = self._latest.get(user, (0, ""))
        if position > admitted.begun and session != admitted.session:
            connection.end("another log-in, or none any more")
            return
        self._here.setdefault(user, {})[admitted.session] = connection
        known = self._by_number.get(admitted.number)
        if known is None or known.admitted.begun <= admitted.begun:
            self._by_number[admitted.number] = connection

    def disconnected(self, connection: Connected) -> None:
        admitted = connection.admitted
        user = admitted.caller.user
        sessions = self._here.get(user, {})
        sessions.pop(admitted.session, None)
        if not sessions:
            self._here.pop(user, None)
        if self._by_number.get(admitted.number) is connection:
            del self._by_number[admitted.number]

    async def log_out(self, account: Account) -> None:
        """No log-in of theirs stands any more, wherever it is."""
        now = self._clock()

        def write(tx: Transaction) -> None:
            rows.clear(tx.connection, account.number)
            tx.append(self._draft("offline", account.user, "", now))

        await self._store.transaction(write, scope=_scope(account.number))

    async def fetch(self, account: Account) -> bool:
        """Have what they missed pushed to them; whether there is a connection to push it to."""
        here = self.of(account.number)
        if here is not None:
            here.fetch()
            return True
        record = account.record
        if record is None or record.node not in self.nodes:
            return False
        draft = self._draft("fetch", account.user, record.session, self._clock())
        await self._store.transaction(lambda tx: tx.append(draft), scope=_scope(account.number))
        return True

    async def _holder(self, token: str) -> Caller | None:
        if not token:
            return None
        try:
            return await self._identity.find(token)
        except NotAuthenticated:
            raise LoginRefused("mismatch", "the token is not known or has ended") from None

    def _check(self, connection: Connection, number: int, name: str, holder: Caller | None) -> Account:
        account = rows.account(connection, number)
        if account is None:
            raise LoginRefused("mismatch", f"nobody has the number {number}")
        try:
            known = text.account_name(name) == account.user
        except Invalid:
            known = False
        if not known:
            raise LoginRefused("mismatch", f"{number} is the number of another name")
        if account.disabled:
            raise LoginRefused("mismatch", f"{account.user} is disabled")
        if holder is not None:
            if holder.user != account.user:
                raise LoginRefused("mismatch", f"the token is not one of {account.user}")
        elif not account.open or self._identity.has_password(connection, account.user):
            raise LoginRefused("mismatch", f"{account.user} was not made by a CIM client: it logs in with a token")
        return account

    def _draft(self, type: str, user: str, session: str, now: int) -> Draft:
        return Draft(CIM_LANE, type, None, now, _encode(_About(user, session)))

    def _apply(self, event: Event) -> None:
        if event.lane == CIM_LANE:
            about = _about(event.content)
            if event.type == "fetch":
                connection = self._here.get(about.user, {}).get(about.session)
                if connection is not None:
                    connection.fetch()
            else:
                self._only(about.user, about.session, event.position)
        elif event.lane == ACCOUNTS_LANE:
            account = _disabled(event.content)
            if account.disabled:
                self._only(account.id, "", event.position)

    def _only(self, user: str, session: str, position: int) -> None:
        self._latest[user] = position, session
        self._latest.move_to_end(user)
        if len(self._latest) > _MOST_LATEST:
            self._latest.popitem(last=False)
        for connection in list(self._here.get(user, {}).values()):
            if connection.admitted.session != session and connection.admitted.begun < position:
                connection.end("another log-in, or none any more")


def _scope(number: int) -> str:
    """Log-ins of one number are one after the other."""
    return f"cim:{number}"
