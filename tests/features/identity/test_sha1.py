"""Keys for SCRAM-SHA-1 beside the others, on both stores: when they come, and when they go."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hongyan import config
from hongyan.core.errors import Invalid, WrongPassword
from hongyan.features.identity import Identity, rows
from hongyan.features.identity.rows import Credentials
from tests.build import house

from .conftest import HOME, RIGHT, WRONG, Accounts
from .scram_client import by_others

NEW = "a new password"
WITHOUT = config.Identity(iterations=4_096, scram_sha1=False)


@pytest.fixture
async def site(place: Path | str, settings: config.Settings) -> AsyncIterator[Accounts]:
    async with house(place, settings) as home:
        site = Accounts(home)
        await site.start()
        try:
            yield site
        finally:
            await site.identity.stop()


async def kept(site: Accounts, user: str = "lihua") -> Credentials:
    found = await site.house.store.read(lambda connection: rows.credentials(connection, user))
    assert found is not None
    return found


async def by_sha1(identity: Identity, password: str = RIGHT, user: str = "lihua") -> None:
    proven = await by_others(identity.scram("SCRAM-SHA-1", HOME, {}), "SCRAM-SHA-1", user, password)
    assert (await identity.enter(proven, "Phone")).user_id == user


async def without(site: Accounts) -> None:
    """An account of before."""
    older = site.another(WITHOUT)
    await older.add("lihua", RIGHT)
    await older.stop()
    assert (await kept(site)).keys.sha1 is None


async def test_they_come_with_a_password(site: Accounts) -> None:
    await site.identity.add("lihua", RIGHT)
    await site.identity.import_accounts([("wang", RIGHT)], tokens=False)
    for user in ("lihua", "wang"):
        await by_sha1(site.identity, user=user)
    keys = (await kept(site)).keys
    assert keys.sha1 is not None
    assert keys.sha1.salt != keys.sha256.salt
    assert (keys.sha1.iterations, len(keys.sha1.stored_key), len(keys.sha1.server_key)) == (4_096, 20, 20)


async def test_they_follow_every_change_of_the_password(site: Accounts) -> None:
    await site.identity.add("lihua", RIGHT)
    await site.identity.set_password("lihua", NEW)
    await by_sha1(site.identity, NEW)
    with pytest.raises(WrongPassword):
        await by_sha1(site.identity, RIGHT)
    await site.identity.change_password(await _caller(site, NEW), NEW, "another password", HOME)
    await by_sha1(site.identity, "another password")
    with pytest.raises(WrongPassword):
        await by_sha1(site.identity, NEW)
    await site.identity.disable("lihua")
    with pytest.raises(WrongPassword):
        await by_sha1(site.identity, "another password")


async def test_a_change_where_they_are_switched_off_leaves_none_of_the_older_password(site: Accounts) -> None:
    await site.identity.add("lihua", RIGHT)
    other = site.another(WITHOUT)
    await other.set_password("lihua", NEW)
    await other.stop()
    assert (await kept(site)).keys.sha1 is None
    with pytest.raises(WrongPassword):
        await by_sha1(site.identity, RIGHT)


@pytest.mark.parametrize("plain", [True, False])
async def test_who_has_none_gets_them_with_the_next_log_in_by_password(site: Accounts, plain: bool) -> None:
    await without(site)
    with pytest.raises(WrongPassword):
        await by_sha1(site.identity)
    with pytest.raises(WrongPassword):
        await site.login(password=WRONG)
    assert (await kept(site)).keys.sha1 is None
    if plain:
        await site.identity.enter(await site.identity.prove("lihua", RIGHT, HOME), "Phone")
    else:
        await site.login()
    written = (await kept(site)).keys.sha1
    assert written is not None
    await by_sha1(site.identity)
    await site.login()
    assert (await kept(site)).keys.sha1 == written


async def test_two_log_ins_at_once_write_them_once(site: Accounts) -> None:
    await without(site)
    one = await site.identity.prove("lihua", RIGHT, HOME)
    other = await site.identity.prove("lihua", RIGHT, HOME)
    await site.identity.enter(one, "Phone")
    await site.identity.enter(other, "Laptop")
    assert (await kept(site)).keys.sha1 == one.sha1


async def test_those_of_a_password_that_was_changed_meanwhile_are_not_written(site: Accounts) -> None:
    await without(site)
    proven = await site.identity.prove("lihua", RIGHT, HOME)
    assert proven.sha1 is not None
    other = site.another(WITHOUT)
    await other.set_password("lihua", NEW)
    await other.stop()
    with pytest.raises(WrongPassword):
        await site.identity.enter(proven, "Phone")
    assert (await kept(site)).keys.sha1 is None


async def test_switched_off_nothing_is_offered_and_a_start_removes_them(site: Accounts) -> None:
    await site.identity.add("lihua", RIGHT)
    other = site.another(WITHOUT)
    assert other.mechanisms({"tls-server-end-point": b"x"}) == ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256")
    with pytest.raises(Invalid):
        other.scram("SCRAM-SHA-1", HOME, {})
    await other.login("lihua", RIGHT, "laptop", HOME)
    assert (await kept(site)).keys.sha1 is not None
    try:
        await other.start(site.house.messaging.log, lambda user, token: None)
        assert (await kept(site)).keys.sha1 is None
    finally:
        await other.stop()


async def _caller(site: Accounts, password: str):  # type: ignore[no-untyped-def]
    return site.identity.check((await site.login(password=password)).token)
