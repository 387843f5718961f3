"""Every endpoint with what it must refuse: a problem that names the field, and nothing changed."""

from typing import Any

import pytest

from tests.gateways.web.webhouse import PASSWORD, WebHouse, problem

BIG = 2**63
LOGIN = {"username": "bob", "password": PASSWORD, "device": "phone"}
GROUP = {"kind": "group", "title": "t", "members": ["bob"]}
MESSAGE = {"client_id": "c1", "content": {"type": "text", "text": "hello"}}
GROUP_ID = "{group}"
ONE = f"/v1/conversations/{GROUP_ID}"


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in names}


WRONG_BODIES: list[tuple[str, str, Any, str]] = [
    # method, path, body, the field that the sentence names
    ("POST", "/v1/login", without(LOGIN, "username"), "username"),
    ("POST", "/v1/login", without(LOGIN, "password"), "password"),
    ("POST", "/v1/login", without(LOGIN, "device"), "device"),
    ("POST", "/v1/login", {**LOGIN, "username": 5}, "username"),
    ("POST", "/v1/login", {**LOGIN, "username": "x" * 300}, "username"),
    ("POST", "/v1/login", {**LOGIN, "password": ["x"]}, "password"),
    ("POST", "/v1/login", {**LOGIN, "password": "x" * 2_000}, "password"),
    ("POST", "/v1/login", {**LOGIN, "device": ""}, "device"),
    ("POST", "/v1/login", {**LOGIN, "device": "x" * 65}, "device"),
    ("POST", "/v1/login", {**LOGIN, "device": "a\nb"}, "device"),
    ("POST", "/v1/login", [LOGIN], "body"),
    ("POST", "/v1/password", {"old": PASSWORD}, "new"),
    ("POST", "/v1/password", {"old": None, "new": "long enough 1"}, "old"),
    ("POST", "/v1/password", {"old": PASSWORD, "new": "short"}, "password"),
    ("POST", "/v1/tokens", {}, "name"),
    ("POST", "/v1/tokens", {"name": ""}, "name"),
    ("POST", "/v1/tokens", {"name": "x", "days": 0}, "days"),
    ("POST", "/v1/tokens", {"name": "x", "days": 1.5}, "days"),
    ("POST", "/v1/tokens", {"name": "x", "days": "30"}, "days"),
    ("POST", "/v1/tokens", {"name": "x", "days": BIG}, "days"),
    ("PUT", "/v1/presence", {}, "status"),
    ("PUT", "/v1/presence", {"status": "offline"}, "status"),
    ("PUT", "/v1/presence", {"status": "away", "text": 5}, "text"),
    ("PUT", "/v1/presence", {"status": "away", "text": "a\u0000b"}, "text"),
    ("POST", "/v1/conversations", {}, "kind"),
    ("POST", "/v1/conversations", {"kind": "room"}, "kind"),
    ("POST", "/v1/conversations", {"kind": 5}, "kind"),
    ("POST", "/v1/conversations", {"kind": "direct"}, "members"),
    ("POST", "/v1/conversations", {"kind": "direct", "members": []}, "members"),
    ("POST", "/v1/conversations", {"kind": "direct", "members": ["bob", "carol"]}, "members"),
    ("POST", "/v1/conversations", {"kind": "direct", "members": "bob"}, "members"),
    ("POST", "/v1/conversations", {"kind": "direct", "members": [5]}, "members"),
    ("POST", "/v1/conversations", {"kind": "direct", "members": ["alice"]}, "else"),
    ("POST", "/v1/conversations", without(GROUP, "title"), "title"),
    ("POST", "/v1/conversations", without(GROUP, "members"), "members"),
    ("POST", "/v1/conversations", {**GROUP, "title": None}, "title"),
    ("POST", "/v1/conversations", {**GROUP, "title": "   "}, "title"),
    ("POST", "/v1/conversations", {**GROUP, "title": "标" * 201}, "title"),
    ("POST", "/v1/conversations", {**GROUP, "title": "a\u0007b"}, "title"),
    ("POST", "/v1/conversations", {**GROUP, "members": {"bob": 1}}, "members"),
    ("POST", "/v1/conversations", {**GROUP, "members": [""]}, "members"),
    ("POST", "/v1/conversations", {**GROUP, "members": ["x" * 65]}, "members"),
    ("POST", "/v1/conversations", {**GROUP, "history": "some"}, "history"),
    ("PATCH", ONE, {"title": 5}, "title"),
    ("PATCH", ONE, {"title": ""}, "title"),
    ("PATCH", ONE, {"title": "x" * 201}, "title"),
    ("PATCH", ONE, {"history": "none"}, "history"),
    ("PATCH", ONE, {}, "title"),
    ("PATCH", ONE, {"title": None, "history": "all"}, "title"),
    ("POST", ONE + "/members", {}, "users"),
    ("POST", ONE + "/members", {"users": []}, "users"),
    ("POST", ONE + "/members", {"users": "carol"}, "users"),
    ("POST", ONE + "/members", {"users": ["carol", None]}, "users"),
    ("PATCH", ONE + "/members/bob", {}, "role"),
    ("PATCH", ONE + "/members/bob", {"role": "king"}, "role"),
    ("POST", ONE + "/messages", without(MESSAGE, "client_id"), "client_id"),
    ("POST", ONE + "/messages", without(MESSAGE, "content"), "content"),
    ("POST", ONE + "/messages", {**MESSAGE, "client_id": 5}, "client_id"),
    ("POST", ONE + "/messages", {**MESSAGE, "client_id": ""}, "client_id"),
    ("POST", ONE + "/messages", {**MESSAGE, "client_id": "x" * 65}, "client_id"),
    ("POST", ONE + "/messages", {**MESSAGE, "client_id": "a b"}, "client_id"),
    ("POST", ONE + "/messages", {**MESSAGE, "client_id": "标识"}, "client_id"),
    ("POST", ONE + "/messages", {**MESSAGE, "client_id": "a\n"}, "client_id"),
    ("POST", ONE + "/messages", {**MESSAGE, "content": "hello"}, "content"),
    ("POST", ONE + "/messages", {**MESSAGE, "content": {"text": "hello"}}, "type"),
    ("POST", ONE + "/messages", {**MESSAGE, "content": {"type": "html", "text": "hello"}}, "type"),
    ("POST", ONE + "/messages", {**MESSAGE, "content": {"type": "text"}}, "text"),
    ("POST", ONE + "/messages", {**MESSAGE, "content": {"type": "text", "text": ""}}, "text"),
    ("POST", ONE + "/messages", {**MESSAGE, "content": {"type": "text", "text": " \n "}}, "text"),
    ("POST", ONE + "/messages", {**MESSAGE, "content": {"type": "text", "text": "a\u0000"}}, "text"),
    ("POST", ONE + "/messages", {**MESSAGE, "content": {"type": "text", "text": 5}}, "text"),
    ("POST", ONE + "/read", {}, "seq"),
    ("POST", ONE + "/read", {"seq": "1"}, "seq"),
    ("POST", ONE + "/read", {"seq": True}, "seq"),
    ("POST", ONE + "/read", {"seq": -1}, "seq"),
    ("POST", ONE + "/read", {"seq": BIG}, "seq"),
    ("POST", ONE + "/read", {"seq": 1.0}, "seq"),
    ("POST", ONE + "/typing", {}, "typing"),
    ("POST", ONE + "/typing", {"typing": 1}, "typing"),
    ("POST", ONE + "/typing", {"typing": "true"}, "typing"),
]

