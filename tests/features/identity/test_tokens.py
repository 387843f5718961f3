"""The table of live tokens as a fold over the log."""

import re
import secrets
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.core.model import Caller, Event
from hongyan.features.identity.issuing import Fresh
from hongyan.features.identity.model import IssuedToken, Login
from hongyan.features.identity.tokens import (
    Account,
    Ended,
    Issued,
    Live,
    TokenTable,
    account_draft,
    hashed,
    new_token,
    token_draft,
)
from hongyan.store import Draft

FAR = 10**15


def token(id: str) -> str:
    """The text of the token with this id; a test needs no random ones."""
    return "hy_" + id.rjust(43, "0")


def issued(id: str, user: str = "lihua", name: str = "Li Hua", *, admin: bool = False) -> Issued:
    return Issued(id, user, hashed(token(id)).hex(), "laptop", "session", FAR, name, admin)


def event(position: int, what: Issued | Ended | Account | dict[str, Any]) -> Event:
    if isinstance(what, dict):
        draft = Draft("directory", "profile", None, 0, msgspec.json.encode(what))
    elif isinstance(what, Account):
        draft = account_draft(what, 0)
    else:
        draft = token_draft(what, 0)
    return Event(position, draft.lane, position, draft.type, draft.sender, draft.time, None, draft.content)


class Play:
    """A table that was loaded empty, and what it told about ended tokens."""

    def __init__(self, position: int = 0, *live: Live) -> None:
        self.ended: list[tuple[str, str]] = []
        self.table = TokenTable(lambda user, id: self.ended.append((user, id)))
        self.table.load(position, live)

    def __call__(self, position: int, what: Issued | Ended | Account | dict[str, Any]) -> "Play":
        self.table.apply(event(position, what))
        return self

    def caller(self, id: str) -> Caller | None:
        found = self.table.find(token(id))
        return None if found is None else found.caller


def test_new_tokens_have_256_random_bits_and_a_mark() -> None:
    assert re.fullmatch(r"hy_[A-Za-z0-9_-]{43}", new_token(secrets.token_bytes))
    asked: list[int] = []
    assert new_token(lambda count: asked.append(count) or bytes(count)) == "hy_" + "A" * 43  # type: ignore[func-returns-value]
    assert asked == [32]


def test_a_token_is_good_from_its_event_to_its_end() -> None:
    play = Play()(1, issued("a"))(2, issued("b"))
    assert play.caller("a") == Caller("lihua", "Li Hua", False, "a", "laptop")
    play(3, Ended(["a"]))
    assert play.caller("a") is None
    assert play.caller("b") is not None
    assert play.ended == [("lihua", "a")]


@pytest.mark.parametrize("text", ["", "hy_", "x" * 46, "hy_" + "\ud800" * 43, "hy_" + "é" * 43, "hy_" + "0" * 1_000_000])
def test_what_is_no_token_is_nobodys(text: str) -> None:
    assert Play()(1, issued("a")).table.find(text) is None


def test_a_caller_is_one_object_until_it_changes() -> None:
    play = Play()(1, issued("a"))
    first = play.caller("a")
    assert play.caller("a") is first
    play(2, {"id": "wang", "name": "Wang"})
    assert play.caller("a") is first
    play(3, {"id": "lihua", "name": "李华"})
    assert play.caller("a") == Caller("lihua", "李华", False, "a", "laptop")


def test_rights_follow_the_account() -> None:
    play = Play()(1, issued("a", admin=True))(2, issued("b", "wang"))
    play(3, Account("lihua", False, False))
    assert play.caller("a") == Caller("lihua", "Li Hua", False, "a", "laptop")
    assert play.caller("b") == Caller("wang", "Li Hua", False, "b", "laptop")


def test_disabling_ends_every_token_of_the_account() -> None:
    play = Play()(1, issued("a"))(2, issued("b"))(3, issued("c", "wang"))
    play(4, Account("lihua", False, True))
    assert (play.caller("a"), play.caller("b")) == (None, None)
    assert play.caller("c") is not None
    assert sorted(play.ended) == [("lihua", "a"), ("lihua", "b")]


