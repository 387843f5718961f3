"""How often passwords may be guessed. `now` is in milliseconds."""

import asyncio
import contextlib

import pytest

from hongyan.core.errors import HongyanError, RateLimited, StoreUnavailable, WrongPassword
from hongyan.features.identity.throttle import Throttle

HOME, OFFICE, ELSEWHERE = "192.0.2.1", "198.51.100.7", "203.0.113.9"


def throttle(per_account: int = 3, per_address: int = 5, **bounds: int) -> Throttle:
    return Throttle(per_account, per_address, 60.0, **bounds)


def fail(guarded: Throttle, account: str, address: str, now: int = 0, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(WrongPassword), guarded.attempt(account, address, now):
            raise WrongPassword


def succeed(guarded: Throttle, account: str, address: str, now: int = 0) -> None:
    with guarded.attempt(account, address, now) as attempt:
        attempt.succeeded()


def wait(guarded: Throttle, account: str, address: str, now: int = 0) -> float | None:
    with pytest.raises(RateLimited) as refused:
        guarded.attempt(account, address, now)
    return refused.value.retry_after


def test_an_account_waits_until_its_oldest_failure_is_out_of_the_window() -> None:
    guarded = throttle()
    for now in (0, 10_000, 20_000):
        fail(guarded, "lihua", HOME, now)
    assert wait(guarded, "lihua", ELSEWHERE, 20_000) == 40
    assert wait(guarded, "lihua", ELSEWHERE, 59_999) == 1
    fail(guarded, "lihua", ELSEWHERE, 60_000)
    assert wait(guarded, "lihua", ELSEWHERE, 60_000) == 10


def test_an_address_waits_after_failures_for_many_accounts() -> None:
    guarded = throttle()
    for number in range(5):
        fail(guarded, f"user{number}", HOME)
    assert wait(guarded, "another", HOME) == 60
    fail(guarded, "another", ELSEWHERE)


def test_a_name_that_is_no_account_counts_like_one_that_is() -> None:
    guarded = throttle()
    fail(guarded, "no such name at all", HOME, times=3)
    assert wait(guarded, "no such name at all", ELSEWHERE) == 60


def test_refused_guesses_do_not_lengthen_the_wait() -> None:
    guarded = throttle()
    fail(guarded, "lihua", HOME, times=3)
    for now in range(0, 60_000, 1_000):
        wait(guarded, "lihua", HOME, now)
    succeed(guarded, "lihua", HOME, 60_000)


def test_right_passwords_are_not_counted() -> None:
    guarded = throttle()
    for _ in range(20):
        succeed(guarded, "lihua", HOME)
        succeed(guarded, "wang", HOME)
    assert len(guarded) == 0


def test_parallel_guesses_are_counted_before_they_are_verified() -> None:
    guarded = throttle()
    with contextlib.ExitStack() as stack:
        attempts = [stack.enter_context(guarded.attempt("lihua", HOME, 0)) for _ in range(3)]
        assert wait(guarded, "lihua", ELSEWHERE) == 1
        attempts[0].succeeded()
    fail(guarded, "lihua", ELSEWHERE)
    assert wait(guarded, "lihua", ELSEWHERE) == 60


def test_failures_elsewhere_do_not_lock_out_who_has_logged_in_before() -> None:
    guarded = throttle()
    succeed(guarded, "lihua", HOME)
    fail(guarded, "lihua", ELSEWHERE, times=3)
    assert wait(guarded, "lihua", OFFICE) == 60
    succeed(guarded, "lihua", HOME)


def test_neighbours_behind_one_address_do_not_lock_out_who_has_logged_in_before() -> None:
    guarded = throttle()
    succeed(guarded, "lihua", OFFICE)
    fail(guarded, "wang", OFFICE, times=3)
    fail(guarded, "zhang", OFFICE, times=2)
    assert wait(guarded, "chen", OFFICE) == 60
    succeed(guarded, "lihua", OFFICE)


def test_where_one_has_logged_in_before_guesses_are_bounded_too() -> None:
    guarded = throttle()
    succeed(guarded, "lihua", OFFICE)
    fail(guarded, "lihua", OFFICE, times=3)
    assert wait(guarded, "lihua", OFFICE) == 60
    fail(guarded, "wang", OFFICE, times=2)
    assert wait(guarded, "chen", OFFICE) == 60, "they count for the address"


def test_logging_in_to_an_own_account_does_not_give_guesses_back() -> None:
    guarded = throttle()
    for number in range(5):
        fail(guarded, f"victim{number}", HOME)
        if number < 4:
            succeed(guarded, "mallory", HOME)
    assert wait(guarded, "victim9", HOME) == 60


def test_a_log_in_long_ago_is_forgotten() -> None:
    guarded = throttle()
    succeed(guarded, "lihua", HOME, 0)
    later = 30 * 86_400_000
    fail(guarded, "lihua", ELSEWHERE, later, times=3)
    assert wait(guarded, "lihua", HOME, later) == 60


@pytest.mark.parametrize(
    ("one", "other"),
    [("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"), ("192.0.2.1", "::ffff:192.0.2.1"), ("fe80::1%eth0", "fe80::2%eth1")],
)
def test_addresses_of_one_network_are_one(one: str, other: str) -> None:
    guarded = throttle()
    for number in range(5):
        fail(guarded, f"user{number}", one)
    assert wait(guarded, "another", other) == 60


def test_addresses_of_two_networks_are_two() -> None:
    guarded = throttle()
    for number in range(5):
        fail(guarded, f"user{number}", "2001:db8:1:2::1")
    fail(guarded, "another", "2001:db8:1:3::1")


@pytest.mark.parametrize("fault", [StoreUnavailable(), RuntimeError()])
def test_what_fails_for_another_reason_is_given_back(fault: Exception) -> None:
    guarded = throttle()
    for _ in range(10):
        with pytest.raises((HongyanError, RuntimeError)), guarded.attempt("lihua", HOME, 0):
            raise fault
    assert len(guarded) == 0


def test_a_guess_whose_maker_went_away_stays_counted() -> None:
    guarded = throttle()
    for _ in range(3):
        with pytest.raises(asyncio.CancelledError), guarded.attempt("lihua", HOME, 0):
            raise asyncio.CancelledError
    assert wait(guarded, "lihua", HOME) == 60


def test_memory_is_bounded_and_what_is_over_is_forgotten() -> None:
    guarded = throttle(per_address=1_000, most=50, most_known=2)
    for number in range(500):
        fail(guarded, f"user{number}", HOME)
        assert len(guarded) <= 50
    fail(guarded, "last", HOME, 60_000)
    assert len(guarded) == 2
    for number in range(3):
        succeed(guarded, f"known{number}", OFFICE)
    fail(guarded, "known0", ELSEWHERE, times=3)
    assert wait(guarded, "known0", OFFICE) == 60
