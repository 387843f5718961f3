"""`hongyan chat` in a pipe: every line is sent once, and the end says whether all went well."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from hongyan.client.outbox import Entry
from hongyan.client.saved import Saved

from ...serving import HONGYAN, PASSWORD, Server, wait_for
from ..live import names
from .programs import chat, command, environment, start


def test_line_goes_privately_to_a_name(server: Server, tmp_path: Path) -> None:
    ann, bob = names(server, "ann", "bob")
    assert server.command("user", "rename", bob, "--name", f"李华{bob}").returncode == 0
    first = chat(server, tmp_path, ann, f"{bob};;备份完成\n李华{bob};;还有一件事\n")
    assert (first.returncode, first.stdout, first.stderr) == (0, "", "")
    reader = server.login(bob)
    lane = reader.direct(ann)
    assert reader.texts(lane) == ["备份完成", "还有一件事"]


def test_kept_token_needs_neither_name_nor_password(server: Server, tmp_path: Path) -> None:
    (ann,) = names(server, "ann")
    assert chat(server, tmp_path, ann, "一\n").returncode == 0
    again = subprocess.run(
        command(server, ann)[:-2],
        input="二\n",
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=30,
        encoding="utf-8",
    )
    assert (again.returncode, again.stderr) == (0, "")
    assert server.login(ann).texts("lobby")[-2:] == ["一", "二"]
    elsewhere = subprocess.run(
        command(server, ann), input="三\n", env=environment(tmp_path / "x"), capture_output=True, text=True, timeout=30
    )
    assert elsewhere.returncode == 2
    assert "--password-stdin" in elsewhere.stderr


def test_any_of_several_servers_will_do(server: Server, tmp_path: Path) -> None:
    (ann,) = names(server, "ann")
    several = f"http://127.0.0.1:9,{server.url}"
    done = chat(server, tmp_path, ann, "一\n:info\n", "--server", several)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(rf"服务器 +{server.url}\n", done.stdout)
    turned = ",".join(reversed(several.split(",")))
    again = subprocess.run(
        [*HONGYAN, "chat", "--server", turned],
        input="二\n",
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (again.returncode, again.stderr) == (0, "")
    assert server.login(ann).texts("lobby")[-2:] == ["一", "二"]


def test_many_lines_arrive_once_and_in_order(server: Server, tmp_path: Path) -> None:
    ann, bob = names(server, "ann", "bob")
    person = server.login(bob)
    lane = person.direct(ann)
    text = "".join(f"{bob};;{at}\n" if at % 2 else f"{at}\n" for at in range(2000))
    assert chat(server, tmp_path, ann, f":open {bob}\n" + text).returncode == 0
    cursor_texts: list[str] = []
    after = 0
    while page := person.history(lane, after=after, limit=1000):
        cursor_texts += [event["content"]["text"] for event in page if event["type"] == "message"]
        after = page[-1]["seq"]
    assert cursor_texts == [str(at) for at in range(2000)]


def test_what_arrives_is_printed_plainly_and_the_own_is_not(server: Server, tmp_path: Path) -> None:
    ann, bob = names(server, "ann", "bob")
    sender = server.login(ann)
    with start(server, tmp_path, bob) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write("我在\n")
        program.stdin.flush()
        wait_for(lambda: "我在" in sender.texts("lobby"))
        sender.send("lobby", "行一\n行二 \x1b[31mred\x07")
        line = program.stdout.readline() + program.stdout.readline()
        out, _ = program.communicate(timeout=20)
        assert program.returncode == 0
    assert line[5:] == f" {ann}: 行一\n      行二 ␛[31mred␇\n"
    assert out == ""


def test_lines_that_fail_are_said_and_the_exit_code_is_1(server: Server, tmp_path: Path) -> None:
    (ann,) = names(server, "ann")
    lines = {
        "nobody-here;;hallo": "没有找到“nobody-here”。",
        ":lsit": "没有命令 :lsit。您是要 :list 吗？",
        ":open nowhere": "没有名为“nowhere”的会话",
        "字" * 30_000: "发送失败",
    }
    result = chat(server, tmp_path, ann, "".join(f"{line}\n  \n" for line in lines) + "好的\n")
    assert result.returncode == 1
    for said in lines.values():
        assert said in result.stdout
    assert server.login(ann).texts("lobby")[-1] == "好的"


def test_commands_work_and_quit_ends_before_the_input_does(server: Server, tmp_path: Path) -> None:
    (ann,) = names(server, "ann")
    result = chat(server, tmp_path, ann, "先说一句\n:all\n:olu\n:list\n:info\n:pu an\n:emoji 2\n:history 20\n:q\n不发这句\n")
    assert result.returncode == 0
    for part in (
        ":transport 名称",
        f"{ann} ",
        "大厅",
        f"用户      {ann}",
        "服务器    http://",
        "第 2 页，共 5 页",
    ):
        assert part in result.stdout, (part, result.stdout)
    assert server.login(ann).texts("lobby")[-1] == "先说一句"
    assert "\x1b" not in result.stdout


def test_wrong_password_and_no_server_are_said(server: Server, tmp_path: Path) -> None:
    (ann,) = names(server, "ann")
    arguments = {"env": environment(tmp_path), "capture_output": True, "text": True, "timeout": 30, "encoding": "utf-8"}
    wrong = subprocess.run([*command(server, ann), "--password-stdin"], input="wrong\nx\n", **arguments)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("未能完成：")
    away = subprocess.run(
        [*command(server, ann)[:5], "http://127.0.0.1:9", "--user", ann, "--password-stdin"], input="x\nx\n", **arguments
    )
    assert away.returncode == 2
    assert "http://127.0.0.1:9" in away.stderr
    no_address = subprocess.run(
        [*command(server, ann)[:5], "localhost", "--user", ann, "--password-stdin"], input="x\n", **arguments
    )
    assert no_address.returncode == 2
    assert "localhost is no address" in no_address.stderr


def test_bytes_that_are_no_text_are_sent_as_such_and_english_is_spoken(server: Server, tmp_path: Path) -> None:
    (ann,) = names(server, "ann")
    lines = f"{PASSWORD}\n".encode() + b":all\ncaf\xe9\n"
    raw = subprocess.run(
        [*command(server, ann), "--password-stdin"],
        input=lines,
        env=environment(tmp_path, "en_GB"),
        capture_output=True,
        timeout=30,
    )
    assert (raw.returncode, raw.stderr) == (0, b"")
    assert b"quit; what is not sent goes out at the next start" in raw.stdout
    assert server.login(ann).texts("lobby")[-1] == "caf\ufffd"


def test_terminate_ends_it_at_once_and_keeps_what_is_not_sent(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        (ann,) = names(server, "ann")
        with start(server, tmp_path, ann) as program:
            assert program.stdin is not None
            program.stdin.write("一\n")
            program.stdin.flush()
            person = server.login(ann)
            wait_for(lambda: person.texts("lobby") == ["一"])
            server.kill()
            program.stdin.write("二\n三\n")
            program.stdin.close()
            program.stdin = None
            wait_for(lambda: unsent(tmp_path, "二") and unsent(tmp_path, "三"))
            program.send_signal(signal.SIGTERM)
            out, err = program.communicate(timeout=10)
            assert (program.returncode, out) == (1, "")
            assert "有 2 条未发出" in err
        server.start()
        assert chat(server, tmp_path, ann, "四\n").returncode == 0
        assert server.login(ann).texts("lobby") == ["一", "二", "三", "四"]


def unsent(home: Path, text: str) -> bool:
    """Whether the outbox holds it, as far as another process can see: in the write-ahead log."""
    return any(f'"text":"{text}"'.encode() in path.read_bytes() for path in home.rglob("kept.db-wal"))


def test_token_that_ends_meanwhile_ends_the_chat(server: Server, tmp_path: Path) -> None:
    (ann,) = names(server, "ann")
    with start(server, tmp_path, ann) as program:
        assert program.stdin is not None
        program.stdin.write(f"我是 {ann}\n")  # the lobby is everybody's: no other test says so
        program.stdin.flush()
        person = server.login(ann)
        wait_for(lambda: f"我是 {ann}" in person.texts("lobby"))
        assert server.command("user", "passwd", ann, "--password-stdin", input="a new password\n").returncode == 0
        assert program.wait(20) == 2
        assert program.stdout is not None
        assert "登录已失效" in program.stdout.read()


def test_every_message_goes_to_the_command(server: Server, tmp_path: Path) -> None:
    ann, bob = names(server, "ann", "bob")
    person = server.login(bob)
    lane = person.direct(ann)
    (tmp_path / "hook.py").write_text(
        "import json, sys, os\nprint(os.environ['HONGYAN_OWN'], json.load(sys.stdin)['content']['text'])\n"
    )
    hook = f"{sys.executable} {tmp_path}/hook.py"
    with start(server, tmp_path, ann, "--on-message", hook) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write(f"{bob};;问\n")
        program.stdin.flush()
        wait_for(lambda: person.texts(lane) == ["问"])
        person.send(lane, "答 $(id)")
        lines = [program.stdout.readline() for _ in range(3)]
        program.communicate(timeout=20)
    assert lines[0] == "1 问\n"
    assert lines[1].endswith(f"[私聊] {bob}: 答 $(id)\n")
    assert lines[2] == "0 答 $(id)\n"


def test_reader_of_the_output_that_goes_away_ends_it_quietly(server: Server, tmp_path: Path) -> None:
    (ann,) = names(server, "ann")
    reading, writing = os.pipe()
    with start(server, tmp_path, ann, stdout=writing) as program:
        os.close(writing)
        os.close(reading)
        assert program.stdin is not None
        assert program.stderr is not None
        program.stdin.write(":all\n")
        program.stdin.flush()
        assert program.wait(20) in (0, 1)
        assert program.stderr.read() == ""


def test_second_chat_of_one_user_has_a_place_of_its_own_and_what_it_left_goes_out(server: Server, tmp_path: Path) -> None:
    (ann,) = names(server, "ann")
    person = server.login(ann)
    with start(server, tmp_path, ann) as first:
        assert first.stdin is not None
        first.stdin.write("第一个\n")
        first.stdin.flush()
        wait_for(lambda: "第一个" in person.texts("lobby"))
        assert chat(server, tmp_path, ann, "第二个\n").returncode == 0
        first.communicate(timeout=20)
    places = sorted(path for path in (tmp_path / ".local/state/hongyan").iterdir() if path.is_dir())
    assert len(places) == 2
    assert places[1].name == f"{places[0].name}-2"
    left = Saved(places[1], server.url)
    left.outbox.add(Entry(ann, "left-behind", "lobby", {"type": "text", "text": "留下的"}))
    left.close()
    assert chat(server, tmp_path, ann, "第三个\n").returncode == 0
    assert person.texts("lobby")[-4:] == ["第一个", "第二个", "留下的", "第三个"]