def test_events_that_the_loaded_state_contains_change_nothing() -> None:
    caller = Caller("lihua", "New Name", False, "b", "laptop")
    play = Play(5, Live(caller, hashed(token("b")), FAR, 5))
    play(3, issued("a"))(4, {"id": "lihua", "name": "Old Name"})(5, Ended(["b"]))
    assert play.caller("a") is None
    assert play.caller("b") is caller


def test_events_during_loading_are_applied_after_it() -> None:
    ended: list[str] = []
    table = TokenTable(lambda user, id: ended.append(id))
    table.apply(event(4, issued("old")))
    table.apply(event(5, issued("new")))
    table.apply(event(6, Ended(["loaded"])))
    assert table.find(token("new")) is None
    table.load(4, [Live(Caller("lihua", "", False, "loaded", ""), hashed(token("loaded")), FAR, 4)])
    assert table.find(token("old")) is None
    assert table.find(token("new")) is not None
    assert table.find(token("loaded")) is None
    assert ended == ["loaded"]


def test_what_this_node_did_is_true_before_the_follower_comes_to_it() -> None:
    play = Play()
    play.table.issued(3, issued("a"))
    first = play.caller("a")
    assert first is not None
    play(3, issued("a"))
    assert play.caller("a") is first
    play.table.ended(4, ["a"])
    assert play.caller("a") is None
    play(4, Ended(["a"]))
    assert play.ended == [("lihua", "a")]


def test_a_token_that_ended_on_the_way_does_not_come_back() -> None:
    play = Play()(5, issued("a"))(6, Ended(["a"]))
    play.table.issued(5, issued("a"))
    assert play.caller("a") is None

    play = Play()
    play.table.ended(6, ["a"])
    play(5, issued("a"))
    assert play.caller("a") is None
    play(6, Ended(["a"]))
    assert play.caller("a") is None


def test_older_changes_do_not_touch_a_token_that_was_issued_after_them() -> None:
    play = Play()
    play.table.issued(5, issued("a", name="New Name", admin=True))
    play(2, {"id": "lihua", "name": "Old Name"})(3, Account("lihua", False, True))(4, Account("lihua", True, False))
    assert play.caller("a") == Caller("lihua", "New Name", True, "a", "laptop")


def test_none_of_the_ended_tokens_is_good_when_the_first_end_is_told() -> None:
    heard: list[str] = []

    def end(user: str, id: str) -> None:
        assert table.find(token("a")) is None
        assert table.find(token("b")) is None
        heard.append(id)

    table = TokenTable(end)
    table.load(0, [])
    for position, id in enumerate("ab", 1):
        table.apply(event(position, issued(id)))
    table.apply(event(3, Ended(["a", "b"])))
    assert heard == ["a", "b"]


@st.composite
def logs(draw: st.DrawFn) -> list[Issued | Ended | Account | dict[str, Any]]:
    """What a store may have: ids are issued once, ended once, and not issued to who is disabled."""
    steps: list[Issued | Ended | Account | dict[str, Any]] = []
    names = {"lihua": "n", "wang": "n"}
    admin = {"lihua": False, "wang": False}
    disabled: set[str] = set()
    live: dict[str, str] = {}
    for number in range(draw(st.integers(0, 25))):
        user = draw(st.sampled_from(["lihua", "wang"]))
        kind = draw(st.sampled_from(["issue", "issue", "end", "name", "admin", "disable", "enable"]))
        if kind == "issue" and user not in disabled:
            live[str(number)] = user
            steps.append(issued(str(number), user, names[user], admin=admin[user]))
        elif kind == "end" and live:
            ids = draw(st.lists(st.sampled_from(sorted(live)), min_size=1, unique=True))
            steps.append(Ended(ids))
            for id in ids:
                del live[id]
        elif kind == "name":
            names[user] = f"name{number}"
            steps.append({"id": user, "name": names[user]})
        elif kind == "admin":
            admin[user] = not admin[user]
            steps.append(Account(user, admin[user], user in disabled))
        elif kind == "disable":
            disabled.add(user)
            mine = [id for id, owner in live.items() if owner == user]
            if mine:
                steps.append(Ended(mine))
            for id in mine:
                del live[id]
            steps.append(Account(user, admin[user], True))
        elif kind == "enable" and user in disabled:
            disabled.discard(user)
            steps.append(Account(user, admin[user], False))
    return steps


