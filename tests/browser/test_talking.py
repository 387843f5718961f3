"""Two people talk in two browsers, over each way that events come, and through what happens to connections."""

import time
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.conftest import MakePeople
from tests.browser.visitor import SOON, TRANSPORTS, Visitor
from tests.serving import Server

KEPT = """async () => {
    const done = (asked) => new Promise((tell) => { asked.onsuccess = () => tell(asked.result); });
    const found = [{...localStorage}];
    for (const {name} of await indexedDB.databases()) {
        const database = await done(indexedDB.open(name));
        for (const store of database.objectStoreNames) {
            found.push(...await done(database.transaction(store).objectStore(store).getAll()));
        }
        database.close();
    }
    for (const name of await caches.keys()) {
        found.push(...(await (await caches.open(name)).keys()).map(({url}) => url));
    }
    return JSON.stringify(found, (_, value) => value instanceof Map ? [...value] : value);
}"""
"""All that the browser keeps for the page."""


def keeps(visitor: Visitor, *texts: str) -> None:
    """It is written a while after the last change. What was never there would be no wonder to be gone."""
    for text in texts:
        visitor.page.wait_for_function(f"async text => (await ({KEPT})()).includes(text)", arg=text, polling=200, timeout=SOON)


def test_logging_in_wrongly_and_rightly(browser: Browser, server: Server, people: MakePeople) -> None:
    (ann,) = people(1)
    with Visitor(browser, server, None) as visitor:
        visitor.log_in(ann.id, "not the password")
        expect(visitor.page.get_by_role("alert")).to_be_visible()
        visitor.log_in(ann.id)
        visitor.page.get_by_role("button", name="开始使用").click()
        visitor.connected("ws")
        visitor.open("lobby")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_two_people_talk(browser: Browser, server: Server, people: MakePeople, transport: str) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    with Visitor(browser, server, ann) as one, Visitor(browser, server, bob) as other:
        for visitor in (one, other):
            visitor.connected()
            visitor.force(transport)
            visitor.open(lane)
        for at in range(3):
            one.say(f"第 {at} 句")
            other.sees(f"第 {at} 句")
            other.say(f"收到 {at}")
            for visitor in (one, other):
                visitor.sees(f"收到 {at}")
        wanted = [text for at in range(3) for text in (f"第 {at} 句", f"收到 {at}")]
        assert [text for _, text in one.texts()] == [text for _, text in other.texts()] == wanted


def test_what_is_written_while_the_server_is_away_goes_out_once_in_order_also_after_a_reload(
    browser: Browser, server: Server, people: MakePeople
) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    with Visitor(browser, server, ann) as one:
        one.connected()
        one.open(lane)
        one.box().fill("还没写完")
        server.kill()
        try:
            expect(one.page.get_by_text("连接已断开，正在重试")).to_be_visible(timeout=SOON)
            expect(one.box()).to_have_value("还没写完")
            for text in ("一", "二", "三"):
                one.say(text)
            expect(one.page.locator("article.row.own:not([data-seq])")).to_have_count(3)
        finally:
            server.start()
        one.page.reload()
        for text in ("一", "二", "三"):
            one.sees(text)
    assert bob.texts(lane) == ["一", "二", "三"]


def test_a_draft_survives_a_reload_and_an_absent_server_and_ends_when_it_is_sent(
    browser: Browser, server: Server, people: MakePeople
) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)

    def drafts() -> list[str]:
        (found,) = [one for one in ann.call("GET", "/v1/snapshot")["conversations"] if one["id"] == lane]
        return [draft["text"] for draft in found.get("own", {}).get("drafts", [])]

    with Visitor(browser, server, ann) as one:
        one.connected()
        one.open(lane)
        server.kill()
        try:
            expect(one.page.get_by_text("连接已断开，正在重试")).to_be_visible(timeout=SOON)
            one.box().fill("离线写的")
            time.sleep(2)  # it is told a second after the last key
        finally:
            server.start()
        one.page.reload()
        expect(one.box()).to_have_value("离线写的", timeout=SOON)
        one.connected()
        one.box().fill("离线写的，又写了一点")
        one.page.reload()  # at once
        expect(one.box()).to_have_value("离线写的，又写了一点", timeout=SOON)
        one.connected()
        one.box().press("Enter")
        one.sees("离线写的，又写了一点")
        one.page.reload()
        one.sees("离线写的，又写了一点")
        time.sleep(1)
        expect(one.box()).to_have_value("")
    assert drafts() == []


def test_the_new_text_of_a_message_is_there_when_one_comes_back_to_it(
    browser: Browser, server: Server, people: MakePeople
) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    with Visitor(browser, server, ann) as one:
        one.connected()
        one.open(lane)
        one.say("第一句")
        one.sees("第一句")
        one.box().press("ArrowUp")
        expect(one.box()).to_have_value("第一句")
        one.box().fill("第一句，改到一半")
        one.open("lobby")
        expect(one.box()).to_have_value("")
        one.open(lane)
        expect(one.box()).to_have_value("第一句，改到一半")
        one.box().press("Enter")
        one.sees("第一句，改到一半")
        expect(one.box()).to_have_value("")


