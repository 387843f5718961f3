"""People in front of the web client: a browser, a server, and what they do and see."""

import json
import re
from pathlib import Path
from typing import Any, Self

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.serving import PASSWORD, Person, Server

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
TRANSPORTS = {"ws": "WebSocket", "sse": "SSE 推送", "long": "长轮询", "short": "短轮询"}
SOON = 30_000
"""Milliseconds in which a page must find its way back after anything."""


def kept_of(person: Person) -> dict[str, str]:
    """What the client keeps of a log-in, in localStorage."""
    session = {"user": person.id, "name": person.session["name"], "token": person.token, "token_id": person.token_id}
    return {"hongyan.session": json.dumps({**session, "device": "test"}), "hongyan.welcomed": person.id}


class Visitor:
    """One browser of somebody who is logged in; `faults` is what went wrong in its pages."""

    def __init__(self, browser: Browser, server: Server, person: Person | None, path: str | None = "/", **look: Any) -> None:
        desk = {"width": 1440, "height": 900}
        options: dict[str, Any] = {"locale": "zh-CN", "viewport": desk, "reduced_motion": "reduce", **look}
        self.server = server
        self.context: BrowserContext = browser.new_context(**options)
        self.faults: list[str] = []
        if person is not None:
            kept = [{"name": name, "value": value} for name, value in kept_of(person).items()]
            origin = {"origin": server.url, "localStorage": kept}
            self.context.set_storage_state({"cookies": [], "origins": [origin]})  # once: a log-out is one
        self.page = self.tab(path)

    def tab(self, path: str | None = "/") -> Page:
        """At an address of the server, unless that is None."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self.faults.append(said.text) if "Content Security Policy" in said.text else None)
        if path is not None:
            page.goto(self.server.url + path)
        return page

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.context.close()
        assert kind is not None or not self.faults, self.faults

    def log_in(self, name: str, password: str = PASSWORD) -> None:
        self.page.fill("input[autocomplete=username]", name)
        self.page.fill("input[autocomplete=current-password]", password)
        self.page.keyboard.press("Enter")

    def open(self, conversation: str, page: Page | None = None) -> None:
        page = page or self.page
        page.locator(f'a.row[data-id="{conversation}"]').click()
        expect(self.box(page)).to_be_visible(timeout=SOON)

    def box(self, page: Page | None = None) -> Locator:
        return (page or self.page).locator(".composer textarea").first

    def say(self, text: str) -> None:
        self.box().fill(text)
        self.box().press("Enter")

    def message(self, text: str, page: Page | None = None) -> Locator:
        """Out of the log, with exactly this text."""
        return (page or self.page).locator("article[data-seq]").filter(has=(page or self.page).get_by_text(text, exact=True))

    def sees(self, text: str, page: Page | None = None) -> None:
        expect(self.message(text, page)).to_have_count(1, timeout=SOON)

    def texts(self) -> list[tuple[int, str]]:
        """Number and text of each message that is drawn, from top to bottom."""
        read = "rows => rows.map(row => [Number(row.dataset.seq), row.querySelector('.bubble').innerText])"
        return [(seq, text) for seq, text in self.page.locator("article[data-seq]").evaluate_all(read)]

    def link(self, page: Page | None = None) -> Locator:
        """What shows the connection."""
        return (page or self.page).get_by_role("button", name=re.compile(r"已连接|正在连接|已断开|网络不可用"))

    def connected(self, transport: str | None = None) -> None:
        words = f"{TRANSPORTS[transport]} · 已连接" if transport else "已连接"
        expect(self.page.get_by_role("button", name=words)).to_be_visible(timeout=SOON)

    def force(self, transport: str) -> None:
        self.link().click()
        self.page.get_by_role("menu").get_by_text(TRANSPORTS[transport], exact=True).click()
        self.connected(transport)

    def serious(self) -> list[str]:
        """What axe-core finds of serious or critical impact in the page as it is."""
        self.page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']}: {node['target']} {node['failureSummary']}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]
