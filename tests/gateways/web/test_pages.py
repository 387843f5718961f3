"""The demonstration page and the page of the description: served from memory, under a strict policy, without other hosts."""

import re
from pathlib import Path

import httpx
import pytest

from tests.gateways.web.webhouse import WebHouse, problem

WEB = Path(__file__).resolve().parents[3] / "src" / "hongyan" / "gateways" / "web"


async def test_root_leads_to_the_demonstration_page(web: WebHouse) -> None:
    answer = await web.call(None, "GET", "/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/demo")
    page = await web.call(None, "GET", "/demo")
    assert page.content == (WEB / "static" / "demo.html").read_bytes()
    assert page.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("page", ["/demo", "/docs"])
async def test_whatever_a_page_loads_is_served_with_its_type(web: WebHouse, page: str) -> None:
    html = (await web.call(None, "GET", page)).text
    named = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert len(named) > 1
    for path in named:
        answer = await web.call(None, "GET", path)
        assert answer.status_code == 200, path
        wanted = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml", "json": "application/json"}
        assert answer.headers["content-type"].startswith(wanted[path.rpartition(".")[2]])


async def test_every_module_of_the_page_is_served(web: WebHouse) -> None:
    for file in (WEB / "static").glob("*.js"):
        answer = await web.call(None, "GET", f"/demo/{file.name}")
        assert answer.content == file.read_bytes()
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


async def test_policy_allows_only_this_server(web: WebHouse) -> None:
    policy = (await web.call(None, "GET", "/demo")).headers["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["connect-src"] == "'self' ws: wss:"
    assert rules["img-src"] == "'self' data:"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"


async def test_description_page_names_no_other_host_and_has_nothing_inline(web: WebHouse) -> None:
    for path in ("/docs", "/docs/docs.js", "/docs/docs.css"):
        text = (await web.call(None, "GET", path)).text
        assert not re.search(r"(?:https?:)?//[\w-]+\.\w", text)
        assert "innerHTML" not in text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bon\w+=|style=", text)


async def test_known_version_is_not_sent_again(web: WebHouse) -> None:
    first = await web.call(None, "GET", "/demo/demo.js")
    tag = first.headers["etag"]
    for value in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await web.call(None, "GET", "/demo/demo.js", headers={"If-None-Match": value})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert (await web.call(None, "GET", "/demo/demo.js", headers={"If-None-Match": '"other"'})).status_code == 200


async def test_only_files_of_the_page_are_there(web: WebHouse) -> None:
    for path in ("/demo/nothing.js", "/demo/app.py", "/demo/demo.html", "/static/demo.js", "/demo/.env", "/favicon.ico"):
        problem(await web.call(None, "GET", path), 404, "not-found")


async def test_many_people_behind_one_address_can_open_the_page(web: WebHouse) -> None:
    async def opened(client: httpx.AsyncClient) -> int:
        return (await client.get("/demo/demo.js")).status_code

    assert {await opened(web.client) for _ in range(1_000)} == {200}
