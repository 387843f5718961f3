"""What one does to messages by line: against a real server, in a real terminal."""

from pathlib import Path

from ...serving import Server, wait_for
from ..live import names
from .pane import Pane


def test_answer_edit_take_back_react_search_and_send_later(server: Server, tmp_path: Path) -> None:
    ann, bob = names(server, "ann", "bob")
    other = server.login(bob)
    room = other.group(f"会议室{bob}", ann)
    first = other.send(room, "明天下午三点开会")["seq"]
    with Pane(server, tmp_path, ann) as pane:
        pane.log_in()
        pane.type(f":open 会议室{bob}")
        pane.sees(f"#{first} ", "明天下午三点开会")

        pane.type(":reply 收到")
        pane.sees(f"↩ #{first} 收到")
        pane.type(":edit 收到，一定到")
        pane.sees("改为：收到，一定到")
        pane.type(f":react #{first} 👍")
        pane.sees(f"对 #{first} 回应 👍")
        page = other.history(room)
        answer = next(event for event in page if event["content"].get("reply") == first)
        assert other.call("GET", f"/v1/conversations/{room}/messages/{first}")["amended"][0]["reactions"] == {"👍": {"count": 1}}

        pane.type("写错了")
        wait_for(lambda: "写错了" in other.texts(room), what="the message")
        pane.type(":recall")
        pane.sees("撤回了 #")
        wait_for(lambda: "写错了" not in other.texts(room), what="a log without it")
        assert answer["content"]["text"] == "收到"

        pane.type(":q 三点")
        pane.sees(f"[会议室{bob} #{first}]")
        pane.type(":q 没有这样的话")
        pane.sees("没有找到。")

        pane.type(":delay 该出发了 1")
        pane.sees("发送。")
        wait_for(lambda: "该出发了" in other.texts(room), what="the message of later")
        pane.type(":delay 明天见 80000")
        pane.type(":later")
        pane.sees("明天见", "  1 ")
        pane.type(":later -1")
        pane.sees("已取消。")
        pane.type(":later")
        pane.sees("没有等待发送的消息。")

        for line, said in (
            (":reply", "请写出回复"),
            (":recall #999", "未能完成"),
            (":delay 没有秒数", "请写出文字和秒数"),
            (":file x", "还不能发文件"),
        ):
            pane.type(line)
            pane.sees(said)
        pane.type(":q")
        assert pane.ended() == 0
