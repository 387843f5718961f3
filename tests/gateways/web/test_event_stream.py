"""Server-sent events over a socket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.gateways.web.webhouse import WebHouse, listening, problem, settings, web_house


class Stream:
    """What a client sees: (event, id, data)."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def next(self) -> tuple[str, str, Any]:
        event, id, data = "message", "", ""
        async with asyncio.timeout(10):
            async for line in self._lines:
                if not line:
                    return event, id, msgspec.json.decode(data)
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "id":
                    id = value
                elif name == "data":
                    data = value
        raise EOFError

    async def texts(self, count: int) -> list[str]:
        """The texts of the next messages."""
        found: list[str] = []
        while len(found) < count:
            event, _, data = await self.next()
            if event == "message":
                found += [one["content"]["text"] for one in data["events"] if one["type"] == "message"]
        return found


class Site:
    def __init__(self, web: WebHouse, host: str, port: int, client: httpx.AsyncClient) -> None:
        self.web = web
        self.host = host
        self.port = port
        self.client = client

    @contextlib.asynccontextmanager
    async def stream(self, user: str, after: str | None = None, **headers: str) -> AsyncIterator[Stream]:
        headers = {"Authorization": f"Bearer {self.web.tokens[user]}", **headers}
        params = {} if after is None else {"after": after}
        async with self.client.stream("GET", "/v1/events/sse", params=params, headers=headers) as answer:
            yield Stream(answer)

    async def until(self, sessions: int) -> None:
        async with asyncio.timeout(10):
            while len(self.web.home.messaging.sessions) != sessions:
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def site_of(web: WebHouse, drain: float = 20.0) -> AsyncIterator[Site]:
    async with listening(web.app, drain=drain) as (host, port):
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=20) as client:
            yield Site(web, host, port, client)
        await asyncio.sleep(0)


@pytest.fixture
async def site(web: WebHouse) -> AsyncIterator[Site]:
    async with site_of(web) as built:
        yield built


async def test_it_shows_at_once_that_it_stands_with_the_current_cursor(site: Site) -> None:
    async with site.stream("bob") as stream:
        assert stream.answer.status_code == 200
        assert stream.answer.headers["content-type"] == "text/event-stream"
        assert stream.answer.headers["cache-control"] == "no-store"
        assert stream.answer.headers["x-accel-buffering"] == "no"
        assert stream.answer.headers["x-content-type-options"] == "nosniff"
        assert await stream.next() == ("heartbeat", site.web.home.messaging.log.cursor(), {})


async def test_events_come_as_they_happen_with_their_cursor_as_id(site: Site) -> None:
    group = await site.web.group("alice", "bob")
    async with site.stream("bob") as stream:
        await stream.next()
        await site.web.send("alice", group, "c1", "第一")
        event, id, data = await stream.next()
        assert event == "message"
        assert id == data["cursor"]
        assert [one["content"]["text"] for one in data["events"]] == ["第一"]


async def test_last_event_id_wins_over_after(site: Site) -> None:
    group = await site.web.group("alice", "bob")
    cursors = []
    for number in range(3):
        await site.web.send("alice", group, f"c{number}", str(number))
        cursors.append((await site.web.call("bob", "GET", "/v1/events")).json()["cursor"])
    async with site.stream("bob", cursors[0], **{"Last-Event-ID": cursors[1]}) as stream:
        assert await stream.texts(1) == ["2"]
    async with site.stream("bob", cursors[0]) as stream:
        assert await stream.texts(2) == ["1", "2"]


async def test_reader_that_begins_far_behind_gets_everything_in_order(tmp_path: Path) -> None:
    async with web_house(tmp_path / "db", settings(limits={"sends_burst": 10_000, "session_queue": 50})) as web:
        group = await web.group("alice", "bob")
        start = (await web.call("bob", "GET", "/v1/events")).json()["cursor"]
        await asyncio.gather(*[web.home.send("alice", group, str(number)) for number in range(700)])
        async with site_of(web) as site, site.stream("bob", start) as stream:
            first = await stream.texts(700)
            await web.home.send("alice", group, "last")
            assert await stream.texts(1) == ["last"]
    assert first == [str(number) for number in range(700)]


async def test_heartbeat_carries_the_cursor_of_what_was_passed_over(tmp_path: Path) -> None:
    async with web_house(tmp_path / "db", heartbeat=0.05) as web, site_of(web) as site, site.stream("carol") as stream:
        await stream.next()
        group = await web.group("alice", "bob")
        await web.send("alice", group, "c1")
        async with asyncio.timeout(10):
            while True:
                event, id, data = await stream.next()
                assert (event, data) == ("heartbeat", {})
                if id == web.home.messaging.log.cursor():
                    break


