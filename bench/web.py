"""The web client in Chromium: when the newest messages are painted, and how evenly a long conversation scrolls.

    .venv/bin/python bench/web.py [--conversations 200] [--long 50000]

Prints medians of several openings in milliseconds, from the start of the page: with nothing kept (after a log-in), and from what
the browser has kept; then the times between frames while the long conversation is scrolled through by the wheel.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from tests.browser.visitor import Visitor  # noqa: E402
from tests.serving import Person, Server  # noqa: E402

PAINTED = """lane => new Promise(done => {
    const look = () => document.querySelector('article[data-seq] .bubble')
        ? requestAnimationFrame(() => done(performance.now()))
        : requestAnimationFrame(look);
    look();
})"""
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


def openings(page: Page, address: str, rounds: int) -> float:
    times = []
    for _ in range(rounds):
        page.goto("about:blank")
        page.goto(address)
        times.append(page.evaluate(PAINTED))
        page.wait_for_timeout(3_000)  # what is kept is written after two seconds
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=200)
    parser.add_argument("--long", type=int, default=50_000)
    given = parser.parse_args()
    limits = {"LIMITS_SENDS_BURST": "1000000", "LIMITS_SENDS_PER_SECOND": "100000", "LIMITS_REQUESTS_BURST": "100000"}
    with (
        tempfile.TemporaryDirectory() as place,
        Server(Path(place) / "data", **limits) as server,
        sync_playwright() as playwright,
    ):
        ann, _ = server.people("ann", "bob")
        lane = fill(ann, given.conversations, given.long)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        address = f"{server.url}/#/c/{lane}"
        cold = []
        for _ in range(5):
            with Visitor(browser, server, ann) as visitor:
                cold.append(openings(visitor.page, address, 1))
        found: dict[str, Any] = {"painted_with_nothing_kept_ms": statistics.median(cold)}
        with Visitor(browser, server, ann) as visitor:
            openings(visitor.page, address, 1)
            found["painted_from_what_is_kept_ms"] = openings(visitor.page, address, 5)
            visitor.page.mouse.move(900, 400)
            frames = []
            for _ in range(20):
                visitor.page.mouse.wheel(0, -3_000)
                frames += visitor.page.evaluate(FRAMES, 0.5)
            frames.sort()
            found |= {"frames": len(frames), "frame_ms_p50": statistics.median(frames)}
            found |= {"frame_ms_p95": frames[int(len(frames) * 0.95)], "frame_ms_max": frames[-1]}
        browser.close()
    for name, value in found.items():
        print(f"{name:32} {value:10.1f}")


if __name__ == "__main__":
    main()
