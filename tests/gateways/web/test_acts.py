"""Acts by REST and by WebSocket: the same rights, the same answers, the same refusals."""

from pathlib import Path
from typing import Any

import pytest

from tests.gateways.web.port.plays import Port, open_port
from tests.gateways.web.webhouse import WebHouse, problem

POLL = {"type": "poll", "question": "吃什么？", "options": ["米饭", "面条"]}
WHO = {"stranger": "dave", "former": "carol", "member": "bob", "author": "erin", "admin": "frank", "owner": "alice"}
ACTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "edit": ({"text": "改"}, {"author"}),
    "recall": ({}, {"author", "admin", "owner"}),
    "react": ({"emoji": "👍"}, {"member", "author", "admin", "owner"}),
    "pin": ({}, {"member", "author", "admin", "owner"}),
    "vote": ({"options": [0]}, {"member", "author", "admin", "owner"}),
    "close": ({}, {"author", "admin", "owner"}),
}


async def write(web: WebHouse, user: str, group: str, client_id: str, content: dict[str, Any]) -> int:
    body = {"client_id": client_id, "content": content}
    answer = await web.call(user, "POST", f"/v1/conversations/{group}/messages", body)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["seq"])


async def by_rest(port: Port, user: str, group: str, act: dict[str, Any]) -> str:
    answer = await port.web.call(user, "POST", f"/v1/conversations/{group}/acts", {"act": act})
    return "ok" if answer.status_code == 201 else str(answer.json()["type"])


async def by_websocket(port: Port, user: str, group: str, act: dict[str, Any]) -> str:
    raw = await port.raw(user)
    await raw.say({"op": "act", "ref": 3, "conversation": group, "act": act})
    heard = await raw.hears_one_of("ack", "error", ref=3)
    return "ok" if heard["op"] == "ack" else str(heard["type"])


@pytest.mark.parametrize("door", [by_rest, by_websocket])
@pytest.mark.parametrize("deed", ACTS)
async def test_rights_are_the_same_through_both_doors(tmp_path: Path, deed: str, door: Any) -> None:
    more, may = ACTS[deed]
    async with open_port(tmp_path) as port:
        web = port.web
        for name in ("erin", "frank"):
            await web.identity.add(name, "correct horse 42")
            web.tokens[name] = (await web.identity.login(name, "correct horse 42", "laptop", "192.0.2.1")).token
        await web.home.settled()
        group = await web.group("alice", "bob", "carol", "erin", "frank", history="all")
        members = f"/v1/conversations/{group}/members"
        assert (await web.call("alice", "PATCH", f"{members}/frank", {"role": "admin"})).status_code == 200
        for number, (who, user) in enumerate(WHO.items()):
            content = POLL if deed in ("vote", "close") else {"type": "text", "text": "说"}
            seq = await write(web, "erin", group, f"c{number}", content)
            if who == "former":
                assert (await web.call("alice", "DELETE", f"{members}/{user}")).status_code == 204
            before = await web.state()
            outcome = await door(port, user, group, {"type": deed, "seq": seq, **more})
            if who in may:
                assert outcome == "ok", who
            else:
                expected = "not-found" if who in ("stranger", "former") else "forbidden"
                assert outcome == f"urn:hongyan:error:{expected}", who
                assert await web.state() == before


async def test_a_page_says_what_was_done_to_its_messages(web: WebHouse) -> None:
    group = await web.group("alice", "bob")
    one = await write(web, "alice", group, "c1", {"type": "text", "text": "一"})
    two = await write(web, "alice", group, "c2", {"type": "text", "text": "二"})
    acts = f"/v1/conversations/{group}/acts"
    first = await web.call("alice", "POST", acts, {"act": {"type": "edit", "seq": one, "text": "壹"}, "client_id": "e"})
    again = await web.call("alice", "POST", acts, {"act": {"type": "edit", "seq": one, "text": "壹"}, "client_id": "e"})
    assert first.status_code == 201
    assert first.json() == again.json()
    assert (await web.call("bob", "POST", acts, {"act": {"type": "react", "seq": two, "emoji": "👍"}})).status_code == 201
    page = (await web.call("bob", "GET", f"/v1/conversations/{group}/events")).json()
    states = {state["seq"]: state for state in page["amended"]}
    assert (states[one]["text"], states[one]["edits"]) == ("壹", 1)
    assert states[two]["reactions"] == {"👍": {"count": 1, "mine": True}}
    view = (await web.call("alice", "GET", f"/v1/conversations/{group}")).json()
    assert view["amended"]["reactions"] == {"👍": {"count": 1}}


