"""Read marks: few are told, however many messages come; and those of others are asked for once."""

import json
from concurrent.futures import ThreadPoolExecutor

from playwright.sync_api import Browser, WebSocket, expect

from tests.browser.conftest import MakePeople
from tests.browser.visitor import SOON, Visitor
from tests.serving import Server

MESSAGES = 50


def test_burst_of_messages_causes_few_marks(browser: Browser, server: Server, people: MakePeople) -> None:
    ann, bob = people(2)
    lane = ann.group("新版官网", bob.id)
    told: list[int] = []

    def watch(socket: WebSocket) -> None:
        socket.on("framesent", lambda sent: note(json.loads(sent)))

    def note(frame: dict[str, object]) -> None:
        if frame["op"] == "read" and frame["conversation"] == lane:
            told.append(int(str(frame["seq"])))

    def talk() -> None:
        for at in range(MESSAGES):
            bob.send(lane, f"第 {at} 句")

    with Visitor(browser, server, ann, path=None) as visitor, ann.stream() as device, bob.stream() as sender:
        asked: list[str] = []
        visitor.page.on("websocket", watch)
        visitor.page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/read") else None)
        visitor.page.goto(f"{server.url}/#/c/{lane}")
        visitor.connected()
        expect(visitor.box()).to_be_visible(timeout=SOON)
        with ThreadPoolExecutor(1) as pool:  # this thread has the loop of the browser
            pool.submit(talk).result()
        visitor.sees(f"第 {MESSAGES - 1} 句")
        visitor.page.wait_for_timeout(1_500)
        device.event(type="read", content={"conversation": lane, "seq": MESSAGES + 1})
        sender.until(lambda frame: frame["op"] == "signal" and frame.get("type") == "read" and frame["seq"] == MESSAGES + 1)
    marks = [
        event["content"]["seq"] for event in device.events if event["type"] == "read" and event["content"]["conversation"] == lane
    ]
    signals = [signal["seq"] for signal in sender.signals if signal["type"] == "read"]
    assert told == marks == sorted(set(marks)), (told, marks)
    assert asked == []
    assert len(marks) <= 5, marks
    assert len(signals) <= len(marks)


def test_who_has_read_ones_messages_is_asked_once_and_told_from_then_on(
    browser: Browser, server: Server, people: MakePeople
) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    for at in range(8):
        ann.send(lane, f"第 {at} 句")
    bob.call("POST", f"/v1/conversations/{lane}/read", {"seq": 5})
    with Visitor(browser, server, ann, path=None) as visitor:
        asked: list[str] = []
        visitor.page.on(
            "request", lambda request: asked.append(request.url) if request.url.endswith(("/read", "/readers")) else None
        )
        visitor.page.goto(f"{server.url}/#/c/{lane}")
        visitor.sees("第 7 句")
        read, unread = (
            visitor.page.get_by_role("button", name="已读", exact=True),
            visitor.page.get_by_role("button", name="未读", exact=True),
        )
        expect(read).to_have_count(4, timeout=SOON)  # the first event is not one of them
        expect(unread).to_have_count(4)
        bob.call("POST", f"/v1/conversations/{lane}/read", {"seq": 9})
        expect(unread).to_have_count(0, timeout=SOON)
        assert [url.rsplit("/", 1)[-1] for url in asked] == ["read"], asked
