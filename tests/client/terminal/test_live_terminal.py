"""`hongyan chat` in a real terminal: what a person types, and sees."""

from pathlib import Path

import psutil

from ...serving import Server, wait_for
from ..live import names
from .pane import Pane


def test_an_evening_with_two_people(server: Server, tmp_path: Path) -> None:
    ann, bob = names(server, "ann", "bob")
    for name, shown in ((ann, "李华"), (bob, "王芳")):
        assert server.command("user", "rename", name, "--name", f"{shown}{name[3:]}").returncode == 0
    lihua, wangfang = f"李华{ann[3:]}", f"王芳{bob[3:]}"
    with Pane(server, tmp_path, ann) as a, Pane(server, tmp_path, bob, "--device", "手机") as b:
        a.log_in()
        b.log_in()
        assert "密码" not in a.screen(), "the question goes when it was answered"
        assert a.prompt().startswith("大厅 ›")

        # In the lobby
        a.type("大家早上好 🎉")
        a.shows(r"\d\d:\d\d 我: 大家早上好 🎉")
        b.shows(rf"\d\d:\d\d {lihua}: 大家早上好 🎉")

        # Privately, by name and by id
        a.type(f"{wangfang};;周五见")
        a.shows(rf"\d\d:\d\d \[私聊 {wangfang}\] 我: 周五见")
        b.shows(rf"\d\d:\d\d \[私聊\] {lihua}: 周五见")
        b.type(f"{ann};;好")
        a.shows(rf"\d\d:\d\d \[私聊\] {wangfang}: 好")
        assert "创建了会话" not in b.screen(), "a private conversation needs no announcement"

        # Commands
        a.type(":olu")
        a.shows(rf"{bob} +{wangfang} +在线 +手机 \(websocket\)")
        a.type(":list")
        a.shows(rf"   1 {wangfang} +1 条未读")
        a.type(":open 1")
        a.sees(f"当前会话：{wangfang}", "好")
        wait_for(lambda: a.prompt().startswith(f"{wangfang} ›"), what="the other prompt")
        b.type(":history 5")
        b.shows(rf"\d\d:\d\d {lihua}: 大家早上好 🎉")
        a.type(":transport sse")
        a.sees("已连接（sse）")
        a.type(":info")
        a.shows(r"传输 +sse，已连接")
        a.shows(r"时延 +\d+\.\d ms")
        b.type(f"{ann};;还在吗？")
        a.sees("还在吗？")
        a.type("在，走 sse 也行")
        b.shows(rf"\d\d:\d\d \[私聊\] {lihua}: 在，走 sse 也行")

        # Completion and the lines typed before
        a.type(":tra", enter=False)
        a.key("Tab")
        wait_for(lambda: a.prompt().endswith(":transport"), what="the completed command")
        a.key("C-u")
        a.type(f"{bob[:3]}", enter=False)
        a.key("Tab")
        a.sees(f"{bob};;")
        a.key("C-c")
        assert a.ended() == 0
        b.type(":q")
        assert b.ended() == 0
        left = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"]]
        assert not [words for words in left if "chat" in words and (ann in words or bob in words) and "tmux" not in words[0]]


def test_pasted_lines_are_one_message_and_long_ones_are_broken_between_words(server: Server, tmp_path: Path) -> None:
    (ann,) = names(server, "ann")
    with Pane(server, tmp_path, ann) as a:
        a.log_in()
        a._tmux("set-buffer", "第一行\n第二行")
        a._tmux("paste-buffer", "-p")
        a.sees("第二行")
        a.key("Enter")
        person = server.login(ann)
        wait_for(lambda: person.texts("lobby")[-1:] == ["第一行\n第二行"], what="one message")
        address = "https://staging.example.org/hongyan/2026/index.html"
        a.type(f"新版本已经放到测试环境里了，请大家有空的时候看一看 {address} ，谢谢。")
        shown = a.sees(address, "，谢谢。").split("\n")
        assert f"      {address} ，谢谢。" in [line.rstrip() for line in shown]
        a.resize(50, 20)
        a.type("换了宽度以后，新的一行也应该在合适的地方换行，不应该乱。")
        wait_for(lambda: any(line.startswith("      ") and "不应该乱。" in line for line in a.screen().split("\n")))


def test_message_cannot_paint_on_the_screen(server: Server, tmp_path: Path) -> None:
    ann, bob = names(server, "ann", "bob")
    with Pane(server, tmp_path, ann) as a:
        a.log_in()
        server.login(bob).send("lobby", "\x1b[2J\x1b[1;1Hgone\x1b]0;title\x07 \u202eright to left \x9b31m")
        a.sees("␛[2J␛[1;1Hgone␛]0;title␇ <U+202E>right to left <U+009B>31m")
        assert "鸿雁 ·" in a.screen()


def test_server_that_goes_away_is_said_once_and_what_was_typed_goes_out_later(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        (ann,) = names(server, "ann")
        with Pane(server, tmp_path, ann) as a:
            a.log_in()
            server.kill()
            wait_for(lambda: a.prompt().startswith("大厅（未连接） ›"), what="the prompt that says so")
            a.type("现在发不出去")
            a.sees("未连接，连上后发送：现在发不出去")
            server.start()
            a.shows(r"\d\d:\d\d 我: 现在发不出去")
            wait_for(lambda: a.prompt().startswith("大厅 ›"), what="the prompt as before")
            assert server.login(ann).texts("lobby") == ["现在发不出去"]
            assert a.screen().count("连接中断") == 1
            server.kill()
            a.type("下次再发")
            a.type(":q")
            assert a.ended() == 0
            a.sees("有 1 条未发出，下次启动时继续发送。")
            server.start()
            a.start()
            a.sees("我: 下次再发")
            assert server.login(ann).texts("lobby") == ["现在发不出去", "下次再发"]


def test_wrong_password_may_be_typed_again_and_ctrl_c_at_the_question_ends_it(server: Server, tmp_path: Path) -> None:
    (ann,) = names(server, "ann")
    with Pane(server, tmp_path, ann) as a:
        a.sees("的密码：")
        a.type("wrong")
        a.sees("未能完成：")
        a.log_in()
        a.key("C-d")
        assert a.ended() == 0
    with Pane(server, tmp_path, ann, HOME=str(tmp_path / "elsewhere")) as a:
        a.sees("的密码：")
        a.key("C-c")
        assert a.ended() == 0


def test_nobody_at_the_address_is_said_before_anything_is_asked(server: Server, tmp_path: Path) -> None:
    with Pane(server, tmp_path, "ann", "--server", "http://127.0.0.1:9", LC_MESSAGES="en") as a:
        assert a.ended() == 2
        screen = a.screen(past=True)
        assert "No server at http://127.0.0.1:9; name it with --server" in screen
        assert "Password" not in screen
