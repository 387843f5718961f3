"""Sending: whatever an endpoint does, the others are served; what waits is bounded, for each and for all."""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator

import msgspec
import pytest

from hongyan.config import Push as PushSettings
from hongyan.features.push.encrypting import receiver_keys
from hongyan.features.push.model import Message, Subscription
from hongyan.features.push.outbox import Outbox
from hongyan.features.push.signing import Signer
from hongyan.messaging import now_ms
from tests.features.push.browser import Browser, PushService, push_service, unb64


class Office:
    """An outbox, and the service of the browsers it sends to."""

    def __init__(self, service: PushService, queue: int) -> None:
        self.service = service
        self.counts: Counter[str] = Counter()
        self.removed: list[str] = []
        self.signer = Signer(bytes(31) + b"\x07", "mailto:a@example.org", clock=now_ms)
        settings = PushSettings(private_addresses=True, queue=queue)
        random = secrets.token_bytes
        self.outbox = Outbox(settings, self.signer, self._remove, self.counts, random=random, first_pause=0.01)

    async def _remove(self, endpoint: str) -> None:
        self.removed.append(endpoint)

    def browser(self) -> Browser:
        made = self.service.browser()
        made.server_key = unb64(self.signer.public)
        return made

    def offer(self, browser: Browser, text: str, topic: str = "a") -> None:
        keys = browser.subscription()["keys"]
        public, auth = receiver_keys(keys["p256dh"], keys["auth"])
        payload = msgspec.json.encode({"text": text})
        self.outbox.offer(Message(Subscription(browser.endpoint, public, auth), payload, topic, "normal"))

    async def until(self, outcome: str, count: int) -> None:
        async with asyncio.timeout(10):
            while self.counts[outcome] < count:
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def office_of(queue: int) -> AsyncIterator[Office]:
    async with push_service() as service:
        office = Office(service, queue)
        office.outbox.start()
        try:
            yield office
        finally:
            service.open_all()
            await office.outbox.stop()


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with office_of(10_000) as built:
        yield built


def texts(browser: Browser) -> list[str]:
    return [one.notice["text"] for one in browser.received]


async def test_slow_endpoint_has_one_request_and_holds_up_no_other(office: Office) -> None:
    slow, other = office.browser(), office.browser()
    slow.gate = asyncio.Event()
    for number in range(40):
        office.offer(slow, str(number), topic=str(number))
    await slow.wait_at_gate(1)
    office.offer(other, "here")
    await other.wait_for(1)
    await office.until("sent", 1)
    assert slow.at_gate == 1
    slow.gate.set()
    await slow.wait_for(40)
    assert texts(slow) == [str(number) for number in range(40)]


async def test_newer_one_of_a_topic_takes_the_place_of_the_one_that_waits(office: Office) -> None:
    browser = office.browser()
    browser.gate = asyncio.Event()
    office.offer(browser, "first")
    await browser.wait_at_gate(1)
    for text in ("second", "third", "fourth"):
        office.offer(browser, text)
    office.offer(browser, "other", topic="b")
    assert (len(office.outbox), office.counts) == (2, {"replaced": 2})
    browser.gate.set()
    await browser.wait_for(3)
    assert texts(browser) == ["first", "fourth", "other"]


async def test_newer_one_takes_the_place_of_one_that_is_tried_again(office: Office) -> None:
    browser = office.browser()
    browser.gate = asyncio.Event()
    browser.statuses = [503]
    office.offer(browser, "old")
    await browser.wait_at_gate(1)
    office.offer(browser, "new")
    browser.gate.set()
    await office.until("sent", 1)
    assert texts(browser) == ["new"]
    assert office.counts == {"replaced": 1, "sent": 1}


async def test_of_many_topics_of_one_endpoint_the_oldest_are_dropped(office: Office) -> None:
    browser = office.browser()
    browser.gate = asyncio.Event()
    office.offer(browser, "first", topic="first")
    await browser.wait_at_gate(1)
    for number in range(60):
        office.offer(browser, str(number), topic=str(number))
    assert (len(office.outbox), office.counts["dropped"]) == (50, 10)
    browser.gate.set()
    await browser.wait_for(51)
    assert texts(browser) == ["first", *(str(number) for number in range(10, 60))]


async def test_those_that_were_told_to_wait_leave_room_for_the_others() -> None:
    async with office_of(queue=3) as office:
        waits, other = office.browser(), office.browser()
        waits.statuses, waits.extra = [429] * 50, "Retry-After: 900\r\n"
        office.offer(waits, "0", topic="0")
        await waits.wait_asked(1)
        async with asyncio.timeout(5):
            while not len(office.outbox):
                await asyncio.sleep(0.005)
        office.offer(waits, "1", topic="1")
        office.offer(waits, "2", topic="2")
        office.offer(other, "here")
        await other.wait_for(1)
        assert (len(office.outbox), office.counts["dropped"], waits.asked) == (2, 1, 1)


async def test_full_of_what_is_on_its_way_it_drops_what_comes() -> None:
    async with office_of(queue=2) as office:
        browser, other = office.browser(), office.browser()
        browser.gate = asyncio.Event()
        office.offer(browser, "0", topic="0")
        await browser.wait_at_gate(1)
        office.offer(browser, "1", topic="1")
        office.offer(browser, "2", topic="2")
        office.offer(other, "too many")
        assert (len(office.outbox), office.counts) == (2, {"dropped": 1})
        browser.gate.set()
        await browser.wait_for(3)
        office.offer(other, "again")
        await other.wait_for(1)
        assert texts(other) == ["again"]


async def test_what_waits_for_an_endpoint_that_is_gone_is_gone(office: Office) -> None:
    browser = office.browser()
    browser.gate, browser.statuses = asyncio.Event(), [410]
    office.offer(browser, "0", topic="0")
    await browser.wait_at_gate(1)
    office.offer(browser, "1", topic="1")
    browser.gate.set()
    await office.until("gone", 2)
    assert (len(office.outbox), browser.asked, office.removed) == (0, 1, [browser.endpoint])


async def test_name_that_is_none_is_refused_and_others_are_served(office: Office) -> None:
    nowhere, other = office.browser(), office.browser()
    nowhere.endpoint = "https://a..b/x"
    office.offer(nowhere, "nowhere")
    office.offer(other, "here")
    await other.wait_for(1)
    await office.until("refused", 1)
