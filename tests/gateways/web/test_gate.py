"""What every request passes before it reaches a route: path, token, size, method; and what every answer carries."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from hongyan.core.errors import StoreUnavailable
from hongyan.gateways.web.bodies import replay
from tests.gateways.web.webhouse import WebHouse, operations, problem, settings, web_house

OPEN = {"/v1/login", "/health", "/metrics"}


# Tokens: deny by default


async def test_everything_but_the_open_list_needs_a_token(web: WebHouse) -> None:
    before = await web.state()
    for method, path in await operations(web):
        if path not in OPEN:
            answer = await web.call(None, method, path, {} if method in ("POST", "PUT", "PATCH") else None)
            problem(answer, 401, "not-authenticated")
            assert answer.headers["www-authenticate"] == "Bearer"
    assert await web.state() == before


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer nonsense", "Basic YTpi", "Bearer a b", "bearer\tx", "Bearer " + "x" * 5000, "Bearer \x80"],
)
async def test_what_is_no_good_token_is_refused(web: WebHouse, header: str) -> None:
    answer = await web.client.get("/v1/me", headers=[(b"authorization", header.encode("latin-1"))])
    problem(answer, 401, "not-authenticated")


async def test_two_tokens_are_none(web: WebHouse) -> None:
    good = f"Bearer {web.tokens['bob']}".encode()
    answer = await web.client.get("/v1/me", headers=[(b"authorization", good), (b"authorization", good)])
    problem(answer, 401, "not-authenticated")


async def test_token_in_the_query_or_a_cookie_is_not_looked_at(web: WebHouse) -> None:
    token = web.tokens["bob"]
    problem(await web.client.get(f"/v1/me?token={token}&access_token={token}"), 401, "not-authenticated")
    problem(await web.client.get("/v1/me", headers={"Cookie": f"token={token}"}), 401, "not-authenticated")


async def test_unknown_paths_do_not_tell_strangers_what_exists(web: WebHouse) -> None:
    problem(await web.call(None, "GET", "/v1/nothing"), 401, "not-authenticated")
    problem(await web.call("bob", "GET", "/v1/nothing"), 404, "not-found")
    problem(await web.call(None, "GET", "/nothing"), 404, "not-found")


# Paths: decoded once, then compared (CVE-2023-32315)


@pytest.mark.parametrize(
    "path",
    [
        b"/v1/login/../me",
        b"/v1/login/%2e%2e/me",
        b"/health/%2e%2e/v1/me",
        b"/docs/../v1/me",
        b"/docs/%2e%2e%2fv1%2fme",
        b"/v1/login/",
        b"/v1/me/",
        b"//v1/me",
        b"/v1//me",
        b"/v1/me%00",
        b"/v1/login%2f..%2fme",
        b"/v1/%2e/me",
        b"/v1\\me",
        b"/v1%5cme",
        b"/docs/..%5cdocs.html",
        b"/docs/%2e%2e/%2e%2e/app.py",
        b"/schema",
        b"/schema/openapi.json",
        b"/v1/users/a%2fb",
    ],
)
async def test_paths_that_could_mean_another_lead_nowhere(web: WebHouse, path: bytes) -> None:
    for user in (None, "bob"):
        answer = await raw(web, "GET", path, user)
        assert answer[0] in (401, 404), answer
        if user is not None:
            assert answer[0] == 404


async def test_twice_encoded_path_is_decoded_once(web: WebHouse) -> None:
    assert (await raw(web, "GET", b"/v1/users/b%6fb", "alice"))[0] == 200
    assert (await raw(web, "GET", b"/v1/users/b%256fb", "alice"))[0] == 404


async def raw(web: WebHouse, method: str, path: bytes, user: str | None = None) -> tuple[int, dict[bytes, bytes], bytes]:
    """A request with exactly this path on the wire: httpx would put it in order first."""
    headers = [(b"host", b"chat.example")]
    if user is not None:
        headers.append((b"authorization", f"Bearer {web.tokens[user]}".encode()))
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": unquote(path.decode("ascii")),
        "raw_path": path,
        "query_string": b"",
        "headers": headers,
        "scheme": "http",
        "client": ("192.0.2.7", 5000),
        "server": ("chat.example", 80),
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
        "root_path": "",
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await web.app(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(message["body"] for message in sent[1:])


# Size and form of bodies


async def test_large_bodies_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    async with web_house(tmp_path / "db", settings(http={"max_body": 2_048}, limits={"message_bytes": 1_024})) as web:
        group = await web.group("alice", "bob")
        before = await web.state()
        problem(await web.send("alice", group, "c1", "x" * 3_000), 413, "too-large")

        async def unannounced() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield b"[" * 1_000

        answer = await web.client.post(
            "/v1/conversations", content=unannounced(), headers={"Authorization": f"Bearer {web.tokens['bob']}"}
        )
        problem(answer, 413, "too-large")
        assert await web.state() == before


async def test_bodies_before_login_are_small(web: WebHouse) -> None:
    body = {"username": "bob", "password": "x" * 20_000, "device": "phone"}
    problem(await web.call(None, "POST", "/v1/login", body), 413, "too-large")


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/plain", b'{"kind":"direct","members":["bob"]}'),
        ("application/x-www-form-urlencoded", b"kind=direct&members=bob"),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("application/msgpack", b"\x80"),
    ],
)
async def test_only_json_is_taken(web: WebHouse, media_type: str, body: bytes) -> None:
    answer = await web.call("alice", "POST", "/v1/conversations", body, headers={"Content-Type": media_type})
    assert "application/json" in problem(answer, 400, "invalid")["detail"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"[]", b"\xff\xfe", b"[" * 500_000, b'{"a":' * 100_000, b'"\\ud800"', b"NaN", b"1" * 400_000]
)
async def test_what_is_no_json_object_is_refused_with_a_sentence(web: WebHouse, body: bytes) -> None:
    answer = await web.call("alice", "POST", "/v1/conversations", body)
    assert len(problem(answer, 400, "invalid")["detail"]) < 300


async def test_who_was_disabled_while_the_body_came_changes_nothing(web: WebHouse) -> None:
    group = await web.group("alice", "bob")
    changed: list[Any] = []

    async def slow() -> AsyncIterator[bytes]:
        yield b'{"client_id":"late",'
        await web.identity.disable("bob")
        changed.append(await web.state())
        yield '"content":{"type":"text","text":"你好"}}'.encode()

    headers = {"Authorization": f"Bearer {web.tokens['bob']}", "Content-Type": "application/json"}
    answer = await web.client.post(f"/v1/conversations/{group}/messages", content=slow(), headers=headers)
    problem(answer, 401, "not-authenticated")
    assert [await web.state()] == changed


# Methods


async def test_wrong_methods_name_the_right_ones(web: WebHouse) -> None:
    for method, path, allowed in (
        ("PUT", "/v1/me", "GET"),
        ("GET", "/v1/conversations/lobby/messages", "POST"),
        ("POST", "/v1/events", "GET"),
        ("HEAD", "/v1/events", "GET"),
        ("HEAD", "/v1/events/sse", "GET"),
        ("DELETE", "/v1/events/sse", "GET"),
        ("POST", "/docs", "GET"),
        ("TRACE", "/v1/me", "GET"),
    ):
        answer = await web.call("bob", method, path)
        assert allowed in answer.headers["allow"].split(", ")
        if method != "HEAD":
            problem(answer, 405, "method-not-allowed")
        assert answer.status_code == 405


async def test_head_is_get_without_the_body(web: WebHouse) -> None:
    for user, path in (("bob", "/v1/me"), (None, "/health"), (None, "/docs"), (None, "/openapi.json"), (None, "/metrics")):
        get, head = await web.call(user, "GET", path), await web.call(user, "HEAD", path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"]
        assert head.headers["content-type"] == get.headers["content-type"]


async def test_options_names_the_methods(web: WebHouse) -> None:
    for path, method in (("/v1/me", "GET"), ("/v1/events", "GET"), ("/v1/conversations/lobby", "PATCH"), ("/docs", "GET")):
        answer = await web.call("bob", "OPTIONS", path)
        assert (answer.status_code, answer.content) == (204, b"")
        assert method in answer.headers["allow"].split(", ")


async def test_websocket_address_tells_what_it_is_for(web: WebHouse) -> None:
    assert "WebSocket" in problem(await web.call("bob", "GET", "/v1/events/ws"), 400, "invalid")["detail"]


# Answers


async def test_every_answer_has_the_headers_that_keep_browsers_safe(web: WebHouse) -> None:
    answers = [await web.call("bob", method, path) for method, path in await operations(web) if path != "/v1/events/sse"]
    answers += [await web.call(None, "GET", path) for path in ("/", "/docs", "/docs", "/openapi.json", "/nothing", "/v1/me")]
    for answer in answers:
        headers = answer.headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["content-security-policy"].startswith("default-src 'none';")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["cache-control"] in ("no-store", "no-cache")
        assert "access-control-allow-origin" not in headers
        assert "set-cookie" not in headers
        assert "server" not in headers
        assert "strict-transport-security" not in headers


async def test_tls_is_remembered_by_browsers(tmp_path: Path) -> None:
    async with web_house(tmp_path / "db", settings(http={"trusted_proxies": ("192.0.2.7",)})) as web:
        answer = await web.call(None, "GET", "/health", headers={"X-Forwarded-Proto": "https"})
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        own = {"X-Forwarded-Proto": "https", "Origin": "https://chat.example"}
        assert (await web.call(None, "GET", "/health", headers=own)).status_code == 200


async def test_unforeseen_error_is_logged_once_and_tells_nothing(web: WebHouse, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(*args: Any, **more: Any) -> Any:
        raise RuntimeError("secret detail in /etc/hongyan")

    web.home.messaging.conversations.snapshot = broken  # type: ignore[method-assign]
    web.home.messaging.poll = broken  # type: ignore[method-assign]
    for path in ("/v1/snapshot", "/v1/events"):
        caplog.clear()
        with caplog.at_level(logging.ERROR):
            answer = await web.call("bob", "GET", path)
        assert "secret" not in answer.text
        assert "RuntimeError" not in answer.text
        problem(answer, 500, "internal")
        assert [record.exc_info[1].args for record in caplog.records if record.exc_info and record.exc_info[1]] == [
            ("secret detail in /etc/hongyan",)
        ]


async def test_error_of_a_service_keeps_its_code_and_the_time_to_wait(web: WebHouse) -> None:
    async def full(*args: Any, **more: Any) -> Any:
        raise StoreUnavailable("The disk is full; nothing was stored", retry_after=4.2)

    web.home.messaging.sender.send = full  # type: ignore[method-assign]
    answer = await web.send("alice", "lobby", "c1")
    assert problem(answer, 503, "store-unavailable")["retry_after"] == 4.2
    assert answer.headers["retry-after"] == "5"


async def test_request_without_a_user_fails_closed(web: WebHouse) -> None:
    """CVE-2026-48929: a route that is reached without a caller must not run as nobody."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/v1/snapshot",
        "query_string": b"",
        "headers": [],
        "scheme": "http",
        "client": None,
        "root_path": "",
    }
    await web.app._rest(scope, replay(b""), send)
    assert sent[0]["status"] == 500


async def test_health_and_metrics_need_no_token(web: WebHouse) -> None:
    answer = await web.call(None, "GET", "/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    web.health.update(status="down", reasons=["The disk is full"])
    answer = await web.call(None, "GET", "/health")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["The disk is full"])
    metrics = await web.call(None, "GET", "/metrics")
    assert metrics.text == "hongyan_up 1.0\n"
    assert metrics.headers["content-type"].startswith("text/plain; version=")


async def test_answers_are_counted_by_status_and_refusals_by_code(web: WebHouse) -> None:
    await web.call("bob", "GET", "/v1/me")
    await web.call(None, "GET", "/v1/me")
    assert (web.app.answers[200], web.app.answers[401], web.app.refused["not-authenticated"]) == (1, 1, 1)
