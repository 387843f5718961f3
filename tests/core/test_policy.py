"""The whole matrix of roles, so that a changed rule shows."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from hongyan.core import policy
from hongyan.core.errors import Conflict, Forbidden, HongyanError, NotFound
from hongyan.core.model import Role

ROLES: tuple[Role | None, ...] = (None, "member", "admin", "owner")


def answer(decide: Callable[..., Any], *arguments: Any, **named: Any) -> type[HongyanError] | None:
    try:
        decide(*arguments, **named)
    except HongyanError as error:
        return type(error)
    return None


def test_a_stranger_is_told_that_there_is_nothing_whatever_they_try() -> None:
    assert answer(policy.member, None) is NotFound
    for kind in ("direct", "group"):
        assert answer(policy.change_settings, kind, None) is NotFound
        assert answer(policy.add_members, kind, None) is NotFound
        for target in ROLES:
            assert answer(policy.remove_member, kind, None, target, oneself=False) is NotFound
            assert answer(policy.set_role, kind, None, target) is NotFound


@pytest.mark.parametrize("role", ROLES[1:])
def test_nothing_of_a_direct_conversation_can_be_changed(role: Role) -> None:
    assert answer(policy.change_settings, "direct", role) is Forbidden
    assert answer(policy.add_members, "direct", role) is Forbidden
    assert answer(policy.remove_member, "direct", role, "member", oneself=True) is Forbidden
    assert answer(policy.set_role, "direct", role, "member") is Forbidden


def test_settings_of_a_group_belong_to_owner_and_admins() -> None:
    assert [answer(policy.change_settings, "group", role) for role in ROLES] == [NotFound, Forbidden, None, None]


def test_only_those_below_can_be_removed_and_oneself_always() -> None:
    allowed = {
        (mine, target)
        for mine, target in product(ROLES[1:], ROLES[1:])
        if answer(policy.remove_member, "group", mine, target, oneself=False) is None
    }
    assert allowed == {("admin", "member"), ("owner", "member"), ("owner", "admin")}
    for role in ROLES[1:]:
        assert answer(policy.remove_member, "group", role, role, oneself=True) is None


def test_only_the_owner_gives_roles_and_never_none_is_left() -> None:
    assert [answer(policy.set_role, "group", role, "member") for role in ROLES] == [NotFound, Forbidden, Forbidden, None]
    assert answer(policy.set_role, "group", "owner", None) is NotFound
    assert answer(policy.give_up_ownership, "member") is Conflict
    assert answer(policy.give_up_ownership, "owner") is None


def test_history_policy() -> None:
    assert policy.first_readable("all", 17) == 1
    assert policy.first_readable("joined", 17) == 17


def test_span_shows_both_its_ends_and_nothing_outside() -> None:
    span = policy.Span(3, 5)
    assert [seq for seq in range(8) if span.shows(seq)] == [3, 4, 5]
    assert policy.Span(3).shows(10**9)
