"""Pictures of the web client for the documentation: `.venv/bin/python scripts/screens.py`, after `make setup`.

Starts a server with the demonstration organisation, walks through the screens in both themes and languages, on a desk and on a
phone, and writes docs/images/web/*.png, small.
"""

import io
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from tests.browser.visitor import Visitor  # noqa: E402
from tests.serving import Server  # noqa: E402

PLACE = ROOT / "docs" / "images" / "web"
DESK: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}

TEXT = """**周五上线**，清单：

1. 首页文案
2. `nginx` 配置
3. 回滚方案

| 项 | 负责人 |
| --- | --- |
| 文案 | 李娜 |"""


def keep(page: Page, name: str) -> None:
    page.wait_for_timeout(900)
    picture = Image.open(io.BytesIO(page.screenshot()))
    if picture.width > 1000 and picture.height > picture.width:
        picture = picture.resize((picture.width // 2, picture.height // 2))
    PLACE.mkdir(parents=True, exist_ok=True)
    picture.quantize(128).save(PLACE / f"{name}.png", optimize=True)
    print(PLACE / f"{name}.png")


def conversation(page: Page, lane: str) -> None:
    page.locator(f'a.row[data-id="{lane}"]').click()
    page.locator(".composer textarea").first.wait_for()


def dressed(server: Server, who: Any, mates: list[str]) -> str:
    """A conversation in which everything is to be seen."""
    lane = who.group("新版官网", *mates)
    path = f"/v1/conversations/{lane}"

    def act(**what: Any) -> None:
        who.call("POST", f"{path}/acts", {"act": what})

    first = who.send(lane, TEXT)["seq"]
    act(type="react", seq=first, emoji="👍")
    act(type="pin", seq=first)
    poll = {"type": "poll", "question": "几点切换？", "options": ["12:00", "18:00", "22:00"]}
    asked = who.call("POST", f"{path}/messages", {"client_id": "poll", "content": poll})["seq"]
    act(type="vote", seq=asked, options=[1])
    who.call(
        "POST",
        f"{path}/messages",
        {"client_id": "reply", "content": {"type": "text", "text": "好，我来写回滚。", "reply": first}},
    )
    thread = {"type": "text", "text": "文案今晚给", "thread": first}
    who.call("POST", f"{path}/messages", {"client_id": "thread", "content": thread})
    gone = who.send(lane, "发错群了")["seq"]
    act(type="recall", seq=gone)
    return str(lane)


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as place,
        Server(Path(place) / "data", "--demo") as server,
        sync_playwright() as playwright,
    ):
        (password,) = re.findall(r"\n\s+password (\S+)", server.output())
        zhang = server.login("zhangwei", password)
        lane = dressed(server, zhang, ["lina", "wanglei", "chenjing"])
        lina = server.login("lina", password)
        lina.send(lane, "@zhangwei 18:00 可以吗？")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])

        def show(name: str, look: dict[str, Any], theme: str, language: str, walk: Callable[[Page], None]) -> None:
            with Visitor(browser, server, zhang, **{**look, "color_scheme": theme, "locale": language}) as visitor:
                visitor.page.locator("a.row[data-id]").first.wait_for()
                walk(visitor.page)
                keep(visitor.page, name)

        def to(path: str) -> Callable[[Page], None]:
            return lambda page: (page.goto(server.url + path), None)[1]

        def anywhere(page: Page) -> None:
            page.keyboard.press("Control+k")
            page.keyboard.type("zw")

        with Visitor(browser, server, None, color_scheme="light") as stranger:
            keep(stranger.page, "log-in")
        show("conversation", DESK, "light", "zh-CN", lambda page: conversation(page, lane))
        show("conversation-dark-en", DESK, "dark", "en", lambda page: conversation(page, lane))
        show("thread", DESK, "light", "zh-CN", to(f"/#/c/{lane}/thread/2"))
        show("search", DESK, "light", "zh-CN", to("/#/search?q=%E4%B8%8A%E7%BA%BF"))
        show("contacts-dark", DESK, "dark", "zh-CN", to("/#/contacts"))
        show("settings-en", DESK, "light", "en", to("/#/settings"))
        show("anywhere-dark", DESK, "dark", "zh-CN", anywhere)
        show("phone-list", PHONE, "light", "zh-CN", lambda page: None)
        show("phone-conversation-dark", PHONE, "dark", "zh-CN", lambda page: conversation(page, lane))
        browser.close()


if __name__ == "__main__":
    main()
