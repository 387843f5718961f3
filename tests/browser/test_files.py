"""Files that clients of XMPP have sent, as the web client shows them, and one's own in the settings."""

import re
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Route, expect

from tests.browser.conftest import MakePeople
from tests.browser.files import picture, put, share
from tests.browser.test_access import LOOKS
from tests.browser.visitor import SOON, Visitor
from tests.serving import Person, Server

ELSEWHERE = "https://files.elsewhere.example/u/8f/photo%20of%20us.png"
SIDES = "element => { const {left, right} = element.getBoundingClientRect(); return [left, right]; }"
LOADED = "picture => picture.complete && picture.naturalWidth"


def act(person: Person, lane: str, **act: Any) -> None:
    person.call("POST", f"/v1/conversations/{lane}/acts", {"act": act})


def at(one: Visitor, seq: int) -> Locator:
    return one.page.locator(f'article[data-seq="{seq}"]')


def remove(person: Person, address: str) -> None:
    person.call("DELETE", f"/v1/me/files/{urlsplit(address).path.split('/')[2]}")


def test_files_are_cards_and_own_pictures_are_seen(browser: Browser, server: Server, people: MakePeople) -> None:
    ann, bob = people(2)
    lane = ann.group("新版官网", bob.id)
    photo = share(bob, lane, put(bob, "照片 1.png", picture(), "image/png"))
    report = put(bob, "报告（终稿）.docx", b"report" * 1000)
    card, foreign = share(bob, lane, report), share(bob, lane, ELSEWHERE)
    removed = share(bob, lane, gone := put(bob, "旧图.png", picture()))
    remove(bob, gone)
    ann.call("POST", f"/v1/conversations/{lane}/read", {"seq": removed})
    with Visitor(browser, server, ann, path=None) as one:
        asked: list[str] = []
        one.page.on("request", lambda request: asked.append(request.url))
        one.page.goto(f"{server.url}/#/c/{lane}")
        shown = at(one, photo).locator("img")
        expect(shown).to_have_attribute("alt", "照片 1.png", timeout=SOON)
        one.page.wait_for_function(
            f"alt => [...document.images].some(one => one.alt === alt && ({LOADED})(one))", arg="照片 1.png"
        )
        expect(at(one, foreign)).to_contain_text("photo of us.png")
        expect(at(one, foreign)).to_contain_text("files.elsewhere.example")
        expect(at(one, removed)).to_contain_text("文件已不存在")
        expect(at(one, removed).locator(".bubble a")).to_have_count(0)
        expect(one.page.locator(f'a.row[data-id="{lane}"]')).to_contain_text("[文件] 旧图.png")
        with one.page.expect_download() as download:
            at(one, card).get_by_role("link", name="报告（终稿）.docx 下载", exact=True).click()
        assert download.value.suggested_filename == "报告（终稿）.docx"
        assert download.value.path().read_bytes() == b"report" * 1000

        one.context.grant_permissions(["clipboard-read", "clipboard-write"])
        shown.click(button="right")
        one.page.get_by_role("menu").get_by_text("复制文件链接").click()
        assert one.page.evaluate("navigator.clipboard.readText()").endswith("/%E7%85%A7%E7%89%87%201.png")
        one.page.goto(f"{server.url}/#/search?q=" + urlsplit(report).path.split("/")[2])
        expect(one.page.locator("a.hit")).to_contain_text("[文件] 报告（终稿）.docx", timeout=SOON)
    assert not [url for url in asked if not url.startswith((server.url, "blob:", "data:"))]


def test_what_becomes_of_a_file_message(browser: Browser, server: Server, people: MakePeople) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    report = put(ann, "报告.pdf", b"%PDF")
    edited, recalled, kept = (share(ann, lane, report) for _ in range(3))
    quoting = bob.call(
        "POST",
        f"/v1/conversations/{lane}/messages",
        {"client_id": "quote", "content": {"type": "text", "text": "收到", "reply": kept}},
    )["seq"]
    with Visitor(browser, server, bob) as one:
        one.open(lane)
        expect(at(one, edited).locator(".file")).to_be_visible(timeout=SOON)
        expect(at(one, quoting).locator(".quote")).to_contain_text("[文件] 报告.pdf")
        act(ann, lane, type="edit", seq=edited, text=f"看 {report}")
        expect(at(one, edited).locator(".said a")).to_have_attribute("href", report, timeout=SOON)
        expect(at(one, edited).locator(".file")).to_have_count(0)
        act(ann, lane, type="recall", seq=recalled)
        expect(at(one, recalled).locator(".file")).to_have_count(0, timeout=SOON)
        bob.call("POST", f"/v1/conversations/{lane}/messages", {"client_id": "f", "content": forward(lane, edited, kept)})
        one.page.locator(".bundle").click()
        dialog = one.page.get_by_role("dialog")
        expect(dialog.locator(".file")).to_have_count(1, timeout=SOON)
        expect(dialog).to_contain_text("看 http")