async def test_foreign_cursor_is_told_first_and_the_stream_goes_on(site: Site) -> None:
    group = await site.web.group("alice", "bob")
    async with site.stream("bob", "elsewhere.7") as stream:
        event, id, data = await stream.next()
        assert (event, data["limited"], data["reason"], data["events"]) == ("message", True, "epoch", [])
        assert id == data["cursor"] == site.web.home.messaging.log.cursor()
        await site.web.send("alice", group, "c1", "later")
        assert await stream.texts(1) == ["later"]


async def test_signals_come_too(site: Site) -> None:
    group = await site.web.group("alice", "bob")
    async with site.stream("bob") as stream:
        await stream.next()
        await site.web.call("alice", "POST", f"/v1/conversations/{group}/typing", {"typing": True})
        _, _, data = await stream.next()
        assert data["events"] == []
        assert [(one["type"], one["user"]) for one in data["signals"]] == [("typing", "alice")]


async def test_token_that_ends_closes_the_stream_with_a_verdict(site: Site) -> None:
    async with site.stream("bob") as stream:
        await stream.next()
        await site.web.call("bob", "POST", "/v1/logout")
        event, _, verdict = await stream.next()
        assert (event, verdict["do"]) == ("close", "login")
        with pytest.raises(EOFError):
            await stream.next()
    await site.until(0)


async def test_stopping_server_closes_the_stream_with_a_verdict(site: Site) -> None:
    async with site.stream("bob") as stream:
        await stream.next()
        site.web.home.messaging.sessions.stop()
        event, _, verdict = await stream.next()
        assert (event, verdict["do"]) == ("close", "later")
        assert verdict["after"] >= 1


async def test_what_breaks_on_the_way_is_a_verdict_and_no_detail(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    group = await site.web.group("alice", "bob")
    async with site.stream("bob") as stream:
        await stream.next()
        (session,) = site.web.home.messaging.sessions._all.values()

        class Broken:
            def json(self) -> bytes:
                raise RuntimeError("secret detail")

        session.push(Broken())  # type: ignore[arg-type]
        event, _, verdict = await stream.next()
        assert (event, verdict["do"]) == ("close", "later")
        assert "secret" not in str(verdict)
    assert [record.message for record in caplog.records if record.exc_info] == ["an event stream failed"]
    await site.until(0)
    assert (await site.web.send("alice", group, "c1")).status_code == 201


async def test_client_that_hangs_up_frees_its_stream_at_once(site: Site) -> None:
    async with site.stream("bob") as stream:
        await stream.next()
        await site.until(1)
    await site.until(0)
    async with asyncio.timeout(10):
        while [task for task in asyncio.all_tasks() if task.get_name() == "hongyan watch"]:
            await asyncio.sleep(0.005)


async def test_too_many_streams_of_one_user_are_refused_with_a_time_to_return(tmp_path: Path) -> None:
    async with (
        web_house(tmp_path / "db", settings(limits={"connections_per_user": 2})) as web,
        site_of(web) as site,
        site.stream("bob") as first,
        site.stream("bob") as second,
    ):
        await first.next()
        await second.next()
        async with site.stream("bob") as third:
            await third.answer.aread()
            assert problem(third.answer, 503, "overloaded")["retry_after"] > 0
            assert int(third.answer.headers["retry-after"]) >= 1
        async with site.stream("alice") as other:
            assert (await other.next())[0] == "heartbeat"


async def test_reader_that_takes_nothing_is_dropped_and_holds_nobody_up(tmp_path: Path) -> None:
    limits = {"session_queue": 100, "sends_burst": 10_000}
    async with web_house(tmp_path / "db", settings(limits=limits)) as web, site_of(web, drain=0.3) as site:
        group = await web.group("alice", "bob", "carol")
        reader, writer = await asyncio.open_connection(site.host, site.port, limit=1_024)
        writer.write(f"GET /v1/events/sse HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {web.tokens['bob']}\r\n\r\n".encode())
        await site.until(1)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        async with site.stream("carol") as quick:
            await quick.next()
            seen = []
            for number in range(300):
                await web.home.send("alice", group, f"{number} " + "x" * 50_000)
                seen += [text.split(" ")[0] for text in await quick.texts(1)]
            assert seen == [str(number) for number in range(300)]
            await site.until(1)  # bob's session is gone, carol's is there
            assert [session.caller.user for session in web.home.messaging.sessions._all.values()] == ["carol"]
            assert all(len(session.pending) <= 100 for session in web.home.messaging.sessions._all.values())
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        with contextlib.suppress(ConnectionError):
            while await reader.read(65_536):
                pass  # the connection was dropped: it ends
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
