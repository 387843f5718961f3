"""`hongyan doctor` with a PostgreSQL store and a NATS bus."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from hongyan.config import Settings
from hongyan.config.settings import Log, Node
from hongyan.operation import doctor
from hongyan.operation.doctor_postgres import is_local
from hongyan.store import Draft
from hongyan.store.postgres import PostgresStore
from tests.counterparts.nats import Nats
from tests.counterparts.postgresql import PostgreSQL


@pytest.fixture
def good(tmp_path: Path, postgresql_url: str) -> Settings:
    async def fill() -> None:
        store = PostgresStore(postgresql_url, queue=10, readers=1)
        await store.start(lambda batch: None)
        await store.transaction(lambda tx: tx.append(Draft("lobby", "message", None, int(time.time() * 1000), b"{}")))
        await store.close()

    asyncio.run(fill())
    return Settings(data=tmp_path / "data", store=postgresql_url)


@pytest.fixture
def execute(good: Settings, postgresql_server: PostgreSQL) -> Callable[[str], str]:
    """A statement in the database of the settings; NAME in it is its name."""
    name = good.store.rpartition("/")[2]
    return lambda statement: postgresql_server.execute(statement.replace("NAME", f'"{name}"'), name)


def found(settings: Settings, now: Callable[[], float] = time.time) -> str:
    return "\n".join(map(str, doctor.examine(settings, now=now)))


def test_a_good_database_has_nothing_wrong(good: Settings) -> None:
    assert found(good) == ""


def test_a_database_that_cannot_be_reached_is_told_without_the_password(good: Settings) -> None:
    text = found(replace(good, store="postgresql://u:geheim@127.0.0.1:1/db"))
    assert "postgresql://u@127.0.0.1:1/db" in text
    assert "cannot be reached" in text
    assert "geheim" not in text
    assert "does not exist" in found(replace(good, store=f"{good.store}x"))
    assert "cannot be understood" in found(replace(good, store="postgresql://u:ge/heim@127.0.0.1:1/db"))


def test_tables_of_another_version_and_none_are_told(
    good: Settings, execute: Callable[[str], str], postgresql_server: PostgreSQL
) -> None:
    execute("UPDATE alembic_version SET version_num = '9999'")
    assert "newer Hongyan" in found(good)
    url = postgresql_server.new_database()
    assert "hongyan migrate" in found(replace(good, store=url))
    postgresql_server.drop_database(url)


def test_settings_that_lose_what_was_acknowledged_are_told(good: Settings, execute: Callable[[str], str], tmp_path: Path) -> None:
    execute("ALTER DATABASE NAME SET synchronous_commit = off")
    assert "synchronous_commit is off" in found(good)
    with PostgreSQL(tmp_path / "careless", durable=False) as careless:
        text = found(replace(good, store=careless.url()))
        assert "fsync is off" in text
        assert "full_page_writes is off" in text


def test_an_encoding_without_chinese_is_told(good: Settings, postgresql_server: PostgreSQL) -> None:
    postgresql_server.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'")
    assert "encoding of" in found(replace(good, store=postgresql_server.url("latin")))
    postgresql_server.drop_database("latin")


def test_a_role_that_may_not_enough_is_told(good: Settings, execute: Callable[[str], str], postgresql_server: PostgreSQL) -> None:
    execute("CREATE ROLE guest LOGIN")
    execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest")
    execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    try:
        text = found(replace(good, store=good.store.replace("postgres@", "guest@")))
        assert "The role guest may not make tables" in text
        assert "may not read and write these tables" in text
        execute("REVOKE SELECT ON ALL TABLES IN SCHEMA public FROM guest")
        assert "permission denied" in found(replace(good, store=good.store.replace("postgres@", "guest@")))
    finally:
        execute("DROP OWNED BY guest")
        execute("DROP ROLE guest")


def test_too_few_connections_are_told(good: Settings, execute: Callable[[str], str]) -> None:
    assert "max_connections" in found(replace(good, log=Log(readers=64), node=Node(workers=5)))
    execute("ALTER DATABASE NAME CONNECTION LIMIT 4")
    assert "allows 4 connections" in found(good)


def test_a_clock_that_is_behind_the_log_is_told(good: Settings) -> None:
    assert "in the future" in found(good, lambda: time.time() - 3600)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("postgresql://u:p@127.0.0.1:5432/db", True),
        ("postgresql://localhost/db", True),
        ("postgresql:///db?host=/run/postgresql", True),
        ("postgresql://[::1]:5432/db", True),
        ("postgresql://u@db.example.org/db", False),
        ("postgresql://127.0.0.1:1,10.0.0.5:2/db", False),
        ("postgresql://[2001:db8::1]/db", False),
    ],
)
def test_what_leaves_this_machine_is_known(url: str, local: bool) -> None:
    assert is_local(url) == local


def test_an_unencrypted_connection_to_elsewhere_is_told(good: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hongyan.operation.doctor_postgres.is_local", lambda url: False)
    assert "is not encrypted" in found(good)


def test_a_bus_is_reached_with_its_password_or_told_without_it(good: Settings, tmp_path: Path) -> None:
    with Nats(tmp_path / "nats", user="hongyan", password="geheim") as nats:
        assert found(replace(good, bus=nats.url)) == ""
        text = found(replace(good, bus=f"{nats.url.replace('geheim', 'other-geheim')},{nats.url}"))
        assert "Authorization" in text
        assert "geheim" not in text
        url = nats.url
    assert f"nats://{url.rpartition('@')[2]} cannot be reached" in found(replace(good, bus=url))


def test_an_unencrypted_bus_elsewhere_is_told(good: Settings) -> None:
    text = found(replace(good, bus="nats://u:geheim@192.0.2.1:4222"))
    assert "not encrypted" in text
    assert "geheim" not in text
