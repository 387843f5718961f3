"""Logging in: what it gives, and what a guesser meets."""

import asyncio
import logging
import threading
import time

import pytest

from hongyan import config
from hongyan.core.errors import Invalid, NotAuthenticated, Overloaded, RateLimited, WrongPassword
from hongyan.core.model import Caller
from hongyan.features.identity import Identity, Proven, scram

from .conftest import ELSEWHERE, HOME, RIGHT, WRONG, Accounts

DAY = 86_400_000


async def refused(site: Accounts, user: str, password: str = WRONG, address: str = HOME) -> type[Exception]:
    with pytest.raises((WrongPassword, RateLimited)) as error:
        await site.identity.login(user, password, "laptop", address)
    return error.type


async def test_log_in_gives_a_token_that_is_good_at_once(site: Accounts) -> None:
    login = await site.identity.login("LiHua", RIGHT, "  Li's\u00a0 laptop ", HOME)
    assert (login.user_id, login.name, login.device, login.change_password) == ("lihua", "Li Hua", "Li's laptop", False)
    assert login.expires == site.now + 90 * DAY
    assert site.identity.check(login.token) == Caller("lihua", "Li Hua", False, login.token_id, "Li's laptop")


async def test_an_administrator_is_one(site: Accounts) -> None:
    assert (await site.caller("wang")).admin


async def test_each_log_in_gives_a_new_token(site: Accounts) -> None:
    one, other = await site.login(), await site.login()
    assert one.token != other.token
    assert one.token_id != other.token_id
    assert site.good(one)
    assert site.good(other)


async def test_password_is_prepared_like_when_it_was_chosen(site: Accounts) -> None:
    await site.identity.add("chen", "pa\u0301ssword\u30001")
    assert (await site.login("chen", password="pássword 1")).user_id == "chen"


@pytest.mark.parametrize("password", ["", "x" * 2_000, "nul\0", "\ud800", "Correct horse", "correct horse "])
async def test_what_is_not_the_password_is_wrong(site: Accounts, password: str) -> None:
    assert await refused(site, "lihua", password) is WrongPassword


@pytest.mark.parametrize("name", ["nobody", "", "li hua", "user:lihua", "\ud800", "x" * 100_000])
async def test_unknown_names_are_refused_like_wrong_passwords(site: Accounts, name: str, derived: list[object]) -> None:
    with pytest.raises(WrongPassword) as unknown:
        await site.identity.login(name, WRONG, "laptop", HOME)
    with pytest.raises(WrongPassword) as wrong:
        await site.identity.login("lihua", WRONG, "laptop", HOME)
    assert unknown.value.detail == wrong.value.detail
    assert len(derived) == 2


async def test_every_refusal_costs_one_derivation_of_the_same_length(site: Accounts, derived: list[tuple[bytes, int]]) -> None:
    await site.identity.disable("wang")
    await site.house.add("ghost")  # has no password at all
    cases = {"known": ("lihua", WRONG), "unknown": ("nobody", WRONG), "disabled": ("wang", RIGHT), "without": ("ghost", WRONG)}
    cases |= {"impossible name": ("a b", WRONG), "impossible password": ("lihua", "\0")}
    for at, (user, password) in enumerate(cases.values(), 1):
        assert await refused(site, user, password, f"192.0.2.{at}") is WrongPassword
        assert len(derived) == at
    assert {iterations for _, iterations in derived} == {4_096}
    assert {len(salt) for salt, _ in derived} == {16}


@pytest.mark.parametrize("user", ["lihua", "nobody"])
async def test_known_and_unknown_accounts_are_throttled_alike(site: Accounts, user: str, derived: list[object]) -> None:
    for at in range(3):
        assert await refused(site, user, WRONG, f"192.0.2.{at}") is WrongPassword
    assert len(derived) == 3
    with pytest.raises(RateLimited) as error:
        await site.identity.login(user, RIGHT, "laptop", ELSEWHERE)
    assert error.value.retry_after == 900
    assert len(derived) == 3, "a refused guess is not verified"
    site.ticks += 900_000
    if user == "lihua":
        assert site.good(await site.login(address=ELSEWHERE))


async def test_a_clock_that_is_set_back_keeps_nobody_out(site: Accounts) -> None:
    for at in range(3):
        await refused(site, "lihua", WRONG, f"192.0.2.{at}")
    site.now -= 86_400_000
    with pytest.raises(RateLimited) as error:
        await site.login(address=ELSEWHERE)
    assert error.value.retry_after == 900
    site.ticks += 900_000
    assert site.good(await site.login(address=ELSEWHERE))


