"""Who is in a conversation, and who may not come in any more."""

from playwright.sync_api import Browser, expect

from tests.browser.conftest import MakePeople
from tests.browser.visitor import Visitor
from tests.serving import Refused, Server, wait_for


def test_somebody_is_kept_out_and_let_in_again(browser: Browser, server: Server, people: MakePeople) -> None:
    ann, bob = people(2)
    lane = ann.group("频道", bob.id, kind="channel")

    def may_join() -> bool:
        try:
            bob.call("POST", f"/v1/conversations/{lane}/join")
        except Refused as refused:
            return refused.code != "forbidden"
        return True

    with Visitor(browser, server, ann) as one:
        one.connected()
        one.open(lane)
        one.page.get_by_role("button", name="会话详情").click()
        one.page.get_by_role("button", name=f"管理 {bob.id}").click()
        one.page.get_by_role("menuitem", name="移出并禁止再加入").click()
        asked = one.page.get_by_role("dialog", name=f"移出{bob.id}并禁止再加入？")
        asked.get_by_role("button", name="移出并禁止再加入").click()
        expect(one.page.get_by_role("button", name=f"管理 {bob.id}")).to_have_count(0)
        assert not may_join()
        one.page.get_by_role("button", name="禁止加入的人").click()
        listed = one.page.get_by_role("dialog", name="禁止加入的人")
        listed.get_by_role("button", name=f"允许 {bob.id} 再加入").click()
        expect(listed.get_by_text("没有人被禁止加入")).to_be_visible()
        wait_for(may_join)
