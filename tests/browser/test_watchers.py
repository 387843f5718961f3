"""Somebody of Prosody asks to see whether a person is online, who answers in the web client."""

import asyncio
import re
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.test_access import LOOKS
from tests.browser.visitor import SOON, Visitor
from tests.gateways.xmpp.client import asks, neighbour
from tests.gateways.xmpp.neighbours import Neighbours, neighbours
from tests.gateways.xmpp.site import DOMAIN
from tests.serving import Person, wait_for


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with neighbours(tmp_path_factory.mktemp("near"), "prosody") as both:
        yield both


def sees(near: Neighbours, who: str, whom: Person) -> None:
    """They come, and are told of somebody of ours who is there."""
    ours = f"{whom.id}@{DOMAIN}"

    async def run() -> None:
        async with neighbour(near, who) as one:
            await one.until(lambda: [said for said in one.presences if said["from"].bare == ours and said["type"] == "available"])

    _apart(run())


def _apart(work: Coroutine[Any, Any, None]) -> None:
    with ThreadPoolExecutor(1) as pool:  # this thread has the loop of the browser
        pool.submit(asyncio.run, work).result()


def person(near: Neighbours) -> Person:
    with ThreadPoolExecutor(1) as pool:
        (found,) = pool.submit(near.site.people, "ann").result()
    return found


def listed(person: Person) -> dict[str, str]:
    return {one["id"]: one["state"] for one in person.call("GET", "/v1/me/watchers")["watchers"]}


def row(one: Visitor, address: str) -> Locator:
    return one.page.locator(".watcher").filter(has=one.page.get_by_text(address, exact=True))


def badge(one: Visitor) -> Locator:
    return one.page.get_by_role("link", name=re.compile("联系人")).locator(".badge")


def test_a_request_is_seen_at_once_allowed_and_taken_back(browser: Browser, near: Neighbours) -> None:
    ann, romeo = person(near), f"romeo@{near.other.domain}"
    with Visitor(browser, near.site.server, ann) as one:
        one.connected()
        expect(badge(one)).to_have_count(0)
        _apart(asks(near, "romeo", ann.id))
        expect(badge(one)).to_contain_text("1 人请求查看您的在线状态", timeout=SOON)
        one.page.keyboard.press("Alt+2")
        row(one, romeo).get_by_role("button", name="允许").click()
        expect(badge(one)).to_have_count(0)
        expect(row(one, romeo)).to_have_count(0)
        wait_for(lambda: listed(ann) == {romeo: "sees"})
        sees(near, "romeo", ann)

        fold = one.page.get_by_role("button", name="能查看您在线状态的外部联系人")
        fold.click()
        stop = row(one, romeo).get_by_role("button", name="不再允许")
        stop.click()
        expect(row(one, romeo)).to_have_count(0)
        one.page.get_by_role("button", name="撤销").click()
        stop.click()
        expect(fold).to_have_count(0)
        wait_for(lambda: listed(ann) == {}, what="the end of the five seconds")


@pytest.mark.parametrize("look", LOOKS)
def test_who_was_away_sees_it_and_answers_by_keyboard(browser: Browser, near: Neighbours, look: str) -> None:
    ann = person(near)
    for who in ("mercutio", "romeo"):
        _apart(asks(near, who, ann.id))
    mercutio, romeo = (f"{who}@{near.other.domain}" for who in ("mercutio", "romeo"))
    wait_for(lambda: len(listed(ann)) == 2)
    with Visitor(browser, near.site.server, ann, path="/#/contacts", **LOOKS[look]) as one:
        expect(badge(one)).to_contain_text("2 人", timeout=SOON)
        expect(row(one, romeo)).to_be_visible()
        assert one.page.evaluate("document.documentElement.scrollWidth") <= one.page.evaluate("innerWidth")
        assert one.serious() == []
        row(one, mercutio).get_by_role("button", name="拒绝").focus()
        one.page.keyboard.press("Enter")
        expect(row(one, romeo).get_by_role("button", name="允许")).to_be_focused()
        one.page.keyboard.press("Enter")
        expect(badge(one)).to_have_count(0)
        wait_for(lambda: listed(ann) == {romeo: "sees"}, what="the end of the five seconds")
        one.page.reload()
        expect(one.page.get_by_role("button", name="能查看您在线状态的外部联系人")).to_be_visible(timeout=SOON)


def test_somebody_of_another_server_is_written_to_by_address(browser: Browser, near: Neighbours) -> None:
    ann, address = person(near), f"mercutio@{near.other.domain}"
    with Visitor(browser, near.site.server, ann) as one:
        one.connected()
        field = one.page.get_by_role("dialog", name="前往").get_by_role("combobox")
        one.page.keyboard.press("Control+k")
        field.fill(address)
        offered = one.page.get_by_role("option", name=address).filter(has_text="给其他服务器上的人写消息")
        expect(offered).to_be_visible()
        offered.click()
        expect(one.page.get_by_role("heading", name=address)).to_be_visible()
        one.say("你好")
        lane = ann.direct(address)
        wait_for(lambda: ann.texts(lane) == ["你好"])
        one.page.keyboard.press("Control+k")
        field.fill(address)
        expect(one.page.get_by_role("option", name=address).first).to_be_visible()  # the conversation
        expect(offered).to_have_count(0)
