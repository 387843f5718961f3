"""What belongs to the caller alone, by REST and by WebSocket: the same rights, the same refusals; its lists; timers."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.gateways.web.port.plays import Port, open_port
from tests.gateways.web.webhouse import WebHouse, problem

WHO = {"stranger": "dave", "former": "carol", "member": "bob"}
DEEDS: dict[str, dict[str, Any]] = {
    "draft": {"text": "写"},
    "bookmark": {"note": "看"},
    "unbookmark": {},
    "hide": {},
    "unhide": {},
    "unread": {},
    "notify": {"level": "mentions"},
    "arrange": {"pinned": True, "place": 0},
    "follow": {},
    "unfollow": {},
}


async def by_rest(port: Port, user: str, act: dict[str, Any]) -> str:
    answer = await port.web.call(user, "POST", "/v1/me/acts", {"act": act})
    return "ok" if answer.status_code == 201 and answer.json()["position"] > 0 else str(answer.json()["type"])


async def by_websocket(port: Port, user: str, act: dict[str, Any]) -> str:
    raw = await port.raw(user)
    await raw.say({"op": "own", "ref": 3, "act": act})
    heard = await raw.hears_one_of("ack", "error", ref=3)
    return "ok" if heard["op"] == "ack" and heard["position"] > 0 else str(heard["type"])


@pytest.mark.parametrize("door", [by_rest, by_websocket])
async def test_rights_are_the_same_through_both_doors(tmp_path: Path, door: Any) -> None:
    async with open_port(tmp_path) as port:
        web = port.web
        group = await web.group("alice", "bob", "carol", history="all")
        seq = (await web.send("alice", group, "c1")).json()["seq"]
        assert (await web.call("alice", "DELETE", f"/v1/conversations/{group}/members/carol")).status_code == 204
        for who, user in WHO.items():
            for deed, more in DEEDS.items():
                named = {"seqs": [seq]} if deed in ("hide", "unhide") else {"seq": seq}
                if deed in ("draft", "notify", "arrange"):
                    named = {}
                before = await web.state()
                outcome = await door(port, user, {"type": deed, "conversation": group, **named, **more})
                assert outcome == ("ok" if who == "member" else "urn:hongyan:error:not-found"), (who, deed)
                assert who == "member" or await web.state() == before
        for wrong in ({"type": "poem"}, {"type": "draft"}, {"type": "notify", "conversation": group, "level": "loud"}):
            assert await door(port, "bob", wrong) == "urn:hongyan:error:invalid"


async def test_conversations_and_snapshot_carry_it(web: WebHouse) -> None:
    group = await web.group("alice", "bob")
    for act in (
        {"type": "draft", "conversation": group, "text": "写到一半"},
        {"type": "arrange", "conversation": group, "pinned": True, "place": 4},
        {"type": "preferences", "preferences": {"keywords": ["上线"]}},
        {"type": "status", "text": "开会", "emoji": "📅"},
    ):
        assert (await web.call("bob", "POST", "/v1/me/acts", {"act": act})).status_code == 201
    own = (await web.call("bob", "GET", f"/v1/conversations/{group}")).json()["own"]
    assert (own["drafts"][0]["text"], own["pinned"], own["place"]) == ("写到一半", True, 4)
    assert set(own) == {"drafts", "pinned", "place"}
    assert (await web.call("alice", "GET", f"/v1/conversations/{group}")).json()["own"] == {}
    whole = (await web.call("bob", "GET", "/v1/snapshot")).json()
    assert whole["preferences"] == {"keywords": ["上线"]}
    assert whole["status_text"] == {"text": "开会", "emoji": "📅"}
    assert (await web.call("bob", "GET", "/v1/me/preferences")).json() == {"keywords": ["上线"]}
    await web.home.settled()
    assert (await web.call("alice", "GET", "/v1/users/bob")).json()["status_text"]["text"] == "开会"


async def test_bookmarks_and_threads_are_listed(web: WebHouse) -> None:
    group = await web.group("alice", "bob")
    seq = (await web.send("alice", group, "c1", "要紧")).json()["seq"]
    for kind in ("bookmark", "follow"):
        act = {"type": kind, "conversation": group, "seq": seq}
        assert (await web.call("bob", "POST", "/v1/me/acts", {"act": act})).status_code == 201
    [marked] = (await web.call("bob", "GET", "/v1/me/bookmarks")).json()["bookmarks"]
    assert (marked["seq"], marked["message"]["content"]["text"]) == (seq, "要紧")
    [followed] = (await web.call("bob", "GET", "/v1/me/threads")).json()["threads"]
    assert (followed["seq"], followed["read_seq"]) == (seq, 0)
    problem(await web.call("bob", "GET", "/v1/me/bookmarks", params={"limit": 0}), 400, "invalid")


async def test_timers_are_made_listed_changed_and_cancelled(web: WebHouse) -> None:
    group = await web.group("alice", "bob")
    due = int(time.time() * 1000) + 3_600_000
    body = {"kind": "send", "conversation": group, "content": {"type": "text", "text": "晚安"}, "due": due, "client_id": "t1"}
    made = await web.call("alice", "POST", "/v1/me/timers", body)
    assert made.status_code == 201
    assert (await web.call("alice", "POST", "/v1/me/timers", body)).json() == made.json()
    place = f"/v1/me/timers/{made.json()['id']}"
    changed = (await web.call("alice", "PATCH", place, {"due": due + 1, "content": {"type": "text", "text": "早安"}})).json()
    assert (changed["due"], changed["content"]["text"]) == (due + 1, "早安")
    assert (await web.call("alice", "GET", "/v1/me/timers")).json()["timers"] == [changed]
    assert (await web.call("bob", "GET", "/v1/me/timers")).json()["timers"] == []
    problem(await web.call("bob", "DELETE", place), 404, "not-found")
    problem(await web.call("alice", "PATCH", place, {}), 400, "invalid")
    problem(await web.call("dave", "POST", "/v1/me/timers", body), 404, "not-found")
    assert (await web.call("alice", "DELETE", place)).status_code == 204
    problem(await web.call("alice", "DELETE", place), 404, "not-found")
