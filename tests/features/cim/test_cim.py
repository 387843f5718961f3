"""CIM's services on a messaging core, without sockets."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from hongyan.config import Cim as CimSettings
from hongyan.config import Identity as IdentitySettings
from hongyan.config import Settings
from hongyan.core.errors import Forbidden
from hongyan.features.cim import Admitted, Cim, Confirmed, LoginRefused, Missed, NotTrusted, rows
from hongyan.features.cim.tables import cim_accounts
from hongyan.features.identity import Identity
from hongyan.messaging import Session, Verdict
from hongyan.store import Transaction
from tests.build import House, house


class Client:
    """A connection that a test has: it has received everything, or what the test says."""

    def __init__(self, home: "Home", admitted: Admitted, session: Session, address: str) -> None:
        self._home = home
        self.admitted = admitted
        self.session = session
        self.address = address
        self.state = Confirmed(int(admitted.cursor.rpartition(".")[2]))
        self.ended = ""
        self.fetches = 0

    def confirmed(self) -> Confirmed:
        return self.state

    def fetch(self) -> None:
        self.fetches += 1

    def end(self, reason: str) -> None:
        self.ended = reason
        self.gone()

    def gone(self) -> None:
        self._home.cim.disconnected(self)
        self.session.close()


class Home:
    def __init__(self, home: House, **settings: object) -> None:
        self.home = home
        self.identity = Identity(home.store, home.messaging.people, IdentitySettings(iterations=4_096))
        self.cim = Cim(home.store, home.messaging, self.identity, CimSettings(**settings))  # type: ignore[arg-type]

    async def start(self) -> None:
        await self.identity.start(self.home.messaging.log, self.home.messaging.end_token)
        await self.cim.start()

    async def stop(self) -> None:
        await self.cim.stop()
        await self.identity.stop()

    async def log_in(self, number: int, name: str, address: str = "192.0.2.1") -> Client:
        def closed(verdict: Verdict) -> None: ...

        admitted, session = await self.cim.log_in(number, name, address, lambda: None, closed)
        client = Client(self, admitted, session, address)
        self.cim.connected(client)
        return client

    async def vacant(self, number: int) -> int | None:
        """When no log-in stands: the position."""
        async with asyncio.timeout(5):
            while (account := await self.cim.account(number)) is not None and account.record is not None:
                await asyncio.sleep(0.005)
        assert account is not None
        return account.position


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    async with house(tmp_path / "hongyan.db", Settings()) as built:
        home = Home(built)
        await home.start()
        yield home
        await home.stop()


async def test_numbers_are_given_once_whoever_asks_at_the_same_time(home: Home) -> None:
    await home.home.add("ann", "bob")
    names = ["Zoe", "zoe", "ann", "bob"] * 5
    numbers = await asyncio.gather(*(home.cim.register(name) for name in names))
    by_name = {name.lower(): number for name, number in zip(names, numbers, strict=True)}
    assert numbers == [by_name[name.lower()] for name in names]
    assert sorted(by_name.values()) == [10_001, 10_002, 10_003]
    assert await home.cim.directory.numbers(["ann", "nobody"]) == {"ann": by_name["ann"]}


async def test_open_account_is_one_that_was_made_here(home: Home) -> None:
    await home.home.add("ann")
    made, given = await home.cim.register("Zoe"), await home.cim.register("ann")
    assert (await home.cim.account(made)).open  # type: ignore[union-attr]
    assert not (await home.cim.account(given)).open  # type: ignore[union-attr]
    with pytest.raises(LoginRefused):
        await home.log_in(given, "ann")
    assert (await home.log_in(made, "ZOE")).admitted.caller.user == "zoe"


async def test_registering_can_be_switched_off(tmp_path: Path) -> None:
    async with house(tmp_path / "hongyan.db") as built:
        home = Home(built, register=False)
        await built.add("ann")
        assert await home.cim.register("ann") == 10_001
        with pytest.raises(Forbidden):
            await home.cim.register("zoe")


async def test_missed_is_from_what_had_arrived_to_the_log_in(home: Home) -> None:
    await home.home.add("ann")
    zoe = await home.cim.register("zoe")
    first = await home.home.send("ann", "lobby")
    client = await home.log_in(zoe, "zoe")
    assert [part.upto for part in client.admitted.missed] == [first.position]
    second = await home.home.send("ann", "lobby")
    third = await home.home.send("ann", "lobby")
    client.state = Confirmed(second.position, [Missed(first.position, first.position)])
    client.gone()
    assert await home.vacant(zoe) == second.position
    again = await home.log_in(zoe, "zoe")
    assert again.admitted.missed == [Missed(second.position, third.position)], "the first was fetched, the second was live"


async def test_parts_that_adjoin_become_one_and_too_many_become_few(home: Home) -> None:
    await home.home.add("ann")

    def write(tx: Transaction) -> list[Missed]:
        connection = tx.connection
        for at in range(0, 5):
            rows.miss(connection, "ann", at, at + 1)
        assert rows.missed(connection, "ann") == [Missed(0, 5)]
        for at in range(10, 3_010, 2):
            rows.miss(connection, "ann", at, at + 1)
        return rows.missed(connection, "ann")

    found = await home.home.store.transaction(write)
    assert len(found) == 1_000
    assert (found[0], found[-1].upto) == (Missed(0, 5), 3_009)


async def test_record_of_a_node_that_is_gone_stands_no_more(home: Home) -> None:
    zoe = await home.cim.register("zoe")
    await home.log_in(zoe, "zoe")
    with pytest.raises(LoginRefused) as refused:
        await home.cim.may_log_in(zoe, "zoe")
    assert refused.value.reason == "repeated"
    await home.home.store.transaction(lambda tx: tx.connection.execute(update(cim_accounts).values(node="gone")) and None)
    await home.cim.may_log_in(zoe, "zoe")
    with pytest.raises(NotTrusted):
        await home.cim.speaker(zoe, "192.0.2.1", None)
    assert (await home.log_in(zoe, "zoe")).ended == ""


async def test_log_in_that_was_replaced_before_it_was_known_here_ends_at_once(tmp_path: Path) -> None:
    async with house(tmp_path / "hongyan.db") as built:
        home = Home(built, repeated="replace")
        await home.start()
        zoe = await home.cim.register("zoe")
        admitted, session = await home.cim.log_in(zoe, "zoe", "192.0.2.1", lambda: None, lambda verdict: None)
        second = await home.log_in(zoe, "zoe", "192.0.2.2")
        await built.settled()
        first = Client(home, admitted, session, "192.0.2.1")
        home.cim.connected(first)
        assert first.ended
        assert not second.ended
        assert home.cim.is_here(zoe, "192.0.2.2")
        assert (await home.cim.account(zoe)).record.session == second.admitted.session  # type: ignore[union-attr]
        second.gone()
        await home.stop()


async def test_end_of_a_replaced_log_in_moves_nothing_of_the_newer(tmp_path: Path) -> None:
    async with house(tmp_path / "hongyan.db") as built:
        home = Home(built, repeated="replace")
        await home.start()
        zoe = await home.cim.register("zoe")
        first = await home.log_in(zoe, "zoe")
        second = await home.log_in(zoe, "zoe")
        await built.settled()
        assert first.ended
        third = await home.cim.register("third")
        client = await home.log_in(third, "third")
        client.gone()
        await home.vacant(third)  # what ended before it was stored before it
        account = await home.cim.account(zoe)
        assert account is not None
        assert account.record is not None
        assert account.record.session == second.admitted.session
        second.gone()
        await home.stop()


async def test_positions_of_live_connections_are_stored_without_their_end(home: Home) -> None:
    await home.home.add("ann")
    zoe = await home.cim.register("zoe")
    client = await home.log_in(zoe, "zoe")
    sent = await home.home.send("ann", "lobby")
    client.state = Confirmed(sent.position)
    home.cim.keeping.moved(client)
    async with asyncio.timeout(5):
        while (await home.cim.account(zoe)).position != sent.position:  # type: ignore[union-attr]
            await asyncio.sleep(0.01)
    client.gone()


async def test_trust_goes_by_address_token_and_account(home: Home) -> None:
    zoe = await home.cim.register("zoe")
    client = await home.log_in(zoe, "zoe", "192.0.2.1")
    assert (await home.cim.caller(zoe, "192.0.2.1", None)).user == "zoe"
    assert await home.cim.known_address("192.0.2.1", None)
    assert not await home.cim.known_address("192.0.2.2", None)
    for address, token in (("192.0.2.2", None), ("192.0.2.1", "hy_" + "x" * 43)):
        with pytest.raises(NotTrusted):
            await home.cim.caller(zoe, address, token)
        with pytest.raises(NotTrusted):
            await home.cim.log_out(zoe, address, token)
    await home.cim.log_out(zoe, "192.0.2.1", None)
    await home.home.settled()
    assert client.ended
    with pytest.raises(NotTrusted):
        await home.cim.caller(zoe, "192.0.2.1", None)


async def test_disabled_account_is_ended_and_not_heard(home: Home) -> None:
    zoe = await home.cim.register("zoe")
    client = await home.log_in(zoe, "zoe", "192.0.2.1")
    await home.identity.disable("zoe")
    await home.home.settled()
    assert client.ended
    with pytest.raises(LoginRefused):
        await home.log_in(zoe, "zoe")
    await home.identity.enable("zoe")
    await home.vacant(zoe)
    assert not (await home.log_in(zoe, "zoe")).ended