async def test_one_message_its_texts_its_thread_and_who_has_done_what(web: WebHouse) -> None:
    group = await web.group("alice", "bob")
    seq = await write(web, "alice", group, "c1", {"type": "text", "text": "一"})
    here = f"/v1/conversations/{group}/messages/{seq}"
    acts = f"/v1/conversations/{group}/acts"
    await web.call("alice", "POST", acts, {"act": {"type": "edit", "seq": seq, "text": "壹"}})
    await web.call("bob", "POST", acts, {"act": {"type": "react", "seq": seq, "emoji": "🎉"}})
    await web.call("bob", "POST", acts, {"act": {"type": "pin", "seq": seq}})
    reply = await write(web, "bob", group, "c2", {"type": "text", "text": "线", "thread": seq})
    await web.call("bob", "POST", f"/v1/conversations/{group}/read", {"seq": reply})

    async def got(path: str, **query: str) -> Any:
        answer = await web.call("alice", "GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert [event["content"]["text"] for event in (await got(here))["events"]] == ["一"]
    assert [event["content"]["text"] for event in (await got(f"{here}/edits"))["events"]] == ["一", "壹"]
    assert [event["seq"] for event in (await got(f"{here}/thread"))["events"]] == [reply]
    assert [event["seq"] for event in (await got(f"/v1/conversations/{group}/pins"))["events"]] == [seq]
    assert (await got(f"{here}/responses", value="🎉"))["users"] == [{"id": "bob", "name": "Bob"}]
    assert (await got(f"{here}/readers"))["users"] == [{"id": "bob", "name": "Bob"}]
    assert (await got(f"{here}/readers", have="false"))["users"] == []
    problem(await web.call("alice", "GET", f"{here}/recalled"), 404, "not-found")
    await web.call("alice", "POST", acts, {"act": {"type": "recall", "seq": seq}})
    assert (await got(f"{here}/recalled"))["text"] == "壹"
    assert (await got(here))["events"][0]["content"] == {"type": "recalled"}
    for path in (here, f"{here}/edits", f"{here}/thread", f"{here}/readers", f"{here}/recalled"):
        problem(await web.call("dave", "GET", path), 404, "not-found")


async def test_read_marks_of_all_members_are_asked_for_at_once(web: WebHouse) -> None:
    group = await web.group("alice", "bob")
    path = f"/v1/conversations/{group}/read"
    seq = await write(web, "alice", group, "c1", {"type": "text", "text": "一"})
    before = (await web.call("alice", "GET", path)).json()["marks"]
    await web.call("bob", "POST", path, {"seq": seq})
    after = (await web.call("alice", "GET", path)).json()["marks"]
    assert {one["user"]: one["seq"] for one in after} == {one["user"]: one["seq"] for one in before} | {"bob": seq}
    assert all(0 < one["first_seq"] <= seq for one in after)
    problem(await web.call("dave", "GET", path), 404, "not-found")


@pytest.mark.parametrize(
    "act",
    [
        {"type": "react", "seq": 2, "emoji": "<script>"},
        {"type": "react", "seq": 0, "emoji": "👍"},
        {"type": "react", "seq": 2**53, "emoji": "👍"},
        {"type": "react", "emoji": "👍"},
        {"type": "vote", "seq": 2, "options": [0, 0]},
        {"type": "vote", "seq": 2, "options": [-1]},
        {"type": "edit", "seq": 2, "text": " "},
        {"type": "edit", "seq": 2, "text": "a\0b"},
        {"type": "nothing", "seq": 2},
        {},
    ],
)
async def test_an_act_that_makes_no_sense_is_invalid_and_changes_nothing(web: WebHouse, act: dict[str, Any]) -> None:
    group = await web.group("alice", "bob")
    await write(web, "alice", group, "c1", {"type": "text", "text": "一"})
    before = await web.state()
    problem(await web.call("alice", "POST", f"/v1/conversations/{group}/acts", {"act": act}), 400, "invalid")
    assert await web.state() == before


async def test_channels_by_rest(web: WebHouse) -> None:
    made = await web.call("alice", "POST", "/v1/conversations", {"kind": "channel", "title": "公告", "writers": "admins"})
    assert made.status_code == 201, made.text
    channel = made.json()["id"]
    [listed] = (await web.call("bob", "GET", "/v1/channels", params={"q": "公"})).json()["channels"]
    assert (listed["id"], listed["joined"], listed["writers"]) == (channel, False, "admins")
    joined = await web.call("bob", "POST", f"/v1/conversations/{channel}/join")
    assert (joined.status_code, joined.json()["role"]) == (200, "member")
    problem(await web.send("bob", channel, "c1"), 403, "forbidden")
    changed = await web.call("alice", "PATCH", f"/v1/conversations/{channel}", {"writers": "nobody", "topic": "旧"})
    assert (changed.json()["writers"], changed.json()["topic"]) == ("nobody", "旧")
    problem(await web.call("carol", "POST", f"/v1/conversations/{channel}/join"), 409, "conflict")
    problem(await web.call("carol", "POST", "/v1/conversations/nothing/join"), 404, "not-found")
