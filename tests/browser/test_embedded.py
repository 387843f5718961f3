"""One conversation in a frame of another site."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import MakePeople
from tests.browser.visitor import SOON, Visitor
from tests.serving import Person, Server

ENDED = re.compile("已过期，请刷新页面")

KEPT = """(async () => {
    try {
        return [...Object.keys(localStorage), ...(await indexedDB.databases()).map(({name}) => name)];
    } catch (refused) {
        return refused.name === 'SecurityError' ? [] : [String(refused)];
    }
})()"""
"""A browser may refuse a frame to keep anything at all."""


class Portal(ThreadingHTTPServer):
    """Another site, of one page."""

    page = ""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_port}"

    def frames(self, address: str) -> None:
        self.page = f'<!doctype html><title>Portal</title><iframe src="{address}" width="400" height="600" title="Chat"></iframe>'


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Portal)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.server.page.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def _portal() -> Iterator[Portal]:
    portal = Portal(("127.0.0.1", 0), _Page)
    thread = threading.Thread(target=portal.serve_forever, daemon=True)
    thread.start()
    yield portal
    portal.shutdown()
    portal.server_close()


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    with _portal() as portal:
        yield portal


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, portal: Portal) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("embedded") / "data", EMBED_ORIGINS=portal.url) as server:
        yield server


def ticket(server: Server, person: Person, conversation: str) -> str:
    named = server.client()
    named.headers["Authorization"] = "Bearer " + person.call("POST", "/v1/tokens", {"name": "portal"})["token"]
    return str(named.post("/v1/embed", json={"conversation": conversation}).json()["token"])


def kept(visitor: Visitor) -> list[str]:
    """What the browser holds in the frame, seen from beside the page: its own scripts see a storage that keeps nothing."""
    tools = visitor.context.new_cdp_session(visitor.page.frames[1])
    frame = tools.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = tools.send("Page.createIsolatedWorld", {"frameId": frame})["executionContextId"]
    asked = {"expression": KEPT, "contextId": world, "returnByValue": True, "awaitPromise": True}
    return list(tools.send("Runtime.evaluate", asked)["result"]["value"])


def test_a_listed_site_shows_one_conversation_and_it_is_written_into(
    browser: Browser, server: Server, people: MakePeople, portal: Portal
) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    bob.send(lane, "您好，有什么可以帮您？")
    with Visitor(browser, server, None) as visitor:
        portal.frames(f"{server.url}/embed?theme=dark#ticket={ticket(server, ann, lane)}")
        visitor.page.goto(portal.url)
        frame = visitor.page.frame_locator("iframe")
        expect(frame.get_by_text("您好，有什么可以帮您？")).to_be_visible(timeout=SOON)
        expect(frame.locator("html")).to_have_attribute("data-theme", "dark")
        expect(frame.locator("nav, a.row")).to_have_count(0)
        expect(frame.locator("header button")).to_have_count(1)  # the face: nothing that leads out
        box = frame.locator(".composer textarea")
        box.fill("想问一下发票")
        box.press("Enter")
        expect(frame.locator("article[data-seq]").get_by_text("想问一下发票", exact=True)).to_be_visible(timeout=SOON)
        bob.send(lane, "请稍等")
        expect(frame.get_by_text("请稍等")).to_be_visible(timeout=SOON)
        assert bob.texts(lane) == ["您好，有什么可以帮您？", "想问一下发票", "请稍等"]
        assert kept(visitor) == []


def test_a_ticket_may_come_from_the_page_around_and_is_good_once(
    browser: Browser, server: Server, people: MakePeople, portal: Portal
) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    bob.send(lane, "在")
    one = ticket(server, ann, lane)
    with Visitor(browser, server, None) as visitor:
        portal.frames(f"{server.url}/embed?language=zh")
        visitor.page.goto(portal.url)
        frame = visitor.page.frame_locator("iframe")
        expect(frame.get_by_text("登录已过期，请刷新页面")).to_be_visible(timeout=SOON)
        say = "ticket => frames[0].postMessage({type: 'hongyan.ticket', ticket}, '*')"
        visitor.page.evaluate(say, one)
        expect(frame.get_by_text("在", exact=True)).to_be_visible(timeout=SOON)
        portal.frames(f"{server.url}/embed#ticket={one}")
        visitor.page.reload()
        expect(frame.get_by_text(ENDED)).to_be_visible(timeout=SOON)


def test_it_goes_on_when_the_server_has_been_away(browser: Browser, server: Server, people: MakePeople, portal: Portal) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    bob.send(lane, "在")
    with Visitor(browser, server, None) as visitor:
        portal.frames(f"{server.url}/embed#ticket={ticket(server, ann, lane)}")
        visitor.page.goto(portal.url)
        frame = visitor.page.frame_locator("iframe")
        expect(frame.get_by_text("在", exact=True)).to_be_visible(timeout=SOON)
        server.kill()
        try:
            box = frame.locator(".composer textarea")
            box.fill("还在吗")
            box.press("Enter")
        finally:
            server.start()
        expect(frame.locator("article[data-seq]").get_by_text("还在吗", exact=True)).to_be_visible(timeout=SOON)
        bob.send(lane, "还在")
        expect(frame.get_by_text("还在", exact=True)).to_be_visible(timeout=SOON)
    assert bob.texts(lane) == ["在", "还在吗", "还在"]


def test_a_site_that_is_not_listed_shows_nothing(browser: Browser, server: Server, people: MakePeople) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    bob.send(lane, "不给别人看")
    with _portal() as other, Visitor(browser, server, None) as visitor:
        other.frames(f"{server.url}/embed#ticket={ticket(server, ann, lane)}")
        said: list[str] = []
        visitor.page.on("console", lambda message: said.append(message.text))
        visitor.page.goto(other.url)
        visitor.page.wait_for_timeout(1_000)
        assert any("frame-ancestors" in text for text in said)
        expect(visitor.page.frame_locator("iframe").get_by_text("不给别人看")).to_have_count(0)
        visitor.faults.clear()  # the refusal is one