def test_an_ended_token_leads_to_the_log_in_and_leaves_nothing_behind(
    browser: Browser, server: Server, people: MakePeople
) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    ann.send(lane, "只给两个人看")
    with Visitor(browser, server, ann) as one:
        one.connected()
        one.open(lane)
        one.sees("只给两个人看")
        keeps(one, "只给两个人看")
        ann.call("POST", "/v1/logout")
        expect(one.page.locator("input[autocomplete=current-password]")).to_be_visible(timeout=SOON)
        expect(one.page.get_by_text("只给两个人看")).to_have_count(0)
        one.page.wait_for_function(f"async text => !(await ({KEPT})()).includes(text)", arg="只给两个人看", polling=200)


def test_who_logs_in_after_a_log_out_finds_nothing_of_who_was_there(browser: Browser, server: Server, people: MakePeople) -> None:
    ann, bob, eve = people(3)
    lane, own = ann.direct(bob.id), eve.group("自己的")
    bob.send(lane, "只给两个人看")
    picture = BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    assert bob.http.put("/v1/me/avatar", content=picture.getvalue()).is_success
    secrets = ("只给两个人看", "没写完的话", ann.token, lane, f"/users/{bob.id}/avatar")
    with Visitor(browser, server, ann) as one:
        one.connected()
        one.open(lane)
        one.sees("只给两个人看")
        one.box().fill("没写完的话")
        keeps(one, *secrets)
        one.page.get_by_role("button", name="我的菜单").click()
        one.page.get_by_role("menuitem", name="退出登录").click()
        one.page.get_by_role("dialog").get_by_role("button", name="退出登录").click()
        one.log_in(eve.id)
        one.page.get_by_role("button", name="开始使用").click()
        one.connected()
        assert one.page.evaluate("location.hash") in ("", "#/")
        one.page.goto(f"{server.url}/#/c/{lane}")
        expect(one.page.get_by_text("找不到这个会话")).to_be_visible(timeout=SOON)
        keeps(one, own)
        seen = one.page.locator("body").inner_text() + one.page.evaluate(KEPT)
        assert [text for text in secrets if text in seen] == []


def test_a_message_outlives_the_tab_that_was_sending_it(browser: Browser, server: Server, people: MakePeople) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    with Visitor(browser, server, ann) as one:
        one.connected()
        second = one.tab()
        expect(one.link(second)).to_be_visible(timeout=SOON)
        one.open(lane)
        server.freeze()
        try:
            one.say("发到一半")
            one.page.wait_for_timeout(300)
            one.page.close()
        finally:
            server.thaw()
        one.page = second
        one.open(lane)
        one.sees("发到一半")
        expect(second.locator("article.row.own:not([data-seq])")).to_have_count(0)
    assert bob.texts(lane) == ["发到一半"]


def test_enter_that_ends_a_composition_does_not_send(browser: Browser, server: Server, people: MakePeople) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    with Visitor(browser, server, ann) as one:
        one.open(lane)
        one.box().focus()
        keyboard = one.context.new_cdp_session(one.page)
        keyboard.send("Input.imeSetComposition", {"text": "nihao", "selectionStart": 5, "selectionEnd": 5})
        for kind in ("rawKeyDown", "keyUp"):
            keyboard.send("Input.dispatchKeyEvent", {"type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229})
        keyboard.send("Input.insertText", {"text": "你好"})
        expect(one.box()).to_have_value("你好")
        assert one.texts() == []
        one.box().press("Enter")
        one.sees("你好")


def test_two_tabs_share_a_connection_and_agree_on_what_is_read(browser: Browser, server: Server, people: MakePeople) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    with Visitor(browser, server, ann) as one:
        one.connected()
        second = one.tab()
        expect(one.link(second)).to_be_visible(timeout=SOON)
        (sessions,) = [node["devices"] for node in ann.call("GET", "/v1/online")["users"] if node["id"] == ann.id]
        assert len(sessions) == 1
        bob.send(lane, "两个标签页都看到")
        badge = second.locator(f'a.row[data-id="{lane}"]').get_by_text("1", exact=True)
        expect(badge).to_be_visible(timeout=SOON)
        one.open(lane)
        one.sees("两个标签页都看到")
        expect(badge).to_have_count(0, timeout=SOON)
        one.page.close()
        one.page = second
        one.connected("ws")
        bob.send(lane, "接着来")
        one.open(lane)
        one.sees("接着来")


def test_on_a_phone_one_pane_is_shown_at_a_time(browser: Browser, server: Server, people: MakePeople) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    bob.send(lane, "手机上看")
    look = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with Visitor(browser, server, ann, **look) as one:
        row = one.page.locator(f'a.row[data-id="{lane}"]')
        expect(row).to_be_visible(timeout=SOON)
        expect(one.box()).to_have_count(0)
        one.open(lane)
        one.sees("手机上看")
        expect(row).not_to_be_visible()
        one.page.keyboard.press("Escape")
        expect(row).to_be_visible()
        assert one.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_reminder_that_is_due_is_shown_and_leads_to_its_message(browser: Browser, server: Server, people: MakePeople) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    seq = bob.send(lane, "别忘了交周报")["seq"]
    with Visitor(browser, server, ann) as one:
        one.connected()
        due = int(time.time() * 1000) + 1_500
        ann.call("POST", "/v1/me/timers", {"kind": "reminder", "conversation": lane, "seq": seq, "due": due, "note": "周报"})
        expect(one.page.get_by_text("提醒：周报")).to_be_visible(timeout=SOON)
        one.page.get_by_role("button", name="查看").click()
        one.sees("别忘了交周报")
