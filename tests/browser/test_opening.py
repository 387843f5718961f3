"""A conversation opens at its end, in the first frame that shows anything of it, and stays there while all the rest comes."""

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import MakePeople
from tests.browser.visitor import SOON, Visitor
from tests.serving import Server

WATCH = """(() => {
    window.shifts = [];
    window.ends = [];
    const named = ({node}) => node?.className || node?.nodeName;
    const note = (entry) => shifts.push([entry.value, ...entry.sources.map(named)]);
    new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({type: 'layout-shift', buffered: true});
    const look = () => {
        const all = [...document.querySelectorAll('article[data-seq]')];
        const last = all.findLast((one) => one.checkVisibility({visibilityProperty: true}));
        if (last) ends.push(`${last.dataset.seq} at ${Math.round(last.getBoundingClientRect().bottom)}`);
        requestAnimationFrame(look);
    };
    look();
})()"""


def text(at: int, lines: int) -> str:
    return "\n".join([f"第 {at} 句。" + "字" * (at % 90)] + ["又一行"] * (lines - 1))


@pytest.mark.parametrize(("messages", "lines"), [(3, 1), (150, 1), (9, 12), (40, 12)])
def test_it_opens_at_its_end_and_nothing_moves(
    browser: Browser, server: Server, people: MakePeople, messages: int, lines: int
) -> None:
    ann, bob = people(2)
    lane = ann.group("新版官网", bob.id)
    for at in range(messages):
        (bob if at % 3 else ann).send(lane, text(at, lines))
    ann.call("POST", f"/v1/conversations/{lane}/read", {"seq": messages + 1})
    with Visitor(browser, server, ann, path=None) as visitor:
        visitor.context.add_init_script(WATCH)
        for _ in ("nothing is kept", "from what is kept"):
            visitor.page.goto("about:blank")
            visitor.page.goto(f"{server.url}/#/c/{lane}")
            visitor.page.get_by_text(f"第 {messages - 1} 句。").last.wait_for(timeout=SOON)
            visitor.connected()
            visitor.page.wait_for_timeout(3_000)  # what is above has been loaded, and all is kept
            assert len(set(visitor.page.evaluate("ends"))) == 1, visitor.page.evaluate("[...new Set(ends)]")
            shifts = visitor.page.evaluate("shifts")
            # That a message is read stands beside it, in a line that ends where it ended.
            assert [shift for shift in shifts if set(shift[1:]) != {"line"}] == []
            assert visitor.page.locator(f'article[data-seq="{messages + 1}"]').is_visible()
