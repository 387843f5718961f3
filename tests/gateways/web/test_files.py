"""Files over HTTP: put once, had by everybody who knows the address, and harmless in a browser."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from hongyan.features.files import File
from tests.gateways.web.webhouse import WebHouse, listening, problem, web_house

ELSEWHERE = {"Origin": "https://elsewhere.example"}


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebHouse]:
    async with web_house(tmp_path / "hongyan.db") as web:
        yield web


async def announce(web: WebHouse, size: int, name: str = "年报 1.pdf", media_type: str = "application/pdf") -> tuple[File, str]:
    caller = web.identity.check(web.tokens["alice"])
    file = await web.files.announce(caller, name, size, media_type)
    return file, f"/files/{file.id}/{quote(file.name)}"


async def put(web: WebHouse, content: bytes, **more: Any) -> str:
    _, path = await announce(web, len(content), **more)
    answer = await web.call(None, "PUT", path, content)
    assert (answer.status_code, answer.content) == (201, b"")
    return path


async def test_it_comes_whole_or_in_part(web: WebHouse) -> None:
    content = random.randbytes(300_000)
    path = await put(web, content)
    whole = await web.call(None, "GET", path)
    assert (whole.status_code, whole.content) == (200, content)
    assert whole.headers["content-disposition"] == "attachment; filename*=utf-8''%E5%B9%B4%E6%8A%A5%201.pdf"
    assert whole.headers["content-type"] == "application/pdf"
    part = await web.call(None, "GET", path, headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, content[1000:2000])
    assert part.headers["content-range"] == "bytes 1000-1999/300000"
    last = await web.call(None, "GET", path, headers={"Range": "bytes=-5", "If-Range": whole.headers["etag"]})
    assert (last.status_code, last.content) == (206, content[-5:])
    beyond = await web.call(None, "GET", path, headers={"Range": "bytes=300000-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */300000")
    head = await web.call(None, "HEAD", path)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "300000")


async def test_browsers_run_nothing_of_it_and_pages_of_any_origin_may_use_it(web: WebHouse) -> None:
    path = await put(web, b"<script>alert(1)</script>", name="x.html", media_type="text/html")
    answer = await web.call(None, "GET", path, headers=ELSEWHERE)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-security-policy"].startswith("sandbox;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    asked = {**ELSEWHERE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    preflight = await web.call(None, "OPTIONS", path, headers=asked)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, "*")
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert "authorization" not in preflight.headers["access-control-allow-headers"].lower()
    assert (await web.call(None, "GET", "/v1/me/files", headers=ELSEWHERE)).status_code == 403


@pytest.mark.parametrize(
    ("method", "change", "status", "code"),
    [
        ("GET", lambda path: path, 404, "not-found"),  # nothing has come yet
        ("PUT", lambda path: path + "x", 404, "not-found"),
        ("PUT", lambda path: path + "/x", 404, "not-found"),
        ("PUT", lambda path: "/files/x", 404, "not-found"),
        ("PUT", lambda path: "/files/" + "a" * 52 + "/1.pdf", 404, "not-found"),
        ("GET", lambda path: "/files/%2e%2e/health", 404, "not-found"),
        ("GET", lambda path: "/files/..%2f..%2fhongyan.db/x", 404, "not-found"),
        ("POST", lambda path: path, 405, "method-not-allowed"),
        ("DELETE", lambda path: path, 405, "method-not-allowed"),
    ],
)
async def test_other_addresses_and_methods(web: WebHouse, method: str, change: Any, status: int, code: str) -> None:
    _, path = await announce(web, 5)
    answer = await web.call(None, method, change(path), b"hello" if method in ("PUT", "POST") else None)
    problem(answer, status, code)


async def test_another_size_and_a_second_time(web: WebHouse) -> None:
    _, path = await announce(web, 5)
    for content, status in ((b"hell", 400), (b"hello!", 413)):
        assert (await web.call(None, "PUT", path, content)).status_code == status
    assert (await web.call(None, "PUT", path, b"hello")).status_code == 201
    again = await web.call(None, "PUT", path, b"other")
    problem(again, 409, "conflict")
    assert (await web.call(None, "GET", path)).content == b"hello"


async def test_its_owner_lists_and_removes_it(web: WebHouse) -> None:
    path = await put(web, b"hello", name="a.txt", media_type="text/plain")
    listed = (await web.call("alice", "GET", "/v1/me/files")).json()
    assert (listed["used"], [(one["name"], one["size"]) for one in listed["files"]]) == (5, [("a.txt", 5)])
    id = listed["files"][0]["id"]
    assert (await web.call("bob", "DELETE", f"/v1/me/files/{id}")).status_code == 404
    assert (await web.call("alice", "DELETE", f"/v1/me/files/{id}")).status_code == 204
    assert (await web.call(None, "GET", path)).status_code == 404


async def test_a_slow_sender_is_waited_for_while_something_comes(web: WebHouse) -> None:
    """On a real socket: the time for a body is counted anew with each piece of a file, and for nothing else."""
    content = b"0123456789"
    _, path = await announce(web, len(content))

    async def slowly(pause: float) -> AsyncIterator[bytes]:
        for at in range(len(content)):
            yield content[at : at + 1]
            await asyncio.sleep(pause)

    headers = {"Content-Length": str(len(content))}
    async with listening(web.app, body=1.0) as (host, port), httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
        answer = await client.put(path, content=slowly(0.3), headers=headers)
        assert answer.status_code == 201
        _, path = await announce(web, len(content))
        with pytest.raises(httpx.TransportError):
            await client.put(path, content=slowly(3.0), headers=headers)
        login = {**headers, "Content-Type": "application/json"}
        with pytest.raises(httpx.TransportError):
            await client.post("/v1/login", content=slowly(0.3), headers=login)
    assert len(list((await web.files.of("alice")).files)) == 1


@pytest.mark.parametrize(
    ("method", "change", "status"), [("PUT", lambda path: path + "x", b"404"), ("GET", lambda path: path, b"200")]
)
async def test_what_nobody_takes_does_not_come_for_ever(web: WebHouse, method: str, change: Any, status: bytes) -> None:
    path = await put(web, b"hello", name="a.txt")
    async with listening(web.app, body=1.0) as (host, port):
        reader, writer = await asyncio.open_connection(host, port)
        head = f"{method} {change(path)} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
        writer.write(head.encode())
        assert (await reader.readline()).split()[1] == status
        over = asyncio.create_task(reader.read())  # until it is closed
        async with asyncio.timeout(6.0):
            while not over.done():
                writer.write(b"x")
                await asyncio.sleep(0.2)
        with contextlib.suppress(ConnectionError):
            await over
        writer.close()
