"""Pages that are embedded in other sites: how they begin, what they may do, and everything that they may not."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hongyan.config import Embed
from hongyan.core.errors import Overloaded
from tests.gateways.web.port.plays import open_port
from tests.gateways.web.webhouse import WebHouse, operations, problem, settings, web_house

PORTAL = "https://portal.example"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[WebHouse]:
    """Pages of two sites may show conversations."""
    chosen = msgspec.structs.replace(settings(), embed=Embed(origins=(PORTAL, "http://intranet.example:8080")))
    async with web_house(tmp_path / "db", chosen) as web:
        yield web


async def embedded(web: WebHouse, conversation: str) -> dict[str, Any]:
    """The answer with the ticket."""
    web.tokens["server"] = (await web.call("bob", "POST", "/v1/tokens", {"name": "portal"})).json()["token"]
    answer = await web.call("server", "POST", "/v1/embed", {"conversation": conversation})
    assert answer.status_code == 201, answer.text
    web.tokens["ticket"] = answer.json()["token"]
    began = await web.call("ticket", "POST", "/v1/embed/session")
    assert began.status_code == 201, began.text
    web.tokens["page"] = began.json()["token"]
    assert began.json()["conversation"] == conversation
    return dict(answer.json())


async def test_page_reads_writes_and_reacts(site: WebHouse) -> None:
    group = await site.group("alice", "bob", "carol")
    await embedded(site, group)
    sent = await site.send("alice", group, "1", "你好")
    events = (await site.call("page", "GET", f"/v1/conversations/{group}/events")).json()["events"]
    assert events[-1]["content"]["text"] == "你好"
    assert (await site.send("page", group, "2", "从门户")).status_code == 201
    act = {"act": {"type": "react", "seq": sent.json()["seq"], "emoji": "👍"}}
    assert (await site.call("page", "POST", f"/v1/conversations/{group}/acts", act)).status_code == 201
    assert (await site.call("page", "GET", f"/v1/conversations/{group}")).json()["title"] == "项目组"
    assert (await site.call("page", "GET", f"/v1/conversations/{group}/members")).status_code == 200
    newest = (await site.call("alice", "GET", f"/v1/conversations/{group}/events")).json()["events"]
    assert [event["sender"] for event in newest[-2:]] == ["bob", "bob"]


async def test_everything_else_is_refused(site: WebHouse) -> None:
    group = await site.group("alice", "bob")
    await embedded(site, group)
    await site.send("alice", group, "1")
    one = f"/v1/conversations/{group}"
    allowed = {
        ("GET", "/v1/me"), ("POST", "/v1/logout"), ("POST", "/v1/embed/session"), ("GET", "/v1/events"),
        ("GET", "/v1/events/sse"),
        ("GET", one), ("GET", f"{one}/events"), ("GET", f"{one}/members"), ("POST", f"{one}/messages"), ("POST", f"{one}/acts"),
        ("GET", f"{one}/messages/1"), ("GET", f"{one}/messages/1/thread"), ("GET", "/v1/users/bob/avatar"),
    }  # fmt: skip
    before = await site.state()
    tried = 0
    for method, path in await operations(site):
        here = path.replace("/conversations/lobby", f"/conversations/{group}")
        if (method, here) not in allowed and path not in ("/v1/login", "/health", "/metrics"):
            problem(await site.call("page", method, here, {} if method != "GET" else None), 403, "forbidden")
            tried += 1
        if here != path:
            problem(await site.call("page", method, path, {} if method != "GET" else None), 404, "not-found")
    assert tried > 30
    assert await site.state() == before


@pytest.mark.parametrize(
    "path",
    ["/v1/conversations/{}/", "/v1/conversations//{}", "/v1/conversations/{}%2f..%2flobby", "/v1/conversations/{}/events/x"],
)
async def test_odd_paths_lead_nowhere(site: WebHouse, path: str) -> None:
    group = await site.group("alice", "bob")
    await embedded(site, group)
    answer = await site.call("page", "GET", path.format(group))
    assert answer.status_code in (403, 404)


async def test_nothing_of_other_conversations_is_brought_in(site: WebHouse) -> None:
    group, other = await site.group("alice", "bob"), await site.group("alice", "bob")
    await embedded(site, group)
    seq = (await site.send("alice", other, "1", "秘密")).json()["seq"]
    forward = {"client_id": "f", "content": {"type": "forward", "conversation": other, "seqs": [seq]}}
    problem(await site.call("page", "POST", f"/v1/conversations/{group}/messages", forward), 403, "forbidden")


@pytest.mark.parametrize("act", ["edit", "recall", "pin", "unpin", "vote", "close"])
async def test_messages_are_reacted_to_and_nothing_else(site: WebHouse, act: str) -> None:
    group = await site.group("bob", "alice")
    await embedded(site, group)
    seq = (await site.send("page", group, "1")).json()["seq"]
    more: dict[str, Any] = {"edit": {"text": "x"}, "vote": {"options": [0]}}.get(act, {})
    body = {"type": act, "seq": seq, **more}
    problem(await site.call("page", "POST", f"/v1/conversations/{group}/acts", {"act": body}), 403, "forbidden")


async def test_streams_show_one_conversation(site: WebHouse) -> None:
    group, other = await site.group("alice", "bob"), await site.group("alice", "bob")
    await embedded(site, group)
    begin = (await site.call("page", "GET", "/v1/events")).json()["cursor"]
    waiting = asyncio.create_task(site.call("page", "GET", f"/v1/events?after={begin}&wait=10"))
    await asyncio.sleep(0.05)
    await site.send("alice", other, "1", "秘密")
    await site.call("bob", "POST", "/v1/me/acts", {"act": {"type": "status", "text": "开会"}})
    await site.call("bob", "POST", "/v1/conversations", {"kind": "group", "title": "新的", "members": ["alice"]})
    await site.send("alice", "lobby", "2", "大厅")
    await site.send("alice", group, "3", "门户")
    told = (await waiting).json()["events"]
    assert [event["content"]["text"] for event in told] == ["门户"]
    epoch = begin.partition(".")[0]
    everything = (await site.call("page", "GET", f"/v1/events?after={epoch}.0&limit=1000")).json()
    assert {event["conversation"] for event in everything["events"]} == {group}


async def test_streams_from_the_store_show_one_conversation(tmp_path: Path) -> None:
    async with open_port(tmp_path, ring=2) as port:
        web = port.web
        group, other = await web.group("alice", "bob"), await web.group("alice", "bob")
        named = await web.identity.issue(web.identity.check(web.tokens["bob"]), "portal")
        embedding = web.identity.embedding
        ticket = await embedding.ticket(web.identity.check(named.token), group)
        web.tokens["page"] = (await embedding.begin(web.identity.check(ticket.token, ticket=True))).token
        for number in range(6):
            await web.send("alice", other if number % 2 else group, str(number), str(number))
        epoch = web.home.messaging.log.epoch
        page = await port.raw("page", after=f"{epoch}.0")
        seen: list[dict[str, Any]] = []
        while not any(event["content"].get("text") == "4" for event in seen):
            seen += (await page.hears("events"))["events"]
        assert {event["conversation"] for event in seen} == {group}
        await page.say(
            {"op": "send", "ref": 1, "conversation": other, "client_id": "a", "content": {"type": "text", "text": "x"}}
        )
        assert (await page.hears("error"))["type"] == "urn:hongyan:error:not-found"
        for ref, frame in enumerate(
            (
                {"op": "typing", "conversation": group, "typing": True},
                {"op": "presence", "status": "busy"},
                {"op": "read", "conversation": group, "seq": 1},
                {"op": "own", "act": {"type": "status", "text": "x"}},
            ),
            start=2,
        ):
            await page.say({"ref": ref, **frame})
            assert (await page.hears("error"))["type"] == "urn:hongyan:error:forbidden"
        await page.say(
            {"op": "send", "ref": 9, "conversation": group, "client_id": "b", "content": {"type": "text", "text": "y"}}
        )
        assert (await page.hears("ack"))["ref"] == 9
        assert web.home.messaging.attendance.devices_of("bob") == []


async def test_ticket_is_good_for_nothing_but_beginning_a_page(site: WebHouse) -> None:
    group = await site.group("alice", "bob")
    site.tokens["server"] = (await site.call("bob", "POST", "/v1/tokens", {"name": "portal"})).json()["token"]
    site.tokens["ticket"] = (await site.call("server", "POST", "/v1/embed", {"conversation": group})).json()["token"]
    read = ("/v1/me", f"/v1/conversations/{group}/events", "/v1/events", "/v1/events/sse")
    for method, path in (*(("GET", path) for path in read), ("POST", "/v1/logout")):
        problem(await site.call("ticket", method, path), 401, "not-authenticated")
    problem(await site.send("ticket", group, "1"), 401, "not-authenticated")
    assert (await site.call("ticket", "POST", "/v1/embed/session")).status_code == 201


async def test_one_page_uses_up_nothing_of_its_user_or_of_other_pages(site: WebHouse) -> None:
    group = await site.group("alice", "bob")
    await embedded(site, group)
    first = site.tokens["page"]
    await embedded(site, group)
    site.tokens["other"], site.tokens["page"] = site.tokens["page"], first
    answers = [await site.call("page", "GET", "/v1/me") for _ in range(300)]
    problem(answers[-1], 429, "rate-limited")
    for who in ("other", "bob"):
        assert (await site.call(who, "GET", "/v1/me")).status_code == 200
    sessions = site.home.messaging.sessions
    page = site.identity.check(site.tokens["other"])
    opened = [await sessions.open(page, "websocket", None, lambda: None, lambda verdict: None) for _ in range(3)]
    with pytest.raises(Overloaded, match="embedded page"):
        await sessions.open(page, "websocket", None, lambda: None, lambda verdict: None)
    for session in opened:
        session.close()
    (await sessions.open(page, "websocket", None, lambda: None, lambda verdict: None)).close()


async def test_ticket_begins_one_page(site: WebHouse) -> None:
    group = await site.group("alice", "bob")
    ticket = await embedded(site, group)
    problem(await site.call("ticket", "POST", "/v1/embed/session"), 401, "not-authenticated")
    problem(await site.call("page", "POST", "/v1/embed/session"), 403, "forbidden")
    assert 590_000 < ticket["expires"] - (await _time(site, group)) <= 600_000


async def _time(site: WebHouse, group: str) -> int:
    return int((await site.send("alice", group, "time")).json()["time"])


async def test_only_a_named_token_gets_tickets_and_only_for_its_own_conversations(site: WebHouse) -> None:
    group, foreign = await site.group("alice", "bob"), await site.group("alice", "carol")
    problem(await site.call("bob", "POST", "/v1/embed", {"conversation": group}), 403, "forbidden")
    await embedded(site, group)
    problem(await site.call("server", "POST", "/v1/embed", {"conversation": foreign}), 404, "not-found")
    problem(await site.call("server", "POST", "/v1/embed/session"), 403, "forbidden")


async def test_page_ends_with_the_named_token(site: WebHouse) -> None:
    group = await site.group("alice", "bob")
    await embedded(site, group)
    listed = (await site.call("bob", "GET", "/v1/tokens")).json()["tokens"]
    assert {one["kind"] for one in listed} == {"session", "named", "embedded"}
    (named,) = [one["id"] for one in listed if one["kind"] == "named"]
    assert (await site.call("bob", "DELETE", f"/v1/tokens/{named}")).status_code == 204
    problem(await site.call("page", "GET", "/v1/me"), 401, "not-authenticated")


async def test_many_pages_end_no_log_in(site: WebHouse) -> None:
    group = await site.group("alice", "bob")
    await embedded(site, group)
    for _ in range(110):  # more than one user may have tokens
        assert (await site.call("server", "POST", "/v1/embed", {"conversation": group})).status_code == 201
    assert (await site.call("bob", "GET", "/v1/me")).status_code == 200
    assert (await site.call("bob", "POST", "/v1/tokens", {"name": "another"})).status_code == 201


async def test_administrators_page_is_no_administrator(site: WebHouse) -> None:
    group = await site.group("alice", "bob")
    site.tokens["bob"] = site.tokens["alice"]
    await embedded(site, group)
    assert (await site.call("page", "GET", "/v1/me")).json() | {"token_id": ""} == {
        "id": "alice", "name": "Alice", "admin": False, "device": "embed", "token_id": "",
    }  # fmt: skip


async def test_drafts_are_not_shown_to_the_page(site: WebHouse) -> None:
    group = await site.group("alice", "bob")
    await site.call("bob", "POST", "/v1/me/acts", {"act": {"type": "draft", "conversation": group, "text": "unsagbar"}})
    await embedded(site, group)
    assert "unsagbar" not in (await site.call("page", "GET", f"/v1/conversations/{group}")).text


async def test_only_listed_sites_show_it_in_a_frame(site: WebHouse) -> None:
    page = await site.call(None, "GET", "/embed")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert policy.endswith(f"; frame-ancestors {PORTAL} http://intranet.example:8080")
    assert "x-frame-options" not in page.headers
    for path in ("/", "/docs", "/sw.js", "/v1/me"):
        answer = await site.call(None, "GET", path)
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"


async def test_without_listed_sites_it_is_switched_off(web: WebHouse) -> None:
    page = await web.call(None, "GET", "/embed")
    assert page.headers["content-security-policy"].endswith("frame-ancestors 'none'")
    assert page.headers["x-frame-options"] == "DENY"
    web.tokens["server"] = (await web.call("bob", "POST", "/v1/tokens", {"name": "portal"})).json()["token"]
    problem(await web.call("server", "POST", "/v1/embed", {"conversation": "lobby"}), 404, "not-found")
