"""People in front of the demonstration page: a browser, a server, and what they do and see. Fixtures are imported from here."""

import asyncio
import itertools
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from hongyan.cli.opening import accounts
from hongyan.config import Settings
from hongyan.config import settings as tree
from tests.serving import PASSWORD, Server

LIN, CHEN = "林清和", "陈思远"
TRANSPORTS = ("ws", "sse", "long", "short")
MEASURES = (Path(__file__).resolve().parents[2] / "web" / "measures.js").read_text(encoding="utf-8")

_QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
_SOON = 30_000
"""Milliseconds in which a page must find its way back after anything."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed (Debian package: chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu", *_QUIET])
        yield started
        started.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("demo") / "data") as server:
        yield server


_numbers = itertools.count(1)


@pytest.fixture
def lin_account(server: Server) -> str:
    """A new account of this name: the server is the whole module's, and nobody shall meet what others did."""
    return enrol(server, LIN)


def enrol(server: Server, *names: str) -> Any:
    """New accounts with these display names: the account's name, or those of all."""
    people = {f"person{next(_numbers)}": name for name in names}
    with ThreadPoolExecutor(1) as pool:  # this thread has the loop of the browser
        pool.submit(asyncio.run, _make(server, people)).result()
    return next(iter(people)) if len(people) == 1 else tuple(people)


async def _make(server: Server, people: Mapping[str, str]) -> None:
    settings = Settings(data=server.data, identity=tree.Identity(iterations=4096), log=tree.Log(readers=1))
    async with accounts(settings, may_make=False) as opened:
        for account, name in people.items():
            await opened.identity.add(account, PASSWORD, display=name)


class Visitor:
    """Somebody in front of the page. What went wrong in it is kept in `faults`."""

    def __init__(self, browser: Browser, server: Server, **look: Any) -> None:
        options: dict[str, Any] = {
            "locale": "zh-CN",
            "viewport": {"width": 1440, "height": 900},
            "reduced_motion": "reduce",
            **look,
        }
        self.page: Page = browser.new_context(**options).new_page()
        self.account = ""
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda said: self.faults.append(said.text) if "Content Security Policy" in said.text else None)
        self.page.goto(f"{server.url}/demo")

    def log_in(self, account: str, password: str = PASSWORD) -> Self:
        self.account = account
        self.page.fill("[name=username]", account)
        self.page.fill("[name=password]", password)
        self.page.click(".card .primary")
        return self

    def entered(self) -> Self:
        expect(self.page.locator(".frame")).to_be_visible()
        self.connected()
        return self

    def connected(self) -> None:
        expect(self.page.locator(".wire")).to_have_attribute("data-phase", "open", timeout=_SOON)

    def disconnected(self) -> None:
        expect(self.page.locator(".wire")).not_to_have_attribute("data-phase", "open", timeout=_SOON)

    def switch(self, transport: str) -> None:
        self.page.click(f'[data-kind="{transport}"]')
        expect(self.page.locator(f'[data-kind="{transport}"]')).to_have_attribute("aria-checked", "true")
        self.connected()

    def start_with(self, account: str) -> None:
        self.page.click("#new-conversation")
        self.pick(account)
        self.page.click(".picker .primary")
        expect(self.page.locator(".composer textarea")).to_be_visible()

    def pick(self, account: str) -> None:
        self.page.fill(".picker .search input", account)
        expect(self.page.locator(".picker .people")).to_have_attribute("aria-busy", "false")
        self.page.click(f'.picker [data-user="{account}"] .row')

    def row(self, name: str) -> Locator:
        """The conversation of this name in the list."""
        return self.page.locator(".list .row").filter(has=self.page.locator("strong").get_by_text(name, exact=True))

    def open(self, name: str) -> None:
        self.row(name).click()
        expect(self.page.locator(".composer textarea")).to_be_visible()

    def say(self, text: str) -> None:
        self.page.fill(".composer textarea", text)
        self.page.press(".composer textarea", "Enter")

    def message(self, text: str) -> Locator:
        return self.page.locator(".message").filter(has=self.page.get_by_text(text, exact=True))

    def sees(self, text: str) -> None:
        """Once, and out of the log."""
        expect(self.message(text)).to_have_count(1, timeout=_SOON)
        expect(self.message(text)).to_have_attribute("data-seq", re.compile(r"^\d+$"), timeout=_SOON)

    def sees_all(self, count: int) -> None:
        expect(self.page.locator(".message[data-seq]")).to_have_count(count, timeout=_SOON)
        expect(self.page.locator(".message:not([data-seq])")).to_have_count(0)

    def timeline(self) -> list[tuple[int, str]]:
        """Number and text of each message, from top to bottom."""
        read = "rows => rows.map(row => [Number(row.dataset.seq), row.querySelector('.bubble').textContent])"
        return [(seq, text) for seq, text in self.page.locator(".message").evaluate_all(read)]

    def figure(self, name: str) -> Locator:
        return self.page.locator(f'[data-figure="{name}"]')

    def kept_session(self) -> Any:
        return json.loads(self.page.evaluate("sessionStorage.getItem('hongyan.session')") or "null")

    def measure(self, name: str, argument: Any = None) -> Any:
        """One of tests/web/measures.js, in the page."""
        return self.page.evaluate(f"argument => ({MEASURES}).{name}(argument)", argument)


@pytest.fixture
def pair(browser: Browser, server: Server) -> Iterator[tuple[Visitor, Visitor]]:
    """Lin and Chen, logged in, in the conversation that Lin has just begun; they must not have seen a fault at the end."""
    accounts = enrol(server, LIN, CHEN)
    lin, chen = (Visitor(browser, server).log_in(account).entered() for account in accounts)
    lin.start_with(chen.account)
    lin.say("思远，早。")
    chen.open(LIN)
    chen.sees("思远，早。")
    yield lin, chen
    assert lin.faults == chen.faults == []
    for visitor in (lin, chen):
        visitor.page.context.close()
