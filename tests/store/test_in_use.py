"""Who changes a whole PostgreSQL database knows whether nodes use it, and keeps them out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hongyan.core.errors import StoreUnavailable
from hongyan.store import migrate, postgres_alone, reading
from hongyan.store.postgres import PostgresStore, connections_of
from hongyan.store.postgres_alone import InUse, alone
from hongyan.store.postgres_connection import shown
from tests.counterparts.postgresql import PostgreSQL
from tests.store.build import Opened, draft
from tests.store.whole import execute


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_alone, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(migrate, "_PATIENCE_SECONDS", 0.0)


_NODES = "FROM pg_stat_activity WHERE application_name = 'hongyan' AND datname = current_database()"


@asynccontextmanager
async def alone_soon(url: str) -> AsyncIterator[None]:
    """Alone, as soon as the database has noticed that the others are gone."""
    while await execute(url, f"SELECT count(*) {_NODES}"):
        await asyncio.sleep(0.02)
    async with alone(url):
        yield


def store(url: str) -> PostgresStore:
    return PostgresStore(url, queue=100, readers=1)


async def test_a_database_that_nodes_use_is_not_changed(postgresql_url: str) -> None:
    one, two = Opened(store(postgresql_url)), Opened(store(postgresql_url))
    for opened in (one, two):
        await opened.store.start(opened.heard.append)
    with pytest.raises(InUse, match=r"connections named hongyan use it \(from 127.0.0.1\). Stop those servers first"):
        await asyncio.to_thread(migrate.upgrade, postgresql_url)
    await one.store.close()
    with pytest.raises(InUse):
        async with alone(postgresql_url):
            pass
    await two.add(draft())
    await two.store.close()
    async with alone_soon(postgresql_url):
        with pytest.raises(InUse, match="Another hongyan migrate or restore"):
            async with alone(postgresql_url):
                pass


async def test_a_node_is_kept_out_told_why_and_comes_back(postgresql_url: str) -> None:
    opened = Opened(store(postgresql_url))
    await opened.store.start(opened.heard.append)
    await opened.add(draft())
    await opened.store.read(lambda connection: reading.head(connection))
    assert await execute(postgresql_url, f"SELECT count(pg_terminate_backend(pid)) {_NODES}") > 1
    async with alone_soon(postgresql_url):
        while opened.store.trouble is None or "changed as a whole" not in opened.store.trouble:
            await asyncio.sleep(0.02)
        with pytest.raises(StoreUnavailable, match="changed as a whole"):
            await opened.store.read(lambda connection: reading.head(connection))
        late = store(postgresql_url)
        with pytest.raises(StoreUnavailable, match="changed as a whole"):
            await late.start(lambda batch: None)
    assert (await opened.add(draft())).position == 2
    assert opened.store.trouble is None
    await opened.store.close()


async def test_several_nodes_that_come_to_an_empty_database_make_it_once(postgresql_url: str) -> None:
    nodes = [Opened(store(postgresql_url)) for _ in range(4)]
    await asyncio.gather(*(node.store.start(node.heard.append) for node in nodes))
    assert len({node.store.epoch for node in nodes}) == 1
    for number, node in enumerate(nodes, 1):
        assert (await node.add(draft())).position == number
        await node.store.close()


async def test_a_node_has_no_more_connections_than_is_said(postgresql_url: str) -> None:
    opened = Opened(store(postgresql_url))
    await opened.store.start(opened.heard.append)

    def work(tx: object) -> None:
        pass

    await asyncio.gather(
        *(opened.store.transaction(work, scope=f"s{number}") for number in range(30)),
        *(opened.store.read(lambda connection: None) for _ in range(30)),
        opened.store.log_after(0, 1),
        opened.append(draft()),
    )
    used = await execute(postgresql_url, f"SELECT count(*) {_NODES}")
    assert used <= connections_of(1)
    await opened.store.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://u:geheim@h:5/db?sslmode=require&password=geheim", "postgresql://u@h:5/db"),
        ("postgresql://u:ge/he@im@h/db", "postgresql://u@h/db"),
        ("postgresql://u:ge?heim@h/db", "postgresql://..."),
        ("postgresql:///db", "postgresql:///db"),
        ("postgresql://h1:1,h2:2/db", "postgresql://h1:1,h2:2/db"),
    ],
)
def test_no_password_is_shown(url: str, told: str) -> None:
    assert shown(url) == told


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:geheim/more@127.0.0.1:1/db",
        "postgresql://u:geheim",
        "postgresql://u:geheim@127.0.0.1:port/db",
        "postgresql://u:geheim@[::1/db",
        "postgresql://u:geheim@127.0.0.1:1/db?sslmode=geheim",
        "postgresql://u:geheim@127.0.0.1:1/db",
    ],
)
async def test_no_error_tells_the_password(url: str) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        await store(url).start(lambda batch: None)
    error: BaseException | None = caught.value
    while error is not None:
        assert "geheim" not in f"{error!r}"
        error = None if error.__suppress_context__ and error.__cause__ is None else error.__cause__ or error.__context__


async def test_a_wrong_password_is_told_without_it(postgresql_server: PostgreSQL) -> None:
    with pytest.raises(StoreUnavailable, match="nobody"):
        await store(postgresql_server.url().replace("postgres@", "nobody:geheim@")).start(lambda batch: None)
