"""What others write is shown and never run."""

import json

from playwright.sync_api import Browser, expect

from tests.browser.conftest import MakePeople
from tests.browser.visitor import ROOT, SOON, Visitor
from tests.serving import Server

CORPUS = ROOT / "web" / "test" / "text" / "xss.json"
ATTRIBUTES = "rows => rows.flatMap(row => [...row.querySelectorAll('*')].flatMap(one => [...one.attributes].map(a => a.name)))"


def test_attacks_are_shown_as_text_and_run_nothing(browser: Browser, server: Server, people: MakePeople) -> None:
    ann, bob = people(2)
    lane = bob.direct(ann.id)
    attacks = [text for text in json.loads(CORPUS.read_text(encoding="utf-8")) if text.strip() and "\0" not in text]
    assert len(attacks) >= 80
    with Visitor(browser, server, ann) as one:
        dialogs: list[str] = []
        one.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        asked: list[str] = []
        one.page.on("request", lambda request: asked.append(request.url))
        one.connected()
        one.open(lane)
        for at in range(0, len(attacks), 10):
            for text in attacks[at : at + 10]:
                last = bob.send(lane, text)["seq"]
            one.page.locator(f'article[data-seq="{last}"]').wait_for(timeout=SOON)
            for link in one.page.locator("article[data-seq] .bubble a").all():
                assert (link.get_attribute("href") or "").split(":")[0] in ("http", "https", "mailto")
            bubbles = one.page.locator("article[data-seq] .bubble")
            assert bubbles.locator("script, iframe, object, embed, form, input, style, svg").count() == 0
            names = bubbles.evaluate_all(ATTRIBUTES)
            assert not [name for name in names if name.startswith("on")]
        assert dialogs == []
        assert {url.split("/")[2] for url in asked if url.startswith("http")} <= {one.server.url.split("/")[2]}


MARKUP = "<img src=x onerror=alert(1)>"
FOREIGN = """() => [
    ...document.querySelectorAll('iframe, object, embed, img[src="x"]'),
    ...[...document.querySelectorAll('*')].filter(one => [...one.attributes].some(({name}) => name.startsWith('on'))),
].map(one => one.outerHTML)"""


def test_names_titles_topics_status_texts_and_snippets_are_text(browser: Browser, server: Server, people: MakePeople) -> None:
    ann, bob = people(2)
    renamed = server.command("user", "rename", bob.id, "--name", f"{MARKUP} b")
    assert renamed.returncode == 0, renamed.stderr
    bob.call("POST", "/v1/me/acts", {"act": {"type": "status", "text": f"{MARKUP} s"}})
    group = bob.group(f"{MARKUP} t", ann.id, topic=f"{MARKUP} o")
    first = ann.send(group, f"{MARKUP} onerror")["seq"]
    answer = {"type": "text", "text": f"{MARKUP} r", "thread": first, "mentions": [ann.id]}
    bob.call("POST", f"/v1/conversations/{group}/messages", {"client_id": "r", "content": answer})
    with Visitor(browser, server, ann) as one:
        dialogs: list[str] = []
        one.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        one.connected()
        shown = {
            f"/#/c/{group}": (f"{MARKUP} t", f"{MARKUP} o", f"{MARKUP} onerror"),
            f"/#/c/{group}/thread/{first}": (f"{MARKUP} r",),
            "/#/contacts": (f"{MARKUP} b",),
            "/#/threads": (f"{MARKUP} onerror",),
            "/#/search?q=onerror": (f"{MARKUP} onerror",),
        }
        for place, texts in shown.items():
            one.page.goto(server.url + place)
            for text in texts:
                expect(one.page.locator("body")).to_contain_text(text, timeout=SOON)
            assert one.page.evaluate(FOREIGN) == []
        one.page.goto(server.url + "/#/contacts")
        one.page.get_by_role("button", name=f"{MARKUP} b").first.click()
        expect(one.page.locator("body")).to_contain_text(f"{MARKUP} s", timeout=SOON)
        assert one.page.evaluate(FOREIGN) == []
        assert dialogs == []
