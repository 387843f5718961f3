"""Converse.js, a client of XMPP in the browser, on a page of its own: over WebSocket and over BOSH."""

import json
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from playwright.sync_api import Browser

from tests.counterparts.node_client import module
from tests.serving import PASSWORD, Server, wait_for

DOMAIN = "hongyan.test"
SOON = 30_000

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>Converse</title>
<link rel="stylesheet" href="/dist/converse.min.css"></head>
<body class="converse-fullscreen">
<converse-root></converse-root>
<script type="module">
import * as loaded from "/dist/converse.min.js";
const converse = window.converse ?? loaded.converse ?? loaded.default;
converse.plugins.add("test", { initialize() { window.api = this._converse.api; } });
converse.initialize({ ...CONFIG, whitelisted_plugins: ["test"], authentication: "login", auto_login: true,
  view_mode: "fullscreen", i18n: "en", discover_connection_methods: false, loglevel: "warn",
  assets_path: "/dist/", muc_subscribe_to_rai: false,
  allow_registration: false, clear_cache_on_logout: true, message_archiving: "never", persistent_store: "none" });
</script></body></html>"""


HEARING = """() => {
  window.heard = [];
  const hear = stanza => { window.heard.push(stanza.querySelector("body")?.textContent); return true; };
  window.api.connection.get().addHandler(hear, null, "message");
}"""
SAYING = """([to, text]) => {
  const message = document.implementation.createDocument("jabber:client", "message").documentElement;
  message.setAttribute("xmlns", "jabber:client"); // Strophe writes the attributes and nothing else
  message.setAttribute("to", to);
  message.setAttribute("type", "chat");
  message.appendChild(message.ownerDocument.createElementNS("jabber:client", "body")).textContent = text;
  window.api.connection.get().send(message);
}"""
SHARING = """async ([to, name, text]) => {
  const chat = await window.api.chats.open(to, {}, true);
  await chat.sendFiles([new File([text], name, { type: "text/plain" })]);
}"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder, and where it is served."""
    folder = tmp_path_factory.mktemp("converse")
    (folder / "dist").symlink_to(module("converse.js") / "dist")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as httpd:
        thread = Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def xmpp(pages: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"XMPP_WEB": "true", "XMPP_ALLOW_PLAINTEXT": "true", "HTTP_ORIGINS": pages[1], "DOMAIN": DOMAIN}
    with Server(tmp_path_factory.mktemp("server") / "data", **settings) as server:
        yield server


@pytest.mark.parametrize("way", ["websocket", "bosh"])
def test_converse_logs_in_writes_and_reads(browser: Browser, pages: tuple[Path, str], xmpp: Server, way: str) -> None:
    alice, bob = xmpp.people(f"alice-{way}", f"bob-{way}")
    lane = bob.direct(alice.id)
    addresses = {
        "websocket": {"websocket_url": f"{xmpp.url.replace('http', 'ws', 1)}/xmpp/ws"},
        "bosh": {"bosh_service_url": f"{xmpp.url}/xmpp/bosh"},
    }
    config = {**addresses[way], "jid": f"{alice.id}@{DOMAIN}", "password": PASSWORD}
    (pages[0] / f"{way}.html").write_text(PAGE.replace("CONFIG", json.dumps(config)), encoding="utf-8")
    context = browser.new_context(locale="en")
    try:
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda line: said.append(line.text))
        page.goto(f"{pages[1]}/{way}.html")
        page.wait_for_function("document.body.innerText.includes('I am online')", timeout=SOON)
        page.evaluate(HEARING)
        page.evaluate(SAYING, [f"{bob.id}@{DOMAIN}", "从浏览器"])
        wait_for(lambda: bob.texts(lane) == ["从浏览器"], 30.0, f"a message of Converse.js, which says {said[-5:]}")
        bob.send(lane, "到浏览器")
        page.wait_for_function("window.heard.includes('到浏览器')", timeout=SOON)
    finally:
        context.close()


def test_converse_puts_a_file_on_the_server_from_a_page_of_another_origin(
    browser: Browser, pages: tuple[Path, str], xmpp: Server
) -> None:
    alice, bob = xmpp.people("alice-file", "bob-file")
    lane = bob.direct(alice.id)
    config = {"bosh_service_url": f"{xmpp.url}/xmpp/bosh", "jid": f"{alice.id}@{DOMAIN}", "password": PASSWORD}
    (pages[0] / "file.html").write_text(PAGE.replace("CONFIG", json.dumps(config)), encoding="utf-8")

    def shared() -> list[str]:
        events = bob.call("GET", f"/v1/conversations/{lane}/events")["events"]
        return [one["content"]["text"] for one in events if one["type"] == "message" and one["content"].get("oob")]

    context = browser.new_context(locale="en")
    try:
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda line: said.append(line.text))
        page.goto(f"{pages[1]}/file.html")
        page.wait_for_function("document.body.innerText.includes('I am online')", timeout=SOON)
        page.evaluate(SHARING, [f"{bob.id}@{DOMAIN}", "年报.txt", "收入与支出"])
        (address,) = wait_for(shared, 30.0, f"a file of Converse.js, which says {said[-5:]}")
    finally:
        context.close()
    assert address.startswith(f"{xmpp.url}/files/")
    assert httpx.get(address).text == "收入与支出"
