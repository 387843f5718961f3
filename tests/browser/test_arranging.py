"""What somebody types and arranges stays as they left it."""

from playwright.sync_api import Browser, expect

from tests.browser.conftest import MakePeople
from tests.browser.visitor import SOON, Visitor
from tests.serving import Person, Server, wait_for

ORDER = """wanted => {
    const top = (row) => row.getBoundingClientRect().top;
    const rows = [...document.querySelectorAll('a.row')].sort((a, b) => top(a) - top(b));
    return wanted.every((id, at) => rows[at]?.dataset.id === id);
}"""
"""Whether these conversations are the first of the list."""


def pins(person: Person) -> list[str]:
    """As the server has them."""
    own = {one["id"]: one.get("own", {}) for one in person.snapshot()["conversations"]}
    return sorted((lane for lane in own if own[lane].get("pinned")), key=lambda lane: own[lane].get("place", -1))


def test_what_is_typed_into_the_settings_of_a_room_stays_when_something_happens_there(
    browser: Browser, server: Server, people: MakePeople
) -> None:
    ann, bob = people(2)
    group = ann.group("项目", bob.id)
    with Visitor(browser, server, ann) as one:
        one.connected()
        one.open(group)
        one.page.get_by_role("button", name="会话详情").click()
        title, topic = (one.page.get_by_label(label, exact=True) for label in ("名称", "简介"))
        title.fill("项目二")
        topic.fill("还没写完")
        bob.send(group, "新消息")
        one.sees("新消息")
        ann.call("PATCH", f"/v1/conversations/{group}", {"title": "项目三"})
        expect(one.page.get_by_role("heading", name="项目三").first).to_be_visible(timeout=SOON)
        topic.press("Escape")
        expect(topic).not_to_be_focused()
        expect(title).to_have_value("项目二")
        expect(topic).to_have_value("还没写完")


def test_pins_are_put_in_order_by_dragging_and_by_the_menu(browser: Browser, server: Server, people: MakePeople) -> None:
    (ann,) = people(1)
    first, second, third = (ann.group(title) for title in ("甲", "乙", "丙"))
    for group in (first, second, third):
        ann.send(group, "在")
        ann.call("POST", "/v1/me/acts", {"act": {"type": "arrange", "conversation": group, "pinned": True, "archived": False}})
    with Visitor(browser, server, ann) as one:
        one.connected()
        page = one.page

        def row(group: str) -> str:
            return f'a.row[data-id="{group}"]'

        def order_is(*groups: str) -> None:
            page.wait_for_function(ORDER, arg=list(groups))

        order_is(third, second, first)
        page.drag_and_drop(row(first), row(third))
        order_is(first, third, second)
        page.locator(row(first)).click(button="right")
        page.get_by_role("menuitem", name="下移").click()
        order_is(third, first, second)
        wait_for(lambda: pins(ann) == [third, first, second])  # it is shown before it is told
        page.reload()
        order_is(third, first, second)
        with Visitor(browser, server, ann) as elsewhere:
            elsewhere.page.wait_for_function(ORDER, arg=[third, first, second])
            elsewhere.page.drag_and_drop(row(second), row(third))
            order_is(second, third, first)
