"""Conversations, members, messages, history and marks over REST: members, status codes and who may."""

from tests.gateways.web.webhouse import WebHouse, problem

_CONVERSATION = {
    *("id", "kind", "title", "history", "role", "first_seq", "head_seq", "read_seq"),
    *("topic", "writers", "unread", "mentioned", "last", "amended", "member_count", "members", "cursor", "own"),
}


async def test_group_is_made_with_201_and_has_every_member_of_the_protocol(web: WebHouse) -> None:
    body = {"kind": "group", "title": "项目组", "members": ["bob"], "history": "all"}
    answer = await web.call("alice", "POST", "/v1/conversations", body)
    assert answer.status_code == 201
    got = answer.json()
    assert set(got) == _CONVERSATION
    assert (got["kind"], got["title"], got["history"], got["role"], got["member_count"]) == ("group", "项目组", "all", "owner", 2)
    assert got["members"] == [{"id": "alice", "name": "Alice", "role": "owner"}, {"id": "bob", "name": "Bob", "role": "member"}]


async def test_direct_conversation_is_new_with_201_and_found_again_with_200(web: WebHouse) -> None:
    first = await web.call("alice", "POST", "/v1/conversations", {"kind": "direct", "members": ["bob"]})
    again = await web.call("bob", "POST", "/v1/conversations", {"kind": "direct", "members": ["alice"]})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]


async def test_lists_and_snapshot_name_the_cursor_they_are_true_at(web: WebHouse) -> None:
    group = await web.group("alice", "bob")
    listed = (await web.call("bob", "GET", "/v1/conversations")).json()
    snapshot = (await web.call("bob", "GET", "/v1/snapshot")).json()
    assert {one["id"] for one in listed["conversations"]} == {"lobby", group}
    assert listed["cursor"] == snapshot["cursor"] == web.home.messaging.log.cursor()
    assert snapshot["user"] == {"id": "bob", "name": "Bob", "admin": False}
    assert snapshot["conversations"] == listed["conversations"]


async def test_title_and_history_policy_change(web: WebHouse) -> None:
    group = await web.group("alice", "bob")
    changed = await web.call("alice", "PATCH", f"/v1/conversations/{group}", {"title": "新名字"})
    assert (changed.status_code, changed.json()["title"], changed.json()["history"]) == (200, "新名字", "joined")
    changed = await web.call("alice", "PATCH", f"/v1/conversations/{group}", {"history": "all"})
    assert changed.json()["history"] == "all"
    problem(await web.call("bob", "PATCH", f"/v1/conversations/{group}", {"title": "x"}), 403, "forbidden")
    problem(await web.call("alice", "PATCH", f"/v1/conversations/{group}", {}), 400, "invalid")


async def test_members_are_added_given_roles_listed_in_pages_and_removed(web: WebHouse) -> None:
    group = await web.group("alice", "bob")
    path = f"/v1/conversations/{group}/members"
    added = await web.call("bob", "POST", path, {"users": ["carol", "dave"]})
    assert (added.status_code, added.json()["member_count"]) == (200, 4)
    page = (await web.call("bob", "GET", path, params={"limit": 2})).json()
    assert ([one["id"] for one in page["members"]], page["more"]) == (["alice", "bob"], True)
    page = (await web.call("bob", "GET", path, params={"after": "bob", "limit": 2})).json()
    assert ([one["id"] for one in page["members"]], page["more"]) == (["carol", "dave"], False)
    given = await web.call("alice", "PATCH", f"{path}/bob", {"role": "admin"})
    assert {one["id"]: one["role"] for one in given.json()["members"]}["bob"] == "admin"
    problem(await web.call("carol", "DELETE", f"{path}/dave"), 403, "forbidden")
    assert (await web.call("bob", "DELETE", f"{path}/dave")).status_code == 204
    problem(await web.call("dave", "GET", f"/v1/conversations/{group}"), 404, "not-found")
    problem(await web.call("alice", "PATCH", f"{path}/alice", {"role": "member"}), 409, "conflict")
    assert (await web.call("carol", "DELETE", f"{path}/carol")).status_code == 204


async def test_send_answers_201_and_a_retry_gets_the_first_answer(web: WebHouse) -> None:
    group = await web.group("alice", "bob")
    first = await web.send("alice", group, "c-1")
    again = await web.send("alice", group, "c-1", "something else")
    assert (first.status_code, again.status_code) == (201, 201)
    assert set(first.json()) == {"seq", "position", "time"}
    assert first.json() == again.json()
    other = await web.group("alice", "bob")
    problem(await web.send("alice", other, "c-1"), 409, "client-id-reused")


async def test_history_pages_backwards_and_forwards_ascending(web: WebHouse) -> None:
    group = await web.group("alice", "bob")
    for number in range(5):
        await web.send("alice", group, f"c{number}", str(number))
    path = f"/v1/conversations/{group}/events"

    async def page(**query: int) -> tuple[list[int], bool]:
        got = (await web.call("bob", "GET", path, params=query)).json()
        assert set(got) == {"events", "more"}
        return [event["seq"] for event in got["events"]], got["more"]

    assert await page() == ([1, 2, 3, 4, 5, 6], False)
    assert await page(limit=2) == ([5, 6], True)
    assert await page(before=5, limit=2) == ([3, 4], True)
    assert await page(after=4, limit=1) == ([5], True)
    assert await page(after=6) == ([], False)
    event = (await web.call("bob", "GET", path, params={"limit": 1})).json()["events"][0]
    assert set(event) == {"cursor", "conversation", "seq", "type", "sender", "time", "content", "client_id"}
    assert event["content"] == {"type": "text", "text": "4"}


async def test_read_mark_moves_forward_only(web: WebHouse) -> None:
    group = await web.group("alice", "bob")
    sent = (await web.send("alice", group, "c1")).json()["seq"]
    path = f"/v1/conversations/{group}/read"
    assert (await web.call("bob", "POST", path, {"seq": sent})).json() == {"seq": sent}
    assert (await web.call("bob", "POST", path, {"seq": 0})).json() == {"seq": sent}
    problem(await web.call("bob", "POST", path, {"seq": 2**53 - 1}), 400, "invalid")


async def test_typing_and_presence_answer_204(web: WebHouse) -> None:
    group = await web.group("alice", "bob")
    assert (await web.call("bob", "POST", f"/v1/conversations/{group}/typing", {"typing": True})).status_code == 204
    assert (await web.call("bob", "PUT", "/v1/presence", {"status": "away", "text": "午饭"})).status_code == 204


async def test_online_lists_who_polls_with_their_devices(web: WebHouse) -> None:
    await web.call("bob", "GET", "/v1/events")
    users = (await web.call("alice", "GET", "/v1/online")).json()["users"]
    assert [(one["id"], one["name"], one["status"]) for one in users] == [("bob", "Bob", "online")]
    assert [(one["device"], one["transport"]) for one in users[0]["devices"]] == [("laptop", "poll")]


async def test_people_are_found_by_prefix_and_by_id(web: WebHouse) -> None:
    found = (await web.call("alice", "GET", "/v1/users", params={"prefix": "CA", "limit": 5})).json()
    assert found == {"users": [{"id": "carol", "name": "Carol"}]}
    assert len((await web.call("alice", "GET", "/v1/users", params={"limit": 2})).json()["users"]) == 2
    assert (await web.call("alice", "GET", "/v1/users/bob")).json() == {"id": "bob", "name": "Bob", "status_text": None}
    problem(await web.call("alice", "GET", "/v1/users/nobody"), 404, "not-found")
