"""Accounts and tokens: what ends what, on every node."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hongyan import config
from hongyan.bus import Batch, Message
from hongyan.bus.local import LocalBus
from hongyan.core.errors import Conflict, Invalid, NotAuthenticated, NotFound, RateLimited, StoreUnavailable, WrongPassword
from hongyan.core.model import Caller
from hongyan.features.identity import Login, TokenView
from hongyan.features.identity.tables import tokens, verifiers
from tests.build import house

from .conftest import ELSEWHERE, HOME, RIGHT, WRONG, Accounts, until

DAY = 86_400_000
NEW = "a new password"


# Check


@pytest.mark.parametrize("token", ["", "hy_" + "A" * 43, "Bearer x", "\ud800", "hy_" + "é" * 43])
async def test_an_unknown_token_is_nobodys(site: Accounts, token: str) -> None:
    with pytest.raises(NotAuthenticated):
        site.identity.check(token)


async def test_before_start_no_token_is_good(site: Accounts) -> None:
    login = await site.login()
    with pytest.raises(NotAuthenticated):
        site.another().check(login.token)


async def test_a_token_is_good_until_it_expires(site: Accounts) -> None:
    login = await site.login()
    site.now = login.expires - 1
    assert site.good(login)
    site.now = login.expires
    assert not site.good(login)


async def test_the_store_keeps_no_token(site: Accounts) -> None:
    login = await site.login()
    named = await site.identity.issue(await site.caller(), "robot")
    rows = await site.house.store.read(lambda connection: connection.execute(tokens.select()).all())
    written = repr(rows) + repr(await site.house.log())
    assert login.token[3:] not in written
    assert named.token[3:] not in written


async def test_the_name_of_a_caller_follows_the_directory(site: Accounts) -> None:
    login = await site.login()
    assert site.identity.check(login.token) is site.identity.check(login.token)
    await site.house.messaging.people.rename("lihua", "李 华", site.now)
    await site.house.settled()
    assert site.identity.check(login.token).name == "李 华"


# What ends tokens

Ending = Callable[[Accounts, Login], Coroutine[Any, Any, None]]


async def _log_out(site: Accounts, login: Login) -> None:
    await site.identity.logout(site.identity.check(login.token))


async def _end_by_id(site: Accounts, login: Login) -> None:
    await site.identity.end(await site.caller(device="phone"), login.token_id)


async def _change_password(site: Accounts, login: Login) -> None:
    await site.identity.change_password(await site.caller(device="phone"), RIGHT, NEW, HOME)


async def _set_password(site: Accounts, login: Login) -> None:
    await site.identity.set_password("lihua", NEW)


async def _disable(site: Accounts, login: Login) -> None:
    await site.identity.disable("lihua")


async def _too_many(site: Accounts, login: Login) -> None:
    for _ in range(4):
        site.now += 1
        await site.login()


async def _expire(site: Accounts, login: Login) -> None:
    site.now = login.expires
    await site.identity.sweep()


@pytest.mark.parametrize("end", [_log_out, _end_by_id, _change_password, _set_password, _disable, _too_many, _expire])
async def test_after_it_returns_the_token_is_refused_and_its_session_ended(site: Accounts, end: Ending) -> None:
    login = await site.login()
    caller = site.identity.check(login.token)
    verdicts: list[str] = []
    await site.house.messaging.sessions.open(caller, "websocket", None, lambda: None, lambda verdict: verdicts.append(verdict.do))
    await end(site, login)
    assert not site.good(login)
    assert verdicts == ["login"]
    assert site.ended.count(("lihua", login.token_id)) == 1
    await site.house.settled()
    assert site.ended.count(("lihua", login.token_id)) == 1
    again = site.another()
    await again.start(site.house.messaging.log, lambda user, id: None)
    try:
        with pytest.raises(NotAuthenticated):
            again.check(login.token)
    finally:
        await again.stop()


@pytest.mark.parametrize("end", [_log_out, _end_by_id, _change_password, _set_password, _disable, _too_many])
async def test_a_token_ends_on_every_node(site: Accounts, end: Ending) -> None:
    node, ended = site.another(), list[str]()
    await node.start(site.house.messaging.log, lambda user, id: ended.append(id))
    try:
        login = await site.login()
        await site.house.settled()
        assert node.check(login.token).user == "lihua"
        await end(site, login)
        await site.house.settled()
        with pytest.raises(NotAuthenticated):
            node.check(login.token)
        assert login.token_id in ended
    finally:
        await node.stop()


class _Deaf(LocalBus):
    """Loses every batch, so that the follower stays where it was."""

    def publish(self, message: Message, to: str | None = None) -> None:
        if not isinstance(message, Batch):
            super().publish(message, to)


@pytest.mark.parametrize("end", [_log_out, _end_by_id, _change_password, _set_password, _disable, _too_many, _expire])
async def test_on_the_node_itself_ends_do_not_wait_for_the_follower(
    tmp_path: Path, settings: config.Settings, end: Ending
) -> None:
    slow = msgspec.structs.replace(settings, log=msgspec.structs.replace(settings.log, look_seconds=60.0))
    async with house(tmp_path / "data", slow, _Deaf()) as home:
        site = Accounts(home)
        await site.identity.add("lihua", RIGHT)
        await site.start()
        try:
            position = home.messaging.log.position
            login = await site.login()
            assert site.good(login)
            await end(site, login)
            assert not site.good(login)
            assert site.ended.count(("lihua", login.token_id)) == 1
            assert home.messaging.log.position == position, "the follower has not moved"
            await home.settled()
            assert not site.good(login)
            assert site.ended.count(("lihua", login.token_id)) == 1
        finally:
            await site.identity.stop()


async def test_ends_by_the_command_line_reach_a_running_server(site: Accounts) -> None:
    login = await site.login()
    offline = site.another()
    await offline.set_password("lihua", NEW)
    await offline.stop()
    await site.house.settled()
    assert not site.good(login)
    assert ("lihua", login.token_id) in site.ended


async def test_logging_out_ends_only_that_token(site: Accounts) -> None:
    one, other, wang = await site.login(), await site.login(), await site.login("wang")
    await site.identity.logout(site.identity.check(one.token))
    assert (site.good(one), site.good(other), site.good(wang)) == (False, True, True)


async def test_logging_out_twice_is_no_error(site: Accounts) -> None:
    caller = await site.caller()
    await site.identity.logout(caller)
    await site.identity.logout(caller)


async def test_somebody_elses_token_is_not_found(site: Accounts) -> None:
    login = await site.login()
    for id in (login.token_id, "no such id"):
        with pytest.raises(NotFound) as error:
            await site.identity.end(await site.caller("wang"), id)
        assert error.value.detail == "You have no such token"
    assert site.good(login)


async def test_start_reads_what_was_there_and_follows_what_comes(site: Accounts) -> None:
    before = await site.login()
    node = site.another()
    starting = asyncio.create_task(node.start(site.house.messaging.log, lambda user, id: None))
    during = await site.login()
    await starting
    after = await site.login()
    await site.house.settled()
    try:
        for login in (before, during, after):
            assert node.check(login.token).token_id == login.token_id
    finally:
        await node.stop()


# Passwords


async def test_a_password_change_keeps_the_token_it_was_made_with(site: Accounts) -> None:
    mine, other, wang = await site.login(), await site.login(device="phone"), await site.login("wang")
    caller = site.identity.check(mine.token)
    named = await site.identity.issue(caller, "robot")
    await site.identity.change_password(caller, RIGHT, NEW, HOME)
    assert (site.good(mine), site.good(other), site.good(named), site.good(wang)) == (True, False, False, True)
    with pytest.raises(WrongPassword):
        await site.login()
    assert site.good(await site.login(password=NEW))


async def test_a_password_change_needs_the_old_one_and_is_throttled(site: Accounts, derived: list[object]) -> None:
    login = await site.login()
    caller = site.identity.check(login.token)
    derived.clear()
    for _ in range(3):
        with pytest.raises(WrongPassword):
            await site.identity.change_password(caller, WRONG, NEW, ELSEWHERE)
    with pytest.raises(RateLimited):
        await site.identity.change_password(caller, RIGHT, NEW, ELSEWHERE)
    assert len(derived) == 3
    assert site.good(login)


@pytest.mark.parametrize("new", ["", "seven c", "eight ch\0", "\ud800" * 8, "x" * 1_001])
async def test_a_new_password_has_to_be_one(site: Accounts, new: str, derived: list[object]) -> None:
    caller = await site.caller()
    derived.clear()
    with pytest.raises(Invalid):
        await site.identity.change_password(caller, RIGHT, new, HOME)
    with pytest.raises(Invalid):
        await site.identity.set_password("lihua", new)
    with pytest.raises(Invalid):
        await site.identity.add("chen", new)
    assert derived == []


async def test_a_new_password_is_another_one(site: Accounts) -> None:
    with pytest.raises(Invalid, match="choose another"):
        await site.identity.change_password(await site.caller(), RIGHT, RIGHT, HOME)


async def test_a_password_change_with_a_token_that_has_ended_changes_nothing(site: Accounts) -> None:
    caller = await site.caller()
    await site.identity.logout(caller)
    with pytest.raises(NotAuthenticated):
        await site.identity.change_password(caller, RIGHT, NEW, HOME)
    assert site.good(await site.login())


async def test_setting_a_password_may_keep_one_token(site: Accounts) -> None:
    one, other = await site.login(), await site.login()
    await site.identity.set_password("LiHua", NEW, keep=one.token_id)
    assert (site.good(one), site.good(other)) == (True, False)
    with pytest.raises(NotFound):
        await site.identity.set_password("nobody", NEW)


async def test_a_password_is_kept_as_salted_keys(site: Accounts) -> None:
    rows = await site.house.store.read(lambda connection: connection.execute(verifiers.select()).all())
    assert len(rows) == 2
    assert len({row.salt for row in rows}) == len({row.stored_key for row in rows}) == 2
    assert {row.iterations for row in rows} == {4_096}
    assert RIGHT not in repr(rows) + repr(await site.house.log())


# Named tokens and lists


async def test_a_named_token_is_shown_once_and_lives_as_asked(site: Accounts) -> None:
    caller = await site.caller()
    named = await site.identity.issue(caller, "build robot", 7)
    assert re.fullmatch(r"hy_[A-Za-z0-9_-]{43}", named.token)
    assert named.expires == site.now + 7 * DAY
    assert site.identity.check(named.token) == Caller("lihua", "Li Hua", False, named.token_id, "build robot")
    assert (await site.identity.issue(caller, "other")).expires == site.now + 365 * DAY
    for days in (0, -1, 3_651):
        with pytest.raises(Invalid):
            await site.identity.issue(caller, "robot", days)
    with pytest.raises(Invalid):
        await site.identity.issue(caller, "two\nlines")


async def test_a_token_that_has_ended_issues_none(site: Accounts) -> None:
    caller = await site.caller()
    await site.identity.logout(caller)
    with pytest.raises(NotAuthenticated):
        await site.identity.issue(caller, "robot")


async def test_tokens_are_listed_to_their_owner(site: Accounts) -> None:
    login = await site.login()
    start = site.now
    site.now += 5
    named = await site.identity.issue(site.identity.check(login.token), "robot", 7)
    await site.login("wang")
    listed = await site.identity.tokens(site.identity.check(login.token))
    assert listed == [
        TokenView(named.token_id, "robot", "named", start + 5, named.expires, False),
        TokenView(login.token_id, "laptop", "session", start, login.expires, True),
    ]
    site.now = named.expires
    assert [one.id for one in await site.identity.tokens(site.identity.check(login.token))] == [login.token_id]


async def test_above_the_bound_the_oldest_log_in_ends(site: Accounts) -> None:
    logins = []
    for _ in range(6):
        site.now += 1
        logins.append(await site.login())
    assert [site.good(login) for login in logins] == [False, False, True, True, True, True]
    issued, ended = [], []
    for one in await site.log_of("_tokens"):
        (issued if one["action"] == "issue" else ended).extend(one.get("ids", [one.get("id")]))
    assert ended == [login.token_id for login in logins[:2]]


async def test_named_tokens_are_not_ended_by_log_ins_and_leave_room_for_one(site: Accounts) -> None:
    caller = await site.caller()
    named = []
    for number in range(3):
        site.now += 1
        named.append(await site.identity.issue(caller, f"robot {number}"))
    with pytest.raises(Conflict, match="end one first"):
        await site.identity.issue(caller, "one more")
    for _ in range(3):
        site.now += 1
        last = await site.login()
    assert all(site.good(one) for one in named)
    assert site.good(last)
    assert len(await site.identity.tokens(site.identity.check(last.token))) == 4


async def test_issuing_does_not_end_the_token_that_asks(site: Accounts) -> None:
    oldest = await site.login()
    for _ in range(3):
        site.now += 1
        await site.login()
    caller = site.identity.check(oldest.token)
    await site.identity.issue(caller, "robot")
    assert site.good(oldest)
    assert len(await site.identity.tokens(caller)) == 4


async def test_expired_tokens_do_not_count(site: Accounts) -> None:
    for _ in range(4):
        old = await site.login()
    site.now = old.expires
    new = [await site.login() for _ in range(4)]
    assert all(site.good(login) for login in new)


# Sweeping


async def test_sweeping_leaves_no_row_of_what_has_expired(site: Accounts) -> None:
    old = await site.login()
    named = await site.identity.issue(site.identity.check(old.token), "robot", 365)
    site.now = old.expires
    assert await site.identity.sweep() == 1
    assert await site.identity.sweep() == 0
    assert site.good(named)
    rows = await site.house.store.read(lambda connection: connection.execute(tokens.select()).all())
    assert [row.id for row in rows] == [named.token_id]


async def test_the_server_sweeps_by_itself_and_again_after_a_fault(
    site: Accounts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    login = await site.login()
    node, ended, sweep = site.another(), list[str](), site.identity.sweep
    faults = [StoreUnavailable("the disk is full")]

    async def faulty() -> int:
        if faults:
            raise faults.pop()
        return await sweep()

    monkeypatch.setattr(node, "sweep", faulty)
    await node.start(site.house.messaging.log, lambda user, id: ended.append(id), sweep_seconds=0.01)
    try:
        site.now = login.expires
        await until(lambda: ended == [login.token_id])
        assert "the disk is full" in caplog.text
    finally:
        await node.stop()


async def test_stopping_ends_the_sweep(site: Accounts) -> None:
    node = site.another()
    await node.start(site.house.messaging.log, lambda user, id: None)
    await node.stop()
    assert not [
        task for task in asyncio.all_tasks() if task.get_name() == "hongyan token sweep" and task is not site.identity._sweeping
    ]
    await node.stop()


# Accounts


async def test_a_new_account_is_in_the_directory_and_the_lobby(site: Accounts) -> None:
    assert await site.identity.add("ＣＨＥＮ", RIGHT, display=" Chen  Wei ") == "chen"
    assert await site.identity.add("zhang", RIGHT) == "zhang"
    people = site.house.messaging.people
    assert [(await people.get(user)).name for user in ("chen", "zhang")] == ["Chen Wei", "zhang"]
    members, _ = await site.house.messaging.conversations.members(await site.caller(), "lobby", None, 100)
    assert {"chen", "zhang"} <= {member.id for member in members}


@pytest.mark.parametrize("name", ["lihua", "LIHUA", "ｌｉｈｕａ"])
async def test_a_name_is_given_once(site: Accounts, name: str) -> None:
    await site.identity.disable("lihua")
    with pytest.raises(Conflict):
        await site.identity.add(name, NEW)
    await site.identity.enable("lihua")
    assert site.good(await site.login())


@pytest.mark.parametrize(("name", "display"), [("a b", None), ("", None), ("chen", ""), ("chen", "a\nb")])
async def test_names_have_to_be_names(site: Accounts, name: str, display: str | None) -> None:
    with pytest.raises(Invalid):
        await site.identity.add(name, RIGHT, display=display)


async def test_a_disabled_account_does_not_log_in_until_it_is_enabled(site: Accounts) -> None:
    login = await site.login()
    await site.identity.disable("LiHua")
    with pytest.raises(WrongPassword):
        await site.login()
    await site.identity.enable("lihua")
    assert not site.good(login)
    assert site.good(await site.login())
    assert await site.log_of("_accounts") == [
        {"id": "lihua", "admin": False, "disabled": True},
        {"id": "lihua", "admin": False, "disabled": False},
    ]


@pytest.mark.parametrize("user", ["nobody", "user:lihua"])
async def test_nobody_cannot_be_disabled(site: Accounts, user: str) -> None:
    for change in (site.identity.disable(user), site.identity.enable(user)):
        with pytest.raises((NotFound, Invalid)):
            await change


async def test_accounts_are_listed(site: Accounts) -> None:
    await site.identity.add("chen", RIGHT, must_change=True)
    await site.identity.disable("lihua")
    await site.house.add("ghost")
    listed = await site.identity.list()
    assert [(one.id, one.name, one.admin, one.disabled, one.change_password) for one in listed] == [
        ("chen", "chen", False, False, True),
        ("ghost", "Ghost", False, False, False),
        ("lihua", "Li Hua", False, True, False),
        ("wang", "Wang", True, False, False),
    ]
    assert listed[0].created == site.now


# Import


async def test_imported_accounts_log_in_with_their_passwords(site: Accounts) -> None:
    people = [("Chen", "password one"), ("zhang", "password two")]
    assert await site.identity.import_accounts(people, tokens=False) == [("chen", None), ("zhang", None)]
    assert site.good(await site.login("zhang", password="password two"))


async def test_imported_with_tokens_they_have_tokens_and_no_usable_password(site: Accounts, derived: list[object]) -> None:
    people = [(f"user{number}", f"password {number}") for number in range(1_050)]
    given = await site.identity.import_accounts(people, tokens=True)
    assert derived == []
    assert [user for user, _ in given] == [user for user, _ in people]
    await site.house.settled()
    for user, token in given:
        assert token is not None
        assert site.identity.check(token).user == user
    with pytest.raises(WrongPassword):
        await site.login("user7", password="password 7")
    assert len(derived) == 1
    await site.identity.set_password("user7", NEW)
    assert site.good(await site.login("user7", password=NEW))


@pytest.mark.parametrize(
    ("bad", "error"),
    [(("lihua", RIGHT), Conflict), (("USER1", RIGHT), Conflict), (("a b", RIGHT), Invalid), (("x", "short"), Invalid)],
)
async def test_an_import_with_a_bad_line_makes_nobody(site: Accounts, bad: tuple[str, str], error: type[Exception]) -> None:
    people = [(f"user{number}", RIGHT) for number in range(600)]
    with pytest.raises(error):
        await site.identity.import_accounts([*people, bad], tokens=True)
    assert len(await site.identity.list()) == 2


async def test_the_command_line_works_without_start(site: Accounts) -> None:
    offline = site.another()
    await offline.add("chen", RIGHT)
    await offline.disable("lihua")
    assert [one.disabled for one in await offline.list()] == [False, True, False]
    assert (await offline.login("chen", RIGHT, "terminal", HOME)).user_id == "chen"
    await offline.stop()
