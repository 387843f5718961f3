"""Pictures of people over REST: setting, showing, removing, who learns of it."""

from io import BytesIO
from typing import Any

from PIL import Image

from tests.gateways.web.webhouse import WebHouse, problem


def picture(shade: int = 90, kind: str = "PNG") -> bytes:
    made = BytesIO()
    Image.new("RGB", (300, 200), (shade, 20, 30)).save(made, kind)
    return made.getvalue()


async def put(web: WebHouse, user: str, file: bytes, kind: str = "image/png") -> str:
    answer = await web.call(user, "PUT", "/v1/me/avatar", file, headers={"Content-Type": kind})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["avatar"])


async def profiles(web: WebHouse) -> list[dict[str, Any]]:
    epoch = web.home.messaging.log.epoch
    await web.home.settled()
    events = (await web.call("carol", "GET", f"/v1/events?after={epoch}.0&limit=1000")).json()["events"]
    return [event["content"] for event in events if event["type"] == "profile"]


async def test_picture_is_everybodys_to_see(web: WebHouse) -> None:
    hash = await put(web, "bob", picture())
    answer = await web.call("carol", "GET", "/v1/users/bob/avatar")
    assert (answer.headers["content-type"], answer.headers["etag"]) == ("image/webp", f'"{hash}"')
    assert answer.headers["cache-control"] == "private, no-cache"
    assert Image.open(BytesIO(answer.content)).size == (256, 256)
    kept = await web.call("carol", "GET", f"/v1/users/bob/avatar?hash={hash}")
    assert kept.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert (await web.call("carol", "GET", "/v1/users/bob/avatar?hash=old")).headers["cache-control"] == "private, no-cache"
    known = await web.call("carol", "GET", "/v1/users/bob/avatar", headers={"If-None-Match": f'"{hash}"'})
    assert (known.status_code, known.content) == (304, b"")
    assert await profiles(web) == [{"id": "bob", "name": "Bob", "avatar": hash}]


async def test_answers_about_people_name_it(web: WebHouse) -> None:
    hash = await put(web, "bob", picture())
    group = await web.group("alice", "bob", "carol")
    assert (await web.call("carol", "GET", "/v1/users/bob")).json()["avatar"] == hash
    assert "avatar" not in (await web.call("carol", "GET", "/v1/users/carol")).json()
    for path in ("/v1/users?prefix=bob", "/v1/search/people?q=bob"):
        assert (await web.call("carol", "GET", path)).json()["users"] == [{"id": "bob", "name": "Bob", "avatar": hash}]
    members = (await web.call("carol", "GET", f"/v1/conversations/{group}/members")).json()["members"]
    listed = (await web.call("carol", "GET", f"/v1/conversations/{group}")).json()["members"]
    assert members == listed
    assert [one.get("avatar") for one in members] == [None, hash, None]


async def test_same_picture_again_is_no_news_and_another_name_keeps_it(web: WebHouse) -> None:
    hash = await put(web, "bob", picture())
    assert await put(web, "bob", picture()) == hash
    await web.home.messaging.people.rename("bob", "Robert", 1)
    other = await put(web, "bob", picture(200, "JPEG"))
    assert other != hash
    assert await profiles(web) == [
        {"id": "bob", "name": "Bob", "avatar": hash},
        {"id": "bob", "name": "Robert", "avatar": hash},
        {"id": "bob", "name": "Robert", "avatar": other},
    ]


async def test_removed_picture_is_gone(web: WebHouse) -> None:
    await put(web, "bob", picture())
    for _ in range(2):
        assert (await web.call("bob", "DELETE", "/v1/me/avatar")).status_code == 204
    problem(await web.call("carol", "GET", "/v1/users/bob/avatar"), 404, "not-found")
    problem(await web.call("carol", "GET", "/v1/users/nobody/avatar"), 404, "not-found")
    assert (await profiles(web))[-1] == {"id": "bob", "name": "Bob"}


async def test_what_is_no_picture_changes_nothing(web: WebHouse) -> None:
    for file in (b"", b"<svg/>", b"GIF89a"):
        problem(await web.call("bob", "PUT", "/v1/me/avatar", file, headers={"Content-Type": "image/png"}), 400, "invalid")
    large = b"\x89PNG" + bytes(524_288)
    problem(await web.call("bob", "PUT", "/v1/me/avatar", large, headers={"Content-Type": "image/png"}), 413, "too-large")
    assert await profiles(web) == []


async def test_embedded_page_sees_those_of_its_members(web: WebHouse) -> None:
    for user in ("alice", "dave"):
        await put(web, user, picture())
    group = await web.group("alice", "bob")
    named = await web.identity.issue(web.identity.check(web.tokens["bob"]), "portal")
    ticket = await web.identity.embedding.ticket(web.identity.check(named.token), group)
    web.tokens["page"] = (await web.identity.embedding.begin(web.identity.check(ticket.token, ticket=True))).token
    assert (await web.call("page", "GET", "/v1/users/alice/avatar")).status_code == 200
    problem(await web.call("page", "GET", "/v1/users/dave/avatar"), 404, "not-found")