def forward(lane: str, *seqs: int) -> dict[str, Any]:
    return {"type": "forward", "conversation": lane, "seqs": list(seqs)}


def test_own_files_are_listed_and_removed(browser: Browser, server: Server, people: MakePeople) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    old = put(ann, "旧图.png", picture())
    seq = share(ann, lane, old)
    new = put(ann, "a" * 150 + ".pdf", b"x" * 1_048_576)
    with Visitor(browser, server, ann, path=f"/#/c/{lane}") as one:
        expect(at(one, seq).locator("img")).to_be_visible(timeout=SOON)
        one.page.goto(f"{server.url}/#/settings")
        part = one.page.locator("section.part").filter(has=one.page.get_by_role("heading", name="文件", exact=True))
        expect(part.locator("li")).to_have_count(2, timeout=SOON)
        expect(part.locator("li").first).to_contain_text("1 MiB · 刚刚")
        expect(part).to_contain_text(re.compile(r"已用 1(\.\d)? MiB，共 5 GiB"))
        assert part.get_by_role("link").first.get_attribute("href") == new

        one.page.route("**/v1/me/files/*", lambda route: route.abort())
        drop = part.get_by_role("button", name="删除“旧图.png”")
        drop.focus()
        one.page.keyboard.press("Enter")
        one.page.get_by_role("dialog").get_by_role("button", name="取消").click()
        drop.click()
        one.page.get_by_role("dialog").get_by_role("button", name="删除", exact=True).click()
        expect(one.page.get_by_text("连不上服务器")).to_be_visible()
        expect(part.locator("li")).to_have_count(2)
        one.page.unroute("**/v1/me/files/*")
        drop.click()
        one.page.get_by_role("dialog").get_by_role("button", name="删除", exact=True).click()
        expect(part.locator("li")).to_have_count(1)
        expect(part.get_by_role("button")).to_be_focused()
        assert httpx.get(old).status_code == 404
        one.page.goto(f"{server.url}/#/c/{lane}")
        expect(at(one, seq)).to_contain_text("文件已不存在", timeout=SOON)

        remove(ann, new)  # elsewhere
        one.page.goto(f"{server.url}/#/settings")
        expect(part).to_contain_text("还没有文件", timeout=SOON)


def test_files_that_cannot_be_listed_are_asked_for_again(browser: Browser, server: Server, people: MakePeople) -> None:
    (ann,) = people(1)
    put(ann, "报告.pdf", b"%PDF")
    refused: list[Route] = []

    def refuse(route: Route) -> None:
        refused.append(route)
        route.abort() if len(refused) == 1 else route.continue_()

    with Visitor(browser, server, ann, path=None) as one:
        one.page.route("**/v1/me/files", refuse)
        one.page.goto(f"{server.url}/#/settings")
        part = one.page.locator("section.part").filter(has=one.page.get_by_role("heading", name="文件", exact=True))
        part.get_by_role("button", name="重试").click(timeout=SOON)
        expect(part.locator("li")).to_have_count(1)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_them(browser: Browser, server: Server, people: MakePeople, theme: str, look: str) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    long = put(ann, "2026 年第三季度市场分析与预算调整说明" * 3 + ".docx", b"x")
    seqs = [share(ann, lane, address) for address in (long, put(ann, "图.png", picture()), ELSEWHERE)]
    with Visitor(browser, server, ann, path=f"/#/c/{lane}", color_scheme=theme, **LOOKS[look]) as one:
        expect(at(one, seqs[-1])).to_be_visible(timeout=SOON)
        assert one.page.evaluate("document.documentElement.scrollWidth") <= one.page.evaluate("innerWidth")
        for seq in seqs:
            begin, end = at(one, seq).locator(".file").evaluate(SIDES)
            left, right = one.page.locator(".scroller").evaluate(SIDES)
            assert left <= begin < end <= right
        expect(at(one, seqs[0]).get_by_text(".docx", exact=True)).to_be_visible()  # its end is never cut off
        assert one.serious() == []
        one.page.goto(f"{server.url}/#/settings")
        expect(one.page.get_by_role("button", name=re.compile("删除“"))).to_have_count(2, timeout=SOON)
        assert one.page.evaluate("document.documentElement.scrollWidth") <= one.page.evaluate("innerWidth")
        assert one.serious() == []
