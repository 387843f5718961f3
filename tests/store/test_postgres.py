"""What only the PostgreSQL store can get into."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from hongyan.core.errors import HongyanError, OutcomeUnknown, StoreUnavailable
from hongyan.store import Appended, Transaction
from hongyan.store import postgres_append as module
from hongyan.store.postgres import PostgresStore
from tests.store.build import Opened, assert_whole, draft


@pytest.fixture
async def opened(postgresql_url: str) -> AsyncIterator[Opened]:
    opened = Opened(PostgresStore(postgresql_url, queue=1_000, readers=1))
    await opened.store.start(opened.heard.append)
    yield opened
    await opened.store.close()


async def test_a_fault_inside_the_appender_is_answered_and_appending_goes_on(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = module.parameters

    def faulty(drafts: object) -> object:
        monkeypatch.setattr(module, "parameters", real)
        raise ZeroDivisionError("a fault of the program")

    monkeypatch.setattr(module, "parameters", faulty)
    [first] = await opened.answers([draft(client_id="one")])
    assert isinstance(first, OutcomeUnknown)
    assert "a batch could not be appended" in caplog.text
    again = await opened.add(draft(client_id="one"))
    assert (again.position, again.repeated) == (1, False)
    assert isinstance(await opened.add(draft(client_id="two")), Appended)
    assert_whole(await opened.log())


async def test_a_database_that_can_only_be_read_refuses_writes_and_takes_them_again_later(
    opened: Opened, postgresql_url: str
) -> None:
    await opened.add(draft(client_id="before"))
    admin = await asyncpg.connect(postgresql_url)
    name = await admin.fetchval("SELECT current_database()")
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    try:
        await admin.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        await admin.execute(end)  # the setting counts for new connections
        [refused] = await opened.answers([draft(client_id="meanwhile")])
        assert isinstance(refused, StoreUnavailable | OutcomeUnknown), refused
        assert opened.store.trouble

        def write(tx: Transaction) -> None:
            tx.append(draft())

        with pytest.raises(HongyanError):
            await opened.store.transaction(write)
        assert [event.client_id for event in await opened.log()] == ["before"]
        await admin.execute("SET default_transaction_read_only = off")
        await admin.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        await admin.execute(end)
    finally:
        await admin.close()
    while not isinstance(outcome := (await opened.answers([draft(client_id="after")]))[0], Appended):
        assert isinstance(outcome, StoreUnavailable | OutcomeUnknown)
    assert opened.store.trouble is None
    assert [event.client_id for event in await opened.log()] == ["before", "after"]