async def test_the_throttle_of_a_server_does_not_ask_the_wall_clock(site: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    house = site.house
    identity = Identity(house.store, house.messaging.people, house.settings.identity)
    try:
        for at in range(3):
            with pytest.raises(WrongPassword):
                await identity.login("lihua", WRONG, "laptop", f"192.0.2.{at}")
        yesterday = time.time_ns() - 86_400 * 10**9
        monkeypatch.setattr(time, "time_ns", lambda: yesterday)
        with pytest.raises(RateLimited) as error:
            await identity.login("lihua", RIGHT, "laptop", ELSEWHERE)
        assert error.value.retry_after is not None
        assert error.value.retry_after <= 900
    finally:
        await identity.stop()


async def test_parallel_guesses_are_bounded_like_others(site: Accounts, derived: list[object]) -> None:
    tries = [site.identity.login("lihua", f"guess {number}", "laptop", f"192.0.2.{number}") for number in range(20)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(result) for result in results].count(WrongPassword) == 3
    assert [type(result) for result in results].count(RateLimited) == 17
    assert len(derived) == 3


async def test_an_address_is_throttled_over_all_accounts(site: Accounts) -> None:
    kinds = [await refused(site, f"user{number}") for number in range(6)]
    assert kinds == [WrongPassword] * 5 + [RateLimited]
    assert site.good(await site.login(address=ELSEWHERE))


async def test_who_has_logged_in_from_there_is_not_locked_out_by_others(site: Accounts) -> None:
    await site.login(address=HOME)
    for number in range(3):
        await refused(site, "lihua", WRONG, f"203.0.113.{number}")
    assert await refused(site, "lihua", RIGHT, "203.0.113.77") is RateLimited
    assert site.good(await site.login(address=HOME))


async def test_failures_are_told_to_the_log_without_what_was_typed(site: Accounts, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    login = await site.login()
    await refused(site, "lihua", "my-real-passw0rd")
    await refused(site, "my-real-passw0rd", "lihua")
    with pytest.raises(NotAuthenticated):
        site.identity.check(login.token[:-1] + "!")
    assert "account lihua, from 192.0.2.1" in caplog.text
    assert "account unknown, from 192.0.2.1" in caplog.text
    assert "passw0rd" not in caplog.text
    assert login.token not in caplog.text


async def test_the_device_needs_a_label_and_that_is_no_guess(site: Accounts, derived: list[object]) -> None:
    for _ in range(10):
        with pytest.raises(Invalid, match="device label"):
            await site.identity.login("lihua", WRONG, " ", HOME)
    assert derived == []
    assert site.good(await site.login())


async def test_a_password_that_somebody_else_chose_is_flagged_until_it_is_changed(site: Accounts) -> None:
    await site.identity.add("chen", "one-time password", must_change=True)
    login = await site.login("chen", password="one-time password")
    assert login.change_password
    await site.identity.change_password(site.identity.check(login.token), "one-time password", RIGHT, HOME)
    assert not (await site.login("chen")).change_password
    await site.identity.set_password("chen", "another one", must_change=True)
    assert (await site.login("chen", password="another one")).change_password


async def test_a_log_in_under_way_does_not_survive_a_password_change(site: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    verified, changed = asyncio.Event(), asyncio.Event()
    verify = site.identity._passwords.verify

    async def slowly(*args: str) -> Proven:
        found = await verify(*args)
        verified.set()
        await changed.wait()
        return found

    monkeypatch.setattr(site.identity._passwords, "verify", slowly)
    login = asyncio.create_task(site.login())
    await verified.wait()
    await site.identity.set_password("lihua", "a new password")
    changed.set()
    with pytest.raises(WrongPassword):
        await login
    assert [one for one in await site.log_of("_tokens") if one["action"] == "issue"] == []


async def test_a_password_change_under_way_does_not_undo_a_later_one(site: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = await site.caller()
    verify = site.identity._passwords.verify

    async def then_changed(*args: str) -> Proven:
        found = await verify(*args)
        await site.identity.set_password("lihua", "a new password", keep=caller.token_id)
        return found

    monkeypatch.setattr(site.identity._passwords, "verify", then_changed)
    with pytest.raises(WrongPassword):
        await site.identity.change_password(caller, RIGHT, "a stolen password", HOME)
    monkeypatch.undo()
    assert site.good(await site.login(password="a new password"))


async def test_a_log_in_under_way_does_not_survive_disabling(site: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    verify = site.identity._passwords.verify

    async def then_disabled(*args: str) -> Proven:
        found = await verify(*args)
        await site.identity.disable("lihua")
        return found

    monkeypatch.setattr(site.identity._passwords, "verify", then_disabled)
    with pytest.raises(WrongPassword):
        await site.login()


async def test_too_many_log_ins_at_once_are_told_to_come_back_and_not_counted(
    site: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, derive = threading.Event(), scram.derive

    def slowly(password: str, salt: bytes, iterations: int, hash: scram.Hash = "sha256") -> scram.Verifier:
        gate.wait(20)
        return derive(password, salt, iterations, hash)

    monkeypatch.setattr(scram, "derive", slowly)
    few = site.another(config.Identity(iterations=4_096, logins_at_once=2, failures_per_account=3))
    tries = [asyncio.create_task(few.login("lihua", RIGHT, "laptop", HOME)) for _ in range(3)]
    (refused,), verifying = await asyncio.wait(tries, return_when=asyncio.FIRST_COMPLETED)
    assert isinstance(error := refused.exception(), Overloaded)
    assert error.retry_after
    assert len(verifying) == 2
    gate.set()
    assert {login.user_id for login in await asyncio.gather(*verifying)} == {"lihua"}
    for _ in range(3):
        with pytest.raises(WrongPassword):
            await few.login("lihua", WRONG, "laptop", ELSEWHERE)
    await few.stop()
    with pytest.raises(Overloaded):
        await few.login("wang", RIGHT, "laptop", HOME)
