"""`hongyan chat --tui` in a real terminal: what a person does and sees on the whole screen, small and large."""

from pathlib import Path

import pytest

from ...serving import PASSWORD, Server, wait_for
from ..live import names
from .pane import Pane


def full(pane: Pane) -> Pane:
    """Log in, and wait for the screen."""
    pane.sees("的密码：")
    pane.type(PASSWORD)
    pane.sees("● websocket", "大厅")
    return pane


def go_to(pane: Pane, place: str) -> None:
    pane.key("C-k")
    pane.sees("会话、人名或编号")
    pane.type(place)  # Enter at once: the list need not be there
    wait_for(lambda: "╭" not in pane.screen(), what="the window to close")


@pytest.mark.parametrize("size", ["80x24", "200x50"])
def test_an_afternoon_on_the_whole_screen(server: Server, tmp_path: Path, size: str) -> None:
    ann, bob = names(server, "ann", "bob")
    other = server.login(bob)
    room = other.group(f"会议室{bob}", ann)
    with Pane(server, tmp_path, ann, "--tui", size=size) as pane:
        full(pane)
        go_to(pane, f"会议室{bob}")
        pane.type("大家早上好 🎉")
        wait_for(lambda: "大家早上好 🎉" in other.texts(room), what="the message at the other one")
        pane.sees("大家早上好 🎉")

        # What was written last is edited, by ↑ in the empty line
        pane.key("Up")
        pane.sees("编辑：大家早上好")
        pane.type("，改过")
        pane.sees("大家早上好 🎉，改过", "（已编辑）")

        # A reaction, a reply, a thread
        pane.key("C-t")
        pane.sees("选择或输入一个表情")
        pane.key("Enter")
        pane.sees("👍 1")
        pane.key("C-r")
        pane.sees("回复 ")
        pane.type("同意")
        pane.sees("┃ ", "同意")
        pane.key("F3")
        pane.sees("讨论串")
        pane.type("线里说")
        pane.sees("线里说")
        pane.key("Escape")
        pane.sees("↳ 1 条回复")

        # Somebody else writes privately: it is in the list, and one goes there by name
        direct = other.direct(ann)
        other.send(direct, "周五见")
        pane.sees("周五见")
        go_to(pane, bob)
        wait_for(lambda: pane.screen().count("周五见") >= 2, what="the list and the conversation")

        # What is left unsent is a draft, on all devices
        pane.type("还没写完", enter=False)
        go_to(pane, f"会议室{bob}")
        pane.sees("[草稿]")
        own = [one["own"] for one in server.login(ann).snapshot()["conversations"] if one["id"] == direct]
        assert [draft["text"] for draft in own[0]["drafts"]] == ["还没写完"]
        go_to(pane, bob)
        wait_for(lambda: pane.screen().count("还没写完") >= 2, what="the draft in the list and in the composer")
        pane.type("，写完了")
        wait_for(lambda: "还没写完，写完了" in other.texts(direct), what="the whole message")
        wait_for(lambda: "[草稿]" not in pane.screen(), what="a list without the draft")

        # What is no command is sent to nobody; what is typed in the list of messages goes to the line to write in
        pane.type(":nonsense 演练")
        pane.sees("这里没有命令")
        pane.key("C-u")
        wait_for(lambda: ":nonsense" not in pane.screen(), what="the line to write in to be empty")
        pane.key("Tab")
        pane.type("打", enter=False)
        pane.sees("打")
        pane.type("在哪里都行", enter=False)
        pane.sees("打在哪里都行")
        assert not any("演练" in text for text in other.texts(direct))
        pane.key("Enter")

        # It is taken back, and the screen does not say it any more
        pane.type("写错了")
        wait_for(lambda: "写错了" in other.texts(direct), what="what is to be taken back")
        pane.sees("写错了")  # among the messages: it has left the line to write in
        pane.key("C-d")
        pane.sees("消息已撤回")
        wait_for(lambda: "写错了" not in pane.screen(), what="a screen without it")
        pane.type(":q")
        assert pane.ended() == 0


def test_it_draws_itself_anew_when_the_window_changes(server: Server, tmp_path: Path) -> None:
    (ann,) = names(server, "ann")
    with Pane(server, tmp_path, ann, "--tui", size="200x50") as pane:
        full(pane)
        pane.key("F2")
        pane.resize(50, 20)
        wait_for(lambda: "写消息" in pane.screen(), what="the line to write in")
        pane.type("窄的也行")
        pane.sees("窄的也行")
        pane.key("F6")
        pane.sees("大厅")
        pane.key("C-q")
        assert pane.ended() == 0
