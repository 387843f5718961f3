"""The client as an installed program: it opens without a server, and what is pushed is shown."""

import json
from typing import Any

from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import MakePeople
from tests.browser.visitor import SOON, Visitor
from tests.serving import Server

NOTES = """async () => {
    const {getNotifications} = ServiceWorkerRegistration.prototype;
    const notes = await getNotifications.call(await navigator.serviceWorker.ready);
    return notes.map(({title, body, tag}) => [title, body, tag]);
}"""
CACHED = """async () => {
    const all = (await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map(({url}) => url));
    return (await Promise.all(all)).flat();
}"""
RENEWED = """(token_id) => {
    localStorage.setItem('hongyan.push', JSON.stringify({token_id, endpoint: 'https://push.test/old'}));
    const endpoint = 'https://push.test/new';
    const now = {endpoint, unsubscribe: async () => true, toJSON: () => ({endpoint, keys: {}})};
    PushManager.prototype.getSubscription = PushManager.prototype.subscribe = async () => now;
}"""
"""There is no push service here: the browser is made to have another subscription than the one that was told."""
CONTROLLED = "() => navigator.serviceWorker.controller !== null"


def deliver(visitor: Visitor, page: Page, payload: dict[str, object]) -> None:
    """As if the push service had sent it."""
    found: list[str] = []
    tools = visitor.context.new_cdp_session(page)

    def updated(told: dict[str, Any]) -> None:
        found.extend(one["registrationId"] for one in told["registrations"])

    tools.on("ServiceWorker.workerRegistrationUpdated", updated)
    tools.send("ServiceWorker.enable")
    for _ in range(100):
        if found:
            break
        page.wait_for_timeout(50)
    pushed = {"origin": visitor.server.url, "registrationId": found[0], "data": json.dumps(payload)}
    tools.send("ServiceWorker.deliverPushMessage", pushed)


def test_it_opens_without_a_server(browser: Browser, server: Server, people: MakePeople) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    bob.send(lane, "路上也能看")
    with Visitor(browser, server, ann) as one:
        one.connected()
        one.page.wait_for_function(CONTROLLED)
        one.open(lane)
        one.sees("路上也能看")
        one.page.wait_for_timeout(3_000)  # the cache is written two seconds after the last change
        client = "document.querySelector('link[rel=modulepreload][href*=client]').href"
        assert one.page.evaluate(client) in one.page.evaluate(CACHED)  # after one visit, whatever the browser keeps by itself
        server.kill()
        try:
            one.page.reload()
            expect(one.page.locator(f'a.row[data-id="{lane}"]')).to_be_visible(timeout=SOON)
            one.sees("路上也能看")
            one.page.get_by_role("button", name="设置").click()
            expect(one.page.get_by_role("heading", name="个人资料")).to_be_visible(timeout=SOON)
        finally:
            server.start()
        one.connected()
        kept = one.page.evaluate(CACHED)
        assert kept
        assert not [url for url in kept if "/v1/" in url]


def test_what_is_pushed_is_shown_once_for_a_conversation(browser: Browser, server: Server, people: MakePeople) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    payload = {
        "title": "Bob",
        "text": "在吗",
        "conversation": lane,
        "seq": 1,
        "kind": "direct",
        "sender": bob.id,
        "time": 0,
        "why": "direct",
    }
    with Visitor(browser, server, ann, permissions=["notifications"]) as one:
        one.page.wait_for_function(CONTROLLED)
        elsewhere = one.tab("/health")  # no window of the client
        one.page.goto(server.url + "/health")
        deliver(one, elsewhere, payload)
        deliver(one, elsewhere, {**payload, "text": "在吗？？", "seq": 2})
        elsewhere.wait_for_timeout(500)
        assert elsewhere.evaluate(NOTES) == [["Bob", "在吗？？", lane]]


CLICKED = """async () => {
    const [notification] = await registration.getNotifications();
    try { dispatchEvent(new NotificationEvent('notificationclick', {notification})); } catch {}
}"""
"""The browser lets no test click; and of an event that is not its own nothing is waited for."""


def test_a_click_on_a_note_opens_its_message_in_the_window_that_is_there(
    browser: Browser, server: Server, people: MakePeople
) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    seq = bob.send(lane, "看这里")["seq"]
    with Visitor(browser, server, ann, permissions=["notifications"]) as one:
        one.connected()
        one.page.wait_for_function(CONTROLLED)
        elsewhere = one.tab("/health")
        show = "async (given) => (await navigator.serviceWorker.ready).showNotification('Bob', given)"
        one.page.evaluate(show, {"tag": lane, "data": {"path": f"#/c/{lane}/{seq}"}})
        one.context.service_workers[0].evaluate(CLICKED)
        one.sees("看这里")
        assert len(one.context.pages) == 2
        elsewhere.close()


def test_a_subscription_that_the_browser_has_changed_is_told_to_the_server(
    browser: Browser, server: Server, people: MakePeople
) -> None:
    (ann,) = people(1)
    with Visitor(browser, server, ann, permissions=["notifications"]) as one:
        one.connected()
        one.page.wait_for_function(CONTROLLED)
        told: list[str] = []

        def answer(route: Route) -> None:
            if route.request.method == "POST":
                told.append(route.request.post_data_json["endpoint"])
            route.fulfill(status=200, json={"key": "k", "subscribed": True})

        one.page.route("**/v1/me/push", answer)
        one.page.evaluate(RENEWED, ann.token_id)
        one.context.service_workers[0].evaluate(
            "() => { try { dispatchEvent(new ExtendableEvent('pushsubscriptionchange')); } catch {} }"
        )
        for _ in range(100):
            if told:
                break
            one.page.wait_for_timeout(50)
        assert told == ["https://push.test/new"]
