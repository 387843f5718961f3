"""Everybody can use it: axe-core finds nothing serious on any screen, in either theme, on a desk and on a phone."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import MakePeople
from tests.browser.visitor import SOON, Visitor
from tests.serving import Server

SCREENS = {
    "/#/": "无障碍",
    "/#/contacts": "全部",
    "/#/channels": "还没有频道",
    "/#/search?q=%E5%A4%A7": "没有找到消息",
    "/#/saved": "还没有收藏的消息",
    "/#/later": "没有定时消息和提醒",
    "/#/threads": "没有关注的话题",
    "/#/settings": "当前设备",
}
"""Each with what comes last: by then it is all there."""

LOOKS: dict[str, dict[str, Any]] = {
    "desk": {},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_screens_have_no_serious_faults(browser: Browser, server: Server, people: MakePeople, theme: str, look: str) -> None:
    ann, bob = people(2)
    group = ann.group("无障碍", bob.id)
    first = bob.send(group, "看得清吗？**粗体** `代码` https://example.org/ @all")["seq"]
    ann.call("POST", f"/v1/conversations/{group}/acts", {"act": {"type": "react", "seq": first, "emoji": "👍"}})
    ann.call(
        "POST",
        f"/v1/conversations/{group}/messages",
        {"client_id": "poll", "content": {"type": "poll", "question": "几点？", "options": ["三点", "四点"]}},
    )
    found: dict[str, list[str]] = {}
    with Visitor(browser, server, None, color_scheme=theme, **LOOKS[look]) as stranger:
        expect(stranger.page.locator("input[autocomplete=username]")).to_be_visible(timeout=SOON)
        found["log-in"] = stranger.serious()
    with Visitor(browser, server, ann, color_scheme=theme, **LOOKS[look]) as one:
        expect(one.page.locator("a.row").first).to_be_visible(timeout=SOON)
        for screen, last in SCREENS.items():
            one.page.goto(server.url + screen)
            expect(one.page.get_by_text(last).locator("visible=true").first).to_be_visible(timeout=SOON)
            expect(one.page.locator(".skeleton")).to_have_count(0, timeout=SOON)
            found[screen] = one.serious()
        one.page.goto(f"{server.url}/#/c/{group}")
        expect(one.box()).to_be_visible(timeout=SOON)
        message = one.page.locator(f'article[data-seq="{first}"]')
        message.hover()
        found["conversation"] = one.serious()
        message.locator(".bubble").click(button="right", position={"x": 3, "y": 3})
        expect(one.page.get_by_role("menu")).to_be_visible(timeout=SOON)
        found["menu of a message"] = one.serious()
        one.page.keyboard.press("Escape")
        one.page.keyboard.press("Control+k")
        expect(one.page.get_by_role("dialog")).to_be_visible(timeout=SOON)
        found["going anywhere"] = one.serious()
    assert {name: faults for name, faults in found.items() if faults} == {}