WRONG_QUERIES: list[tuple[str, str]] = [
    ("/v1/users?limit=0", "limit"),
    ("/v1/users?limit=1001", "limit"),
    ("/v1/users?limit=ten", "limit"),
    ("/v1/users?limit=", "limit"),
    ("/v1/users?prefix=" + "x" * 65, "prefix"),
    (ONE + "/members?limit=-1", "limit"),
    (ONE + f"/members?limit={BIG}", "limit"),
    (ONE + "/events?limit=0", "limit"),
    (ONE + "/events?limit=1001", "limit"),
    (ONE + "/events?before=-1", "before"),
    (ONE + "/events?before=x", "before"),
    (ONE + "/events?before=null", "before"),
    (ONE + "/events?before=", "before"),
    (ONE + "/events?before=5&before=5", "twice"),
    (ONE + f"/events?before={BIG}", "before"),
    (ONE + f"/events?after={BIG}", "after"),
    (ONE + "/events?after=-1", "after"),
    (ONE + "/events?before=5&after=2", "before"),
    ("/v1/events?limit=0", "limit"),
    ("/v1/events?limit=1001", "limit"),
    ("/v1/events?limit=x", "limit"),
    ("/v1/events?wait=-1", "wait"),
    ("/v1/events?wait=nan", "wait"),
    ("/v1/events?wait=soon", "wait"),
    ("/v1/events?limit=1&limit=2", "twice"),
    ("/v1/events?" + "&".join(f"f{n}=1" for n in range(50)), "fields"),
]


@pytest.fixture
async def group(web: WebHouse) -> str:
    return await web.group("alice", "bob")


async def test_wrong_bodies_are_refused_with_the_name_of_the_field_and_change_nothing(web: WebHouse, group: str) -> None:
    before = await web.state()
    for method, path, body, field in WRONG_BODIES:
        answer = await web.call(None if path == "/v1/login" else "alice", method, path.replace(GROUP_ID, group), body)
        detail = problem(answer, 400, "invalid")["detail"]
        assert field in detail.replace("status text", "text"), (path, body, detail)
    assert await web.state() == before


