"""What the client loads before it shows the list and a conversation: little, and the words beside the scripts, not after them."""

import gzip
import re
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Request, Route, expect

from tests.browser.conftest import MakePeople
from tests.browser.visitor import SOON, Visitor
from tests.serving import Person, Server

MOST = 120_000
SPOKEN = [("zh-CN", "写消息…", "first.zh"), ("en-GB", "Write a message…", "first.en")]


def lane_of(people: MakePeople) -> tuple[Person, str]:
    ann, bob = people(2)
    lane = ann.group("新版官网", bob.id)
    bob.send(lane, "早")
    ann.send(lane, "早，新版官网今天上线")
    return ann, lane


@pytest.mark.parametrize(("locale", "placeholder", "words"), SPOKEN)
def test_what_a_conversation_loads_is_small(
    browser: Browser, server: Server, people: MakePeople, locale: str, placeholder: str, words: str
) -> None:
    ann, lane = lane_of(people)
    with Visitor(browser, server, ann, path=None, locale=locale, service_workers="block") as visitor:
        finished: list[Request] = []
        visitor.page.on("requestfinished", lambda request: finished.append(request))
        visitor.page.goto(f"{server.url}/#/c/{lane}")
        visitor.sees("早，新版官网今天上线")
        expect(visitor.page.get_by_placeholder(placeholder)).to_be_visible()
        expect(visitor.page.locator("a.row")).to_have_count(2, timeout=SOON)  # with the lobby
        visitor.page.wait_for_timeout(1_000)
        weights: dict[str, int] = {}
        for request in finished:
            path = PurePosixPath(urlsplit(request.url).path)
            if path.suffix in (".js", ".css"):
                response = request.response()
                assert response is not None
                weights[path.name] = len(gzip.compress(response.body(), 9))
    assert sum(weights.values()) <= MOST, weights
    assert [name for name in weights if re.match(r"(first|later)\.", name)] == [
        name for name in weights if name.startswith(words)
    ], weights


@pytest.mark.parametrize(("locale", "placeholder", "words"), SPOKEN)
def test_words_are_asked_for_while_the_client_is_still_on_its_way(
    browser: Browser, server: Server, people: MakePeople, locale: str, placeholder: str, words: str
) -> None:
    ann, lane = lane_of(people)
    with Visitor(browser, server, ann, path=None, locale=locale, service_workers="block") as visitor:
        held: list[Route] = []
        visitor.page.route(re.compile(r"/assets/client-[^/]*\.js$"), lambda route: held.append(route))
        with visitor.page.expect_request(re.compile(rf"/assets/{re.escape(words)}-[^/]*\.js$")):
            visitor.page.goto(f"{server.url}/#/c/{lane}", wait_until="commit")
        assert held
        for route in held:
            route.continue_()
        expect(visitor.page.get_by_placeholder(placeholder)).to_be_visible(timeout=SOON)


def test_another_language_is_spoken_without_a_reload(browser: Browser, server: Server, people: MakePeople) -> None:
    ann, lane = lane_of(people)
    with Visitor(browser, server, ann, path="/#/settings") as visitor:
        visitor.page.get_by_text("English", exact=True).click()
        expect(visitor.page.get_by_role("heading", name="Appearance and language")).to_be_visible(timeout=SOON)
        visitor.open(lane)
        expect(visitor.page.get_by_placeholder("Write a message…")).to_be_visible()
