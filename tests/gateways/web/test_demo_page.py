"""The demonstration page in a real browser, against a real server: two people chat through it."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.gateways.web.demo_person import CHEN, LIN, TRANSPORTS, Visitor, browser, enrol, lin_account, pair, server
from tests.serving import PASSWORD, Server

__all__ = ["browser", "lin_account", "pair", "server"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

Pair = tuple[Visitor, Visitor]

_SOME_BYTES = re.compile(r"^(?!0 B)[\d.]+ k?B$")


def test_two_people_chat_in_chinese_on_different_transports(pair: Pair) -> None:
    lin, chen = pair
    for mine, other in zip(TRANSPORTS, (*TRANSPORTS[1:], TRANSPORTS[0]), strict=True):
        lin.switch(mine)
        chen.switch(other)
        lin.say(f"这是 {mine}，听得到吗？")
        chen.sees(f"这是 {mine}，听得到吗？")
        chen.say(f"听得到，我在 {other}。")
        for visitor in pair:
            visitor.sees(f"听得到，我在 {other}。")
    assert lin.timeline() == chen.timeline()


def test_switching_in_mid_conversation_loses_and_doubles_nothing(pair: Pair) -> None:
    rounds = 24
    for number in range(rounds):
        for step, visitor in enumerate(pair):
            visitor.say(f"{'林陈'[step]} {number}")
            # No waiting: the next transport takes over while messages are on their way in both directions.
            visitor.page.click(f'[data-kind="{TRANSPORTS[(number + 2 * step) % len(TRANSPORTS)]}"]')
    for visitor in pair:
        visitor.sees_all(1 + 2 * rounds)
    lin, chen = pair
    spoken = lin.timeline()
    assert spoken == chen.timeline()
    assert [seq for seq, _ in spoken] == sorted({seq for seq, _ in spoken})
    for name in "林陈":
        assert [text for _, text in spoken if text.startswith(name)] == [f"{name} {number}" for number in range(rounds)]


def test_cursor_delay_and_bytes_of_each_transport_are_shown(pair: Pair) -> None:
    lin, _ = pair
    lin.page.click(".wire .sign")
    for transport in TRANSPORTS:
        lin.switch(transport)
        before = lin.figure("cursor").get_attribute("title") or ""
        lin.say(f"量一量 {transport}。")
        lin.sees(f"量一量 {transport}。")
        expect(lin.figure("delay")).to_have_text(re.compile(r"^[\d.]+ m?s$"))
        expect(lin.figure("received")).to_have_text(_SOME_BYTES)
        expect(lin.figure("sent")).to_have_text(_SOME_BYTES)
        expect(lin.figure("cursor")).not_to_have_attribute("title", before)
    lin.page.click(".wire .sign")
    for line in lin.page.locator(".comparison tbody tr").all():
        expect(line.locator("td").first).to_have_text(re.compile(r"^[1-9]"))


def test_wrong_password_is_told_in_a_sentence(browser: Browser, server: Server, lin_account: str) -> None:
    lin = Visitor(browser, server).log_in(lin_account, "不是这个密码")
    expect(lin.page.locator(".form-error")).to_have_text("账号或密码不对")
    lin.page.click(".corner .quiet")
    lin.log_in(lin_account, "not this one")
    expect(lin.page.locator(".form-error")).to_have_text("The account or the password is wrong")
    lin.log_in(lin_account).entered()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_revoked_token_leads_back_to_the_log_in(browser: Browser, server: Server, lin_account: str, transport: str) -> None:
    lin = Visitor(browser, server).log_in(lin_account).entered()
    lin.switch(transport)
    elsewhere = server.login(lin.account, PASSWORD, device="telephone")
    elsewhere.call("DELETE", f"/v1/tokens/{lin.kept_session()['token_id']}")
    expect(lin.page.locator(".form-error")).to_have_text("登录已失效，请重新登录", timeout=30_000)
    assert lin.kept_session() is None
    lin.log_in(lin_account).entered()


@pytest.mark.parametrize("transports", ["ws long", "sse short", "long ws", "short sse"])
def test_a_restart_is_survived_and_what_was_written_meanwhile_goes_out_once(pair: Pair, server: Server, transports: str) -> None:
    lin, chen = pair
    for visitor, transport in zip(pair, transports.split(), strict=True):
        visitor.switch(transport)
    server.stop()
    lin.disconnected()
    expect(lin.page.locator(".bar")).to_be_visible()
    lin.say("服务器不在，先写着。")
    expect(lin.message("服务器不在，先写着。")).to_have_count(1)
    expect(lin.message("思远，早。")).to_be_visible()
    server.start()
    for visitor in pair:
        visitor.connected()
        visitor.sees("服务器不在，先写着。")
    chen.say("你回来了。")
    for visitor in pair:
        visitor.sees("你回来了。")
    assert lin.timeline() == chen.timeline()
    assert [text for _, text in chen.timeline()] == ["思远，早。", "服务器不在，先写着。", "你回来了。"]


def test_a_message_that_cannot_be_sent_is_tried_again_on_a_click(pair: Pair) -> None:
    lin, _ = pair
    lin.switch("short")
    refused = '{"type": "urn:hongyan:error:forbidden", "title": "Forbidden", "status": 403, "detail": "No"}'
    lin.page.route("**/messages", lambda route: route.fulfill(status=403, content_type="application/problem+json", body=refused))
    lin.say("再试一次。")
    expect(lin.page.locator(".retry")).to_have_text("发送失败，点此重试")
    lin.page.unroute("**/messages")
    lin.page.click(".retry")
    for visitor in pair:
        visitor.sees("再试一次。")


def test_reloading_the_page_keeps_the_session_and_the_conversation(pair: Pair) -> None:
    lin, _ = pair
    lin.page.reload()
    lin.entered()
    lin.sees("思远，早。")


def test_logging_out_ends_the_token(pair: Pair, server: Server) -> None:
    lin, _ = pair
    elsewhere = server.login(lin.account, PASSWORD, device="telephone")
    ended = lin.kept_session()["token_id"]
    lin.page.click(".self")
    with lin.page.expect_response("**/v1/logout"):
        lin.page.get_by_role("button", name="退出登录").click()
    expect(lin.page.locator("[name=username]")).to_be_visible()
    assert ended not in str(elsewhere.call("GET", "/v1/tokens"))
    assert lin.kept_session() is None


def test_what_the_other_has_read_is_shown(pair: Pair) -> None:
    lin, chen = pair
    lin.say("看到了吗？")
    chen.sees("看到了吗？")
    expect(lin.message("看到了吗？").locator(".sent-state")).to_contain_text("已读")


def test_who_is_typing_is_shown(pair: Pair) -> None:
    lin, chen = pair
    lin.page.fill(".composer textarea", "我在")
    expect(chen.page.locator(".names .typing")).to_have_text(f"{LIN} 正在输入…")
    lin.page.fill(".composer textarea", "")
    expect(chen.page.locator(".names .typing")).to_have_count(0)


def test_a_group_is_made_renamed_and_left(pair: Pair, server: Server) -> None:
    lin, chen = pair
    wang = enrol(server, "王若溪")
    lin.page.click("#new-conversation")
    for account in (chen.account, wang):
        lin.pick(account)
    lin.page.locator(".picker").get_by_label("群名称").fill("评审")
    lin.page.click(".picker .primary")
    expect(lin.page.locator(".names h2")).to_have_text("评审")
    chen.open("评审")
    expect(chen.page.locator(".note")).to_contain_text(f"{LIN} 建立了群聊")
    lin.page.get_by_role("button", name="会话详情").click()
    lin.page.locator(".details").get_by_label("群名称").fill("十点评审")
    lin.page.keyboard.press("Enter")
    expect(chen.page.locator(".names h2")).to_have_text("十点评审")
    chen.page.get_by_role("button", name="会话详情").click()
    leave = chen.page.locator(".details footer button")
    leave.click()
    expect(leave).to_contain_text("再点一次退出")
    leave.click()
    expect(chen.row("十点评审")).to_have_count(0)
    expect(lin.page.locator(".note").last).to_have_text(f"{CHEN} 退出了群聊")


def test_a_direct_conversation_is_found_again(pair: Pair) -> None:
    lin, chen = pair
    lin.start_with(chen.account)
    lin.sees("思远，早。")
    expect(lin.row(CHEN)).to_have_count(1)


def test_markup_in_a_message_stays_text(pair: Pair) -> None:
    lin, chen = pair
    hostile = "<img src=/demo/icon.svg onerror=\"document.title='x'\"><script>document.title='x'</script> [点](javascript:alert)"
    lin.say(hostile)
    chen.sees(hostile)
    assert chen.page.locator(".bubble").locator("img, script, a").count() == 0
