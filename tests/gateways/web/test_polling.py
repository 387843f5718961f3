"""Short and long poll, over a socket where connections matter."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.gateways.web.webhouse import WebHouse, listening, problem


@pytest.fixture
async def http(web: WebHouse) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        listening(web.app) as (host, port),
        httpx.AsyncClient(base_url=f"http://{host}:{port}", headers={"Authorization": f"Bearer {web.tokens['bob']}"}) as client,
    ):
        yield client


async def until(web: WebHouse, sessions: int) -> None:
    async with asyncio.timeout(10):
        while len(web.home.messaging.sessions) != sessions:
            await asyncio.sleep(0.005)


async def test_poll_without_a_cursor_begins_now_and_goes_on_from_its_cursor(web: WebHouse) -> None:
    group = await web.group("alice", "bob")
    first = (await web.call("bob", "GET", "/v1/events")).json()
    assert first == {"events": [], "cursor": web.home.messaging.log.cursor(), "more": False}
    for number in range(3):
        await web.send("alice", group, f"c{number}", str(number))
    page = (await web.call("bob", "GET", "/v1/events", params={"after": first["cursor"], "limit": 2})).json()
    assert ([event["content"]["text"] for event in page["events"]], page["more"]) == (["0", "1"], True)
    assert page["cursor"] == page["events"][-1]["cursor"]
    page = (await web.call("bob", "GET", "/v1/events", params={"after": page["cursor"], "limit": 2})).json()
    assert ([event["content"]["text"] for event in page["events"]], page["more"]) == (["2"], False)


async def test_poll_shows_only_what_the_caller_may_see(web: WebHouse) -> None:
    cursor = (await web.call("carol", "GET", "/v1/events")).json()["cursor"]
    group = await web.group("alice", "bob")
    await web.send("alice", group, "c1")
    assert (await web.call("carol", "GET", "/v1/events", params={"after": cursor})).json()["events"] == []


async def test_cursor_of_another_history_is_answered_with_limited(web: WebHouse) -> None:
    for cursor, reason in (("elsewhere.5", "epoch"), (web.home.store.epoch + ".99999", "ahead")):
        got = (await web.call("bob", "GET", "/v1/events", params={"after": cursor})).json()
        here = web.home.messaging.log.cursor()
        assert got == {"events": [], "cursor": here, "more": False, "limited": True, "reason": reason}


async def test_long_poll_answers_as_soon_as_there_is_something(web: WebHouse, http: httpx.AsyncClient) -> None:
    group = await web.group("alice", "bob")
    cursor = (await http.get("/v1/events")).json()["cursor"]
    waiting = asyncio.create_task(http.get("/v1/events", params={"after": cursor, "wait": 50}))
    await until(web, 1)
    await web.send("alice", group, "c1", "now")
    got = (await waiting).json()
    assert [event["content"]["text"] for event in got["events"]] == ["now"]
    await until(web, 0)


async def test_long_poll_is_empty_when_the_time_is_over(web: WebHouse) -> None:
    cursor = (await web.call("bob", "GET", "/v1/events")).json()["cursor"]
    got = (await web.call("bob", "GET", "/v1/events", params={"after": cursor, "wait": 0.05})).json()
    assert (got["events"], got["cursor"]) == ([], cursor)


async def test_long_poll_carries_signals(web: WebHouse, http: httpx.AsyncClient) -> None:
    group = await web.group("alice", "bob")
    waiting = asyncio.create_task(http.get("/v1/events", params={"wait": 50}))
    await until(web, 1)
    while not waiting.done():  # the session is counted before it is in its lanes
        await web.call("alice", "POST", f"/v1/conversations/{group}/typing", {"typing": True})
        await asyncio.wait([waiting], timeout=0.1)
    signals = (await waiting).json()["signals"]
    assert [(one["type"], one["conversation"], one["user"]) for one in signals] == [("typing", group, "alice")]


async def test_client_that_hangs_up_frees_its_long_poll_at_once(web: WebHouse, http: httpx.AsyncClient) -> None:
    waiting = asyncio.create_task(http.get("/v1/events", params={"wait": 50}))
    await until(web, 1)
    before = {task for task in asyncio.all_tasks() if task.get_name() == "hongyan watch"}
    assert len(before) == 1
    waiting.cancel()
    await asyncio.wait([waiting])
    await until(web, 0)
    await asyncio.wait(before, timeout=10)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "hongyan watch"]


async def test_connection_is_kept_for_the_next_request(web: WebHouse) -> None:
    request = f"GET /v1/events?wait=0.02 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {web.tokens['bob']}\r\n\r\n".encode()
    async with listening(web.app) as (host, port):
        reader, writer = await asyncio.open_connection(host, port)
        for _ in range(3):
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 200")
            length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
        writer.write(request + request)  # the second is there before the first is answered
        for _ in range(2):
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))
        writer.close()
        await writer.wait_closed()


async def test_token_that_ends_ends_its_long_poll(web: WebHouse, http: httpx.AsyncClient) -> None:
    waiting = asyncio.create_task(http.get("/v1/events", params={"wait": 50}))
    await until(web, 1)
    await web.identity.disable("bob")
    problem(await waiting, 401, "not-authenticated")


async def test_stopping_server_tells_when_to_return(web: WebHouse, http: httpx.AsyncClient) -> None:
    waiting = asyncio.create_task(http.get("/v1/events", params={"wait": 50}))
    await until(web, 1)
    web.home.messaging.sessions.stop()
    answer = await waiting
    assert problem(answer, 503, "overloaded")["retry_after"] >= 1
    assert int(answer.headers["retry-after"]) >= 1


async def test_too_large_body_is_refused_and_the_connection_goes_on(web: WebHouse, http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/conversations", content=b"x" * 3_000_000, headers={"Content-Type": "application/json"})
    problem(answer, 413, "too-large")
    assert (await http.get("/v1/me")).status_code == 200


async def test_body_that_waits_for_a_permission_gets_the_refusal_instead(web: WebHouse) -> None:
    request = (
        "POST /v1/conversations HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
        f"Content-Length: 99999999\r\nAuthorization: Bearer {web.tokens['bob']}\r\n\r\n"
    )
    async with listening(web.app) as (host, port):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(request.encode())
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 413")
        assert b"connection: close" in answer
        writer.close()
        await writer.wait_closed()


async def test_answer_stays_small_when_events_are_large(web: WebHouse) -> None:
    group = await web.group("alice", "bob")
    cursor = (await web.call("bob", "GET", "/v1/events")).json()["cursor"]
    for number in range(30):
        await web.send("alice", group, f"c{number}", "x" * 60_000)
    seen = []
    more = True
    while more:
        answer = await web.call("bob", "GET", "/v1/events", params={"after": cursor, "limit": 1_000})
        assert len(answer.content) < 1_200_000
        got = answer.json()
        seen += [event["client_id"] for event in got["events"]]
        cursor, more = got["cursor"], got["more"]
    assert seen == [f"c{number}" for number in range(30)]
    page = await web.call("bob", "GET", f"/v1/conversations/{group}/events", params={"limit": 1_000})
    assert len(page.content) < 1_200_000
    assert page.json()["more"]
    assert page.json()["events"][-1]["client_id"] == "c29"