def model(steps: list[Issued | Ended | Account | dict[str, Any]]) -> dict[str, Caller]:
    """What is good after these steps, by the plainest reading of them."""
    good: dict[str, Caller] = {}
    for step in steps:
        if isinstance(step, Issued):
            good[step.id] = Caller(step.user, step.name, step.admin, step.id, step.device)
        elif isinstance(step, Ended):
            good = {id: caller for id, caller in good.items() if id not in step.ids}
        elif isinstance(step, Account):
            changed = {id: msgspec.structs.replace(c, admin=step.admin) for id, c in good.items() if c.user == step.id}
            good |= changed
        else:
            good |= {id: msgspec.structs.replace(c, name=step["name"]) for id, c in good.items() if c.user == step["id"]}
    return good


@given(logs(), st.data())
def test_loaded_at_any_position_the_table_is_what_the_log_says(
    steps: list[Issued | Ended | Account | dict[str, Any]], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(steps)), "loaded at")
    known = data.draw(st.integers(0, at), "followed from")
    during = data.draw(st.integers(known, len(steps)), "follower when loaded")
    table = TokenTable(lambda user, id: None)
    for position in range(known, during):
        table.apply(event(position + 1, steps[position]))
    loaded = [Live(caller, hashed(token(id)), FAR, at) for id, caller in model(steps[:at]).items()]
    table.load(at, loaded)
    for position in range(during, len(steps)):
        table.apply(event(position + 1, steps[position]))
    expected = model(steps)
    ids = {step.id for step in steps if isinstance(step, Issued)}
    assert {id: found.caller for id in ids if (found := table.find(token(id))) is not None} == expected
    assert len(table) == len(expected)


@given(logs(), st.data())
def test_what_this_node_does_ahead_of_its_follower_changes_nothing_in_the_end(
    steps: list[Issued | Ended | Account | dict[str, Any]], data: st.DataObject
) -> None:
    table = TokenTable(lambda user, id: None)
    table.load(0, [])
    behind = data.draw(st.lists(st.integers(0, 6), min_size=len(steps), max_size=len(steps)), "how far the follower is behind")
    followed = 0
    for position, step in enumerate(steps, 1):
        if isinstance(step, Issued):
            table.issued(position, step)
        elif isinstance(step, Ended):
            table.ended(position, step.ids)
            assert all(table.find(token(id)) is None for id in step.ids)
        while followed < position - behind[position - 1]:
            followed += 1
            table.apply(event(followed, steps[followed - 1]))
    for position in range(followed + 1, len(steps) + 1):
        table.apply(event(position, steps[position - 1]))
    ids = {step.id for step in steps if isinstance(step, Issued)}
    assert {id: found.caller for id in ids if (found := table.find(token(id))) is not None} == model(steps)


def test_nothing_that_is_logged_shows_a_token_or_its_hash() -> None:
    secret = token("secret")
    hidden = (secret, hashed(secret).hex())
    content = Fresh(secret, "t1").content("lihua", "Li Hua", False, "laptop", "session", 0, 1)
    shown = [
        Login(secret, "t1", "lihua", "Li Hua", "laptop", FAR, False),
        IssuedToken(secret, "t1", "robot", FAR),
        Fresh(secret, "t1"),
        content,
        Live(Caller("lihua", "Li Hua", False, "t1", "laptop"), hashed(secret), FAR, 0),
    ]
    for one in shown:
        rich = list(one.__rich_repr__()) if isinstance(one, msgspec.Struct) else []
        for form in (repr(one), str(one), f"{one}", repr(rich)):
            assert not any(text in form for text in hidden)
            assert repr(hashed(secret)) not in form
    assert "t1" in repr(shown[0])
