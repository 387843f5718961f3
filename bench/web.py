"""The web client in Chromium: when the newest messages are painted, how evenly a long conversation scrolls, what memory it takes.

    .venv/bin/python bench/web.py [--conversations 200] [--long 50000] [--heap-minutes 10] [--only-heap]

Prints medians of several openings in milliseconds, from the start of the page until the newest messages are `painted`, that
is in the page when it is painted next, and until the frame that shows them is drawn, so that they can be `seen`; and what the
main thread `worked` until they are painted, of which others on the machine take less away. With `nothing_kept` the browser
has left the page a moment after its first opening; on the `first_visit` it has never been here; `what_is_kept` is in a
private window, which keeps no compiled scripts between visits; `daily` is in a browser with its profile on the disk. Then the
times between frames while the long conversation is scrolled through by the wheel; then the heap, after a collection, each
minute while ten messages a second come into the open conversation, and how much of it is more from the second minute to the
last. With `--heap-minutes 60` it is the hour of the issue.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, CDPSession, Page, Playwright, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from tests.browser.visitor import Visitor, kept_of  # noqa: E402
from tests.serving import Person, Server  # noqa: E402

PAINTED = """lane => new Promise(done => {
    const look = () => document.querySelector('article[data-seq] .bubble')
        ? requestAnimationFrame(() => done(performance.now()))
        : requestAnimationFrame(look);
    look();
})"""
SEEN = """() => {
    const look = () => {
        const message = document.querySelector('article[data-seq] .bubble');
        if (message?.checkVisibility({visibilityProperty: true})) setTimeout(() => (window.seenAt = performance.now()));
        else requestAnimationFrame(look);
    };
    look();
}"""
FRAMES = """seconds => new Promise(done => {
    const times = [];
    let before = performance.now();
    const end = before + seconds * 1000;
    const frame = now => {
        times.push(now - before);
        before = now;
        if (now < end) requestAnimationFrame(frame); else done(times.slice(1));
    };
    requestAnimationFrame(frame);
})"""


class Opening(NamedTuple):
    painted: float
    seen: float
    worked: float


def fill(who: Person, conversations: int, long: int) -> str:
    lanes = [who.group(f"会话 {at}", "bob") for at in range(conversations)]
    for at, lane in enumerate(lanes):
        who.send(lane, f"第 {at} 个会话的一句话")
    with who.stream() as stream:
        refs = []
        for at in range(long):
            content = {"type": "text", "text": f"第 {at} 条。" + "字" * (at % 60)}
            refs.append(stream.say("send", conversation=lanes[0], client_id=f"long-{at}", content=content))
            if len(refs) == 500 or at == long - 1:
                stream.answer(refs[-1])
                refs.clear()
    return lanes[0]


def openings(page: Page, address: str, rounds: int) -> list[Opening]:
    found = []
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.add_init_script(f"({SEEN})()")
    for _ in range(rounds):
        page.goto("about:blank")
        before = measured(tools, "TaskDuration")
        page.goto(address, wait_until="commit")
        painted = page.evaluate(PAINTED)
        worked = (measured(tools, "TaskDuration") - before) * 1000
        page.wait_for_timeout(3_000)  # what is kept is written after two seconds
        found.append(Opening(painted, page.evaluate("seenAt"), worked))
    return found


def medians(of: str, openings: list[Opening]) -> dict[str, float]:
    return {f"{name}_{of}_ms": statistics.median(getattr(one, name) for one in openings) for name in Opening._fields}


def measured(tools: CDPSession, name: str) -> float:
    return next(float(one["value"]) for one in tools.send("Performance.getMetrics")["metrics"] if one["name"] == name)


def heaps(browser: Browser, server: Server, who: Person, from_: Person, lane: str, minutes: int) -> list[float]:
    """Megabytes, each minute."""
    with Visitor(browser, server, who) as visitor, from_.stream() as stream:
        visitor.page.goto(f"{server.url}/#/c/{lane}")
        visitor.page.evaluate(PAINTED)
        tools = visitor.context.new_cdp_session(visitor.page)
        tools.send("Performance.enable")
        found, begin = [], time.monotonic()
        for at in range(minutes * 600):
            visitor.page.wait_for_timeout(max(0.0, (begin + at / 10 - time.monotonic()) * 1000))
            content = {"type": "text", "text": f"第 {at} 条。" + "字" * (at % 60)}
            stream.answer(stream.say("send", conversation=lane, client_id=f"heap-{at}", content=content))
            if at % 600 == 599:
                tools.send("HeapProfiler.collectGarbage")
                found.append(measured(tools, "JSHeapUsedSize") / 1e6)
                print(f"{'heap_after_minute_' + str(at // 600 + 1) + '_mb':32} {found[-1]:10.1f}", flush=True)
        return found


def looks(browser: Browser, server: Server, ann: Person, lane: str) -> dict[str, float]:
    address = f"{server.url}/#/c/{lane}"
    cold, first = [], []
    for _ in range(5):
        with Visitor(browser, server, ann) as visitor:
            cold += openings(visitor.page, address, 1)
        with Visitor(browser, server, ann, path=None) as visitor:
            first += openings(visitor.page, address, 1)
    found = medians("with_nothing_kept", cold) | medians("first_visit", first)
    with Visitor(browser, server, ann) as visitor:
        openings(visitor.page, address, 1)
        found |= medians("from_what_is_kept", openings(visitor.page, address, 5))
        visitor.page.mouse.move(900, 400)
        frames = []
        for _ in range(20):
            visitor.page.mouse.wheel(0, -3_000)
            frames += visitor.page.evaluate(FRAMES, 0.5)
        frames.sort()
        found |= {"frames": len(frames), "frame_ms_p50": statistics.median(frames)}
        return found | {"frame_ms_p95": frames[int(len(frames) * 0.95)], "frame_ms_max": frames[-1]}


def daily(playwright: Playwright, server: Server, ann: Person, lane: str) -> dict[str, float]:
    """In a browser of somebody who was here before."""
    with tempfile.TemporaryDirectory() as profile:
        look: dict[str, Any] = {"locale": "zh-CN", "viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"}
        options = {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox"], **look}
        with playwright.chromium.launch_persistent_context(profile, **options) as context:
            page = context.pages[0]
            page.goto(f"{server.url}/icon.svg")
            page.evaluate("kept => Object.assign(localStorage, kept)", kept_of(ann))
            openings(page, f"{server.url}/#/c/{lane}", 3)  # compiled scripts are kept from the second on
            return medians("daily", openings(page, f"{server.url}/#/c/{lane}", 5))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=200)
    parser.add_argument("--long", type=int, default=50_000)
    parser.add_argument("--heap-minutes", type=int, default=10)
    parser.add_argument("--only-heap", action="store_true")
    given = parser.parse_args()
    limits = {"LIMITS_SENDS_BURST": "1000000", "LIMITS_SENDS_PER_SECOND": "100000", "LIMITS_REQUESTS_BURST": "100000"}
    with (
        tempfile.TemporaryDirectory() as place,
        Server(Path(place) / "data", **limits) as server,
        sync_playwright() as playwright,
    ):
        ann, bob = server.people("ann", "bob")
        lane = fill(ann, given.conversations, given.long)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        if not given.only_heap:
            for name, value in (looks(browser, server, ann, lane) | daily(playwright, server, ann, lane)).items():
                print(f"{name:32} {value:10.1f}", flush=True)
        if given.heap_minutes:
            found = heaps(browser, server, ann, bob, lane, given.heap_minutes)
            print(f"{'heap_grown_mb':32} {found[-1] - found[min(1, len(found) - 1)]:10.1f}")
        browser.close()


if __name__ == "__main__":
    main()
