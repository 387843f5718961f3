"""How the demonstration page behaves under hand, eye and keyboard: the promises of the design that can be measured."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.gateways.web.demo_person import CHEN, LIN, Visitor, browser, enrol, lin_account, pair, server
from tests.serving import PASSWORD, Server

__all__ = ["browser", "lin_account", "pair", "server"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

Pair = tuple[Visitor, Visitor]


def test_enter_that_ends_a_composition_does_not_send(pair: Pair) -> None:
    lin, _ = pair
    box = lin.page.locator(".composer textarea")
    box.focus()
    keyboard = lin.page.context.new_cdp_session(lin.page)
    keyboard.send("Input.imeSetComposition", {"text": "nihao", "selectionStart": 5, "selectionEnd": 5})
    enter: dict[str, Any] = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    for kind in ("rawKeyDown", "keyUp"):
        keyboard.send("Input.dispatchKeyEvent", {"type": kind, **enter})
    keyboard.send("Input.insertText", {"text": "你好"})
    expect(box).to_have_value("你好")
    assert len(lin.timeline()) == 1
    box.press("Enter")
    lin.sees("你好")


def test_the_line_to_write_in_grows_to_twelve_lines(pair: Pair) -> None:
    lin, _ = pair
    heights = []
    for lines in (1, 6, 12, 30):
        lin.page.fill(".composer textarea", "\n".join("字" * lines))
        heights.append(lin.measure("height", ".composer textarea"))
    one, six, twelve, thirty = heights
    assert one < six < twelve
    assert abs(twelve - thirty) < 2


def test_own_messages_are_on_the_right_and_others_on_the_left(pair: Pair) -> None:
    lin, chen = pair
    chen.say("早，清和。")
    lin.sees("早，清和。")
    (mine, mine_right), (other, other_right) = (lin.measure("sides", text) for text in ("思远，早。", "早，清和。"))
    assert mine > other
    assert mine_right > other_right


def test_a_draft_stays_with_its_conversation(pair: Pair) -> None:
    lin, _ = pair
    lin.page.fill(".composer textarea", "写到一半")
    lin.page.keyboard.press("Escape")
    expect(lin.row(CHEN)).to_contain_text("[草稿] 写到一半")
    lin.open(CHEN)
    expect(lin.page.locator(".composer textarea")).to_have_value("写到一半")


def test_a_conversation_opens_where_its_new_messages_begin(pair: Pair, server: Server) -> None:
    lin, chen = pair
    chen.page.keyboard.press("Escape")
    conversation = lin.page.evaluate("decodeURIComponent(location.hash.slice(3))")
    writer = server.login(lin.account, PASSWORD, device="telephone")
    for number in range(30):
        writer.send(conversation, f"第 {number} 条")
    expect(chen.row(LIN).locator(".badge")).to_have_text("30")
    chen.open(LIN)
    expect(chen.page.locator(".unread-line")).to_be_in_viewport()
    expect(chen.message("第 0 条")).to_be_in_viewport()
    expect(chen.message("第 29 条")).not_to_be_in_viewport()
    expect(chen.page.locator(".chat-head")).to_be_in_viewport(ratio=1)
    chen.page.get_by_role("button", name="回到最新").click()
    expect(chen.message("第 29 条")).to_be_in_viewport()
    expect(chen.row(LIN).locator(".badge")).to_have_text("")


def test_older_messages_are_loaded_above_without_moving_what_is_read(pair: Pair, server: Server) -> None:
    lin, _ = pair
    conversation = lin.page.evaluate("decodeURIComponent(location.hash.slice(3))")
    writer = server.login(lin.account, PASSWORD, device="telephone")
    for number in range(120):
        writer.send(conversation, f"第 {number} 条")
    lin.page.reload()
    lin.entered()
    lin.sees("第 119 条")
    assert len(lin.timeline()) < 121
    for oldest in ("第 30 条", "第 0 条"):
        text, top = lin.measure("firstBubbleAt", 200)
        lin.sees(oldest)
        assert abs(lin.measure("top", text) - top) < 2
    assert [text for _, text in lin.timeline()] == ["思远，早。", *(f"第 {number} 条" for number in range(120))]


def test_a_phone_shows_one_pane_and_its_own_way_back_leads_to_the_list(pair: Pair) -> None:
    lin, _ = pair
    lin.page.set_viewport_size({"width": 390, "height": 844})
    expect(lin.page.locator(".list")).to_be_hidden()
    expect(lin.page.locator(".rail")).to_be_hidden()
    lin.page.go_back()
    expect(lin.page.locator(".list")).to_be_visible()
    expect(lin.page.locator(".chat")).to_be_hidden()


def test_targets_on_a_phone_are_large_enough_and_nothing_is_cut_off(browser: Browser, server: Server, lin_account: str) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    lin = Visitor(browser, server, **phone).log_in(lin_account).entered()
    assert lin.measure("smallTargets", 44) == []
    lin.start_with(enrol(server, CHEN))
    lin.say("字" * 300)
    assert lin.measure("smallTargets", 44) == []
    assert lin.page.evaluate("document.documentElement.scrollWidth") == 390


def test_everything_that_can_be_pressed_has_a_name(pair: Pair) -> None:
    lin, _ = pair
    assert lin.measure("unnamed") == []
    lin.page.get_by_role("button", name="会话详情").click()
    lin.page.click(".self")
    assert lin.measure("unnamed") == []


def test_the_keyboard_reaches_everything(pair: Pair) -> None:
    lin, _ = pair
    lin.page.keyboard.press("Control+k")
    expect(lin.page.locator(".list input")).to_be_focused()
    lin.page.keyboard.press("Alt+ArrowDown")
    expect(lin.page.locator(".names h2")).not_to_have_text(CHEN)
    lin.page.keyboard.press("Escape")
    expect(lin.page.locator(".chat > .empty")).to_be_visible()
    lin.page.locator('[data-kind="ws"]').focus()
    lin.page.keyboard.press("ArrowRight")
    expect(lin.page.locator('[data-kind="sse"]')).to_be_focused()
    expect(lin.page.locator('[data-kind="sse"]')).to_have_attribute("aria-checked", "true")
    lin.page.keyboard.press("?")
    expect(lin.page.get_by_role("dialog", name="快捷键")).to_be_visible()
    lin.page.keyboard.press("Escape")
    lin.page.get_by_role("separator").focus()
    lin.page.keyboard.press("ArrowRight")
    expect(lin.page.get_by_role("separator")).to_have_attribute("aria-valuenow", "300")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_readable_in_both_themes(browser: Browser, server: Server, theme: str) -> None:
    """Contrast of at least 4.5 between the colours of text and of what it stands on (WCAG 2.2, 1.4.3)."""
    lin = Visitor(browser, server, color_scheme=theme)
    grounds = ("--paper", "--surface", "--selected")
    pairs = [(text, ground) for text in ("--ink", "--second", "--primary", "--attention") for ground in grounds]
    pairs += [("--ink", "--tint"), ("--primary", "--raised"), ("--on-primary", "--primary"), ("--attention", "--attention-wash")]
    found = {f"{text} on {ground}": ratio for text, ground, ratio in lin.measure("contrasts", pairs)}
    assert {name: ratio for name, ratio in found.items() if ratio < 4.5} == {}
    assert 1.05 < lin.measure("contrasts", [("--ink", "--second")])[0][2] < 10, "the measure measures"


def test_light_dark_and_system(browser: Browser, server: Server) -> None:
    lin = Visitor(browser, server, color_scheme="dark")
    dark = lin.measure("ground")
    switch = lin.page.locator("[data-theme-switch]")
    expect(switch).to_have_attribute("title", "外观：跟随系统")
    switch.click()
    expect(switch).to_have_attribute("title", "外观：浅色")
    light = lin.measure("ground")
    switch.click()
    expect(switch).to_have_attribute("title", "外观：深色")
    assert lin.measure("ground") == dark != light
    lin.page.reload()
    expect(switch).to_have_attribute("title", "外观：深色")


def test_both_languages(browser: Browser, server: Server, lin_account: str) -> None:
    lin = Visitor(browser, server, locale="en-GB").log_in(lin_account).entered()
    expect(lin.page.locator("html")).to_have_attribute("lang", "en")
    expect(lin.page.get_by_role("button", name="New conversation").first).to_be_visible()
    lin.page.get_by_role("button", name="中文").click()
    expect(lin.page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(lin.page.get_by_role("button", name="发起会话").first).to_be_visible()