async def test_wrong_queries_are_refused_with_the_name_of_the_field(web: WebHouse, group: str) -> None:
    for path, field in WRONG_QUERIES:
        answer = await web.call("alice", "GET", path.replace(GROUP_ID, group))
        assert field in problem(answer, 400, "invalid")["detail"], path


@pytest.mark.parametrize("cursor", ["", "x", "e.1.2", "0", "a.-1", "a.1 ", "a.%00", "9" * 40, "A.1", "a." + "9" * 30, "../x"])
async def test_what_was_never_a_cursor_is_refused_on_polls_and_streams(web: WebHouse, cursor: str) -> None:
    for path in ("/v1/events", "/v1/events/sse"):
        problem(await web.call("bob", "GET", path, params={"after": cursor}), 400, "invalid-cursor")
    if cursor and cursor.isprintable():
        problem(await web.call("bob", "GET", "/v1/events/sse", headers={"Last-Event-ID": cursor}), 400, "invalid-cursor")


async def test_what_is_over_a_limit_is_too_large_and_changes_nothing(web: WebHouse, group: str) -> None:
    before = await web.state()
    nobody = [f"u{number}" for number in range(501)]
    for method, path, body in (
        ("POST", "/v1/conversations", {**GROUP, "members": nobody}),
        ("POST", f"/v1/conversations/{group}/members", {"users": nobody}),
        ("POST", f"/v1/conversations/{group}/messages", {**MESSAGE, "content": {"type": "text", "text": "长" * 30_000}}),
        ("PUT", "/v1/presence", {"status": "away", "text": "x" * 101}),
    ):
        problem(await web.call("alice", method, path, body), 413, "too-large")
    assert await web.state() == before


async def test_unknown_people_and_tokens_are_not_found(web: WebHouse, group: str) -> None:
    before = await web.state()
    for method, path, body in (
        ("GET", "/v1/users/nobody", None),
        ("DELETE", "/v1/tokens/nothing", None),
        ("POST", "/v1/conversations", {"kind": "direct", "members": ["nobody"]}),
        ("POST", "/v1/conversations", {**GROUP, "members": ["bob", "nobody"]}),
        ("POST", f"/v1/conversations/{group}/members", {"users": ["carol", "nobody"]}),
        ("PATCH", f"/v1/conversations/{group}/members/nobody", {"role": "admin"}),
        ("DELETE", f"/v1/conversations/{group}/members/nobody", None),
    ):
        problem(await web.call("alice", method, path, body), 404, "not-found")
    assert await web.state() == before


async def test_conversation_of_others_looks_exactly_like_none(web: WebHouse, group: str) -> None:
    before = await web.state()
    for method, rest, body in (
        ("GET", "", None),
        ("PATCH", "", {"title": "mine"}),
        ("GET", "/members", None),
        ("POST", "/members", {"users": ["carol"]}),
        ("PATCH", "/members/bob", {"role": "admin"}),
        ("DELETE", "/members/bob", None),
        ("DELETE", "/members/carol", None),
        ("POST", "/messages", MESSAGE),
        ("GET", "/events", None),
        ("GET", "/events?after=0", None),
        ("POST", "/read", {"seq": 1}),
        ("POST", "/typing", {"typing": True}),
    ):
        theirs = await web.call("carol", method, f"/v1/conversations/{group}{rest}", body)
        none = await web.call("carol", method, f"/v1/conversations/doesnotexist{rest}", body)
        assert problem(theirs, 404, "not-found") == problem(none, 404, "not-found"), (method, rest)
    assert await web.state() == before


async def test_direct_conversation_cannot_be_left_or_widened(web: WebHouse) -> None:
    made = await web.call("alice", "POST", "/v1/conversations", {"kind": "direct", "members": ["bob"]})
    path = f"/v1/conversations/{made.json()['id']}"
    before = await web.state()
    for method, rest, body in (
        ("PATCH", "", {"title": "x"}),
        ("POST", "/members", {"users": ["carol"]}),
        ("PATCH", "/members/bob", {"role": "admin"}),
        ("DELETE", "/members/alice", None),
    ):
        problem(await web.call("alice", method, path + rest, body), 403, "forbidden")
    assert await web.state() == before


async def test_ended_and_disabled_are_out_on_every_transport(web: WebHouse) -> None:
    await web.identity.disable("bob")
    for path in ("/v1/me", "/v1/events", "/v1/events?wait=5", "/v1/events/sse", "/v1/snapshot"):
        problem(await web.call("bob", "GET", path), 401, "not-authenticated")
    body = {"username": "bob", "password": PASSWORD, "device": "phone"}
    problem(await web.call(None, "POST", "/v1/login", body), 401, "wrong-password")


async def test_expired_token_is_refused(web: WebHouse) -> None:
    year = 400 * 86_400_000
    clock = web.identity._clock
    web.identity._clock = lambda: clock() + year
    problem(await web.call("bob", "GET", "/v1/me"), 401, "not-authenticated")
