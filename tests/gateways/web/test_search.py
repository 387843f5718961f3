"""Searching over HTTP, as the SDK does it."""

from pathlib import Path

import msgspec

from hongyan.client.search import Found
from tests.gateways.web.webhouse import web_house


async def test_what_was_just_sent_is_found(tmp_path: Path) -> None:
    async with web_house(tmp_path / "data") as web:
        group = await web.group("alice", "bob")
        await web.send("alice", group, "one", "发布会改到周四")
        answer = await web.call("bob", "GET", "/v1/search?q=%E5%8F%91%E5%B8%83&from=alice&order=relevance&limit=5")
        assert answer.status_code == 200, answer.text
        found = msgspec.json.decode(answer.content, type=Found)
        assert (found.complete, found.next, len(found.hits)) == (True, None, 1)
        hit = found.hits[0]
        assert hit.event.text == "发布会改到周四"
        assert [hit.snippet.text[begin:end] for begin, end in hit.snippet.ranges] == ["发布"]
        assert (await web.call(None, "GET", "/v1/search?q=a")).status_code == 401
        for bad in ("", "q=", "q=!!!", "q=a&order=best", "q=a&limit=0", "q=a&page=x", "q=has:cats", "q=%00", "q=%ff"):
            assert (await web.call("bob", "GET", f"/v1/search?{bad}")).status_code == 400, bad


async def test_people_and_conversations(tmp_path: Path) -> None:
    async with web_house(tmp_path / "data") as web:
        group = await web.group("alice", "bob")
        people = (await web.call("bob", "GET", "/v1/search/people?q=lic")).json()
        assert people == {"users": [{"id": "alice", "name": "Alice"}]}
        named = (await web.call("bob", "GET", f"/v1/conversations/{group}")).json()["title"]
        found = (await web.call("bob", "GET", f"/v1/search/conversations?q={named}")).json()
        assert [one["id"] for one in found["conversations"]] == [group]
