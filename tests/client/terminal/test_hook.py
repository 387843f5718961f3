"""--on-message: a program for each message, in order; no shell, no harm, and an end."""

import asyncio
import json
import sys
import time
from pathlib import Path

import pytest

from hongyan.client.model import Event
from hongyan.client.terminal.hook import Hook

from ..plays import message

RECORD = """
import json, os, sys
event = json.load(sys.stdin)
mine = {name[8:]: value for name, value in os.environ.items() if name.startswith("HONGYAN_")}
print(json.dumps([event, mine]))
"""


class Page:
    def __init__(self) -> None:
        self.shown: list[str] = []
        self.failed: list[tuple[str, str]] = []

    def hook(self, command: str) -> Hook:
        return Hook(command, self.shown.append, lambda command, reason: self.failed.append((command, reason)))


async def give(hook: Hook, event: Event) -> None:
    await hook.message(event, name="李华", title="大厅", own=False)


async def test_program_gets_the_event_and_its_members(tmp_path: Path) -> None:
    (tmp_path / "record.py").write_text(RECORD)
    page = Page()
    event = message(7, "$(touch x); `id` \" ' \\ \x1b\n二")
    await give(page.hook(f"{sys.executable} '{tmp_path}/record.py'"), event)
    seen, mine = json.loads(page.shown[0])
    assert seen["content"] == {"type": "text", "text": event.text}
    assert mine == {
        "CONVERSATION": "lobby",
        "TITLE": "大厅",
        "SEQ": "7",
        "SENDER": "lihua",
        "SENDER_NAME": "李华",
        "TIME": "7000",
        "TEXT": event.text,
        "OWN": "0",
    }
    assert page.failed == []


async def test_one_after_the_other(tmp_path: Path) -> None:
    page = Page()
    hook = page.hook("sh -c 'cat >/dev/null; echo $HONGYAN_SEQ'")
    for at in range(5):
        await give(hook, message(at))
    assert page.shown == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("command", ["/no/such/program", ""])
async def test_program_that_does_not_run_is_told(command: str) -> None:
    page = Page()
    await give(page.hook(command), message(1))
    assert [failed for failed, _ in page.failed] == [command]


def test_quote_without_an_end_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="quot"):
        Page().hook("echo 'oops")


async def test_longest_text_there_is_does_not_break_the_program() -> None:
    page = Page()
    hook = page.hook("sh -c 'wc -c'")
    await give(hook, message(1, "字" * 60_000))
    assert page.failed == []
    assert int(page.shown[0]) > 180_000


async def test_program_that_reads_nothing_and_ends_in_error_is_no_fault() -> None:
    page = Page()
    await give(page.hook("false"), message(1, "x" * 200_000))
    assert (page.shown, page.failed) == ([], [])


async def test_ending_the_chat_ends_the_program_even_a_stubborn_one(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    page = Page()
    script = f"""trap '' TERM; echo $$ > {pid}; while :; do sleep 0.05; done"""
    running = asyncio.create_task(give(page.hook(f'sh -c "{script}"'.replace("$$", "\\$\\$")), message(1)))
    while not pid.exists() or not pid.read_text().strip():
        await asyncio.sleep(0.01)
    began = time.monotonic()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert time.monotonic() - began < 5
    assert not Path(f"/proc/{pid.read_text().strip()}").exists()
