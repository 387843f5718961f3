"""The web client and the page of the description: served from memory, under a strict policy, alone."""

import re
from pathlib import Path

import httpx
import pytest

from tests.gateways.web.webhouse import WebHouse, problem, web_house


async def test_client_is_served_as_it_was_built(web: WebHouse, tmp_path: Path) -> None:
    for path, name, kind in (
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/icon.svg", "icon.svg", "image/svg+xml"),
        ("/sw.js", "sw.js", "text/javascript; charset=utf-8"),
        ("/manifest.webmanifest", "manifest.webmanifest", "application/manifest+json"),
        ("/assets/index-1a2b3c4d.js", "assets/index-1a2b3c4d.js", "text/javascript; charset=utf-8"),
    ):
        answer = await web.call(None, "GET", path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind), path
        assert answer.content == (tmp_path / "client" / name).read_bytes()


async def test_only_names_with_a_hash_are_kept_without_asking(web: WebHouse) -> None:
    asset = await web.call(None, "GET", "/assets/index-1a2b3c4d.js")
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    for path in ("/", "/sw.js", "/manifest.webmanifest", "/icon.svg"):
        assert (await web.call(None, "GET", path)).headers["cache-control"] == "no-cache"
    assert (await web.call(None, "GET", "/sw.js")).headers["service-worker-allowed"] == "/"


async def test_large_files_go_compressed_to_who_takes_it(web: WebHouse, tmp_path: Path) -> None:
    path, body = "/assets/index-1a2b3c4d.js", (tmp_path / "client/assets/index-1a2b3c4d.js").read_bytes()
    packed = await web.call(None, "GET", path, headers={"Accept-Encoding": "br, gzip;q=0.8"})
    assert (packed.headers["content-encoding"], packed.content) == ("gzip", body)
    assert int(packed.headers["content-length"]) < len(body) / 4
    for refusing in ("identity", "gzip;q=0", "br"):
        plain = await web.call(None, "GET", path, headers={"Accept-Encoding": refusing})
        assert ("content-encoding" in plain.headers, plain.content) == (False, body)
        assert plain.headers["etag"] != packed.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    again = await web.call(None, "GET", path, headers={"If-None-Match": packed.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_client_that_is_not_built_says_what_to_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with web_house(tmp_path / "db", client=tmp_path / "nothing") as web:
        answers = [await web.call(None, "GET", "/") for _ in range(2)]
        assert {answer.status_code for answer in answers} == {503}
        assert "make setup" in answers[0].text
        assert (await web.call(None, "GET", "/docs")).status_code == 200
    assert sum("make setup" in record.message for record in caplog.records) == 1


async def test_whatever_the_page_of_the_description_loads_is_served_with_its_type(web: WebHouse) -> None:
    html = (await web.call(None, "GET", "/docs")).text
    named = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert len(named) > 1
    for path in named:
        answer = await web.call(None, "GET", path)
        assert answer.status_code == 200, path
        wanted = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml", "json": "application/json"}
        assert answer.headers["content-type"].startswith(wanted[path.rpartition(".")[2]])


async def test_policy_allows_only_this_server(web: WebHouse) -> None:
    policy = (await web.call(None, "GET", "/")).headers["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["connect-src"] == "'self' ws: wss:"
    assert rules["img-src"] == "'self' data: blob:"
    assert rules["worker-src"] == rules["manifest-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"


async def test_description_page_names_no_other_host_and_has_nothing_inline(web: WebHouse) -> None:
    for path in ("/docs", "/docs/docs.js", "/docs/docs.css"):
        text = (await web.call(None, "GET", path)).text
        assert not re.search(r"(?:https?:)?//[\w-]+\.\w", text)
        assert "innerHTML" not in text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bon\w+=|style=", text)


async def test_known_version_is_not_sent_again(web: WebHouse) -> None:
    first = await web.call(None, "GET", "/docs/docs.js")
    tag = first.headers["etag"]
    for value in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await web.call(None, "GET", "/docs/docs.js", headers={"If-None-Match": value})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert (await web.call(None, "GET", "/docs/docs.js", headers={"If-None-Match": '"other"'})).status_code == 200


async def test_only_files_of_the_pages_are_there(web: WebHouse) -> None:
    docs = ("/docs/nothing.js", "/docs/app.py", "/docs/docs.html", "/static/docs.js", "/docs/.env")
    client = ("/favicon.ico", "/.stamp", "/notes.txt", "/index.html", "/assets/", "/assets/..%2fsw.js", "/client/sw.js")
    for path in (*docs, *client):
        problem(await web.call(None, "GET", path), 404, "not-found")


async def test_many_people_behind_one_address_can_open_the_page(web: WebHouse) -> None:
    async def opened(client: httpx.AsyncClient) -> int:
        return (await client.get("/docs/docs.js")).status_code

    assert {await opened(web.client) for _ in range(1_000)} == {200}
