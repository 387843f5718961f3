"""Sending: whatever an endpoint does, the others are served; what waits is bounded, for each and for all."""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from hongyan.config import Push as PushSettings
from hongyan.config import Settings
from hongyan.core.model import Caller
from hongyan.features.push import Browsers
from hongyan.features.push.encrypting import receiver_keys
from hongyan.features.push.model import Letter, Subscription
from hongyan.features.push.outbox import Message, Outbox, Outcome
from hongyan.messaging import now_ms
from tests.build import House, house
from tests.features.push.browser import Browser, PushService, push_service, unb64


class Office:
    """What sends to browsers, and their service."""

    def __init__(self, service: PushService, home: House) -> None:
        self.service = service
        random = secrets.token_bytes
        self.browsers = Browsers(home.store, home.messaging.log, home.settings, clock=now_ms, random=random, first_pause=0.01)
        self.counts = self.browsers.counts
        self.outbox = self.browsers._outbox
        self.removed: list[str] = []

    async def begin(self) -> None:
        self.key = unb64((await self.browsers.view(Caller("alice", "Alice", False, "t", "phone"))).key)
        self.browsers._remove = self._remove  # type: ignore[method-assign]

    async def _remove(self, endpoint: str) -> None:
        self.removed.append(endpoint)

    def browser(self) -> Browser:
        made = self.service.browser()
        made.server_key = self.key
        return made

    def offer(self, browser: Browser, text: str, topic: str = "a") -> None:
        keys = browser.subscription()["keys"]
        public, auth = receiver_keys(keys["p256dh"], keys["auth"])
        letter = Letter(Subscription(browser.endpoint, public, auth), msgspec.json.encode({"text": text}), topic, "normal")
        self.outbox.offer(Message(browser.endpoint, topic, letter))

    async def until(self, outcome: str, count: int) -> None:
        async with asyncio.timeout(10):
            while self.counts[outcome] < count:
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def office_of(folder: Path, queue: int) -> AsyncIterator[Office]:
    settings = Settings(push=PushSettings(private_addresses=True, queue=queue))
    async with push_service() as service, house(folder / "db", settings) as home:
        office = Office(service, home)
        await office.begin()
        try:
            yield office
        finally:
            service.open_all()
            await office.browsers.stop()


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with office_of(tmp_path, 10_000) as built:
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


async def test_those_that_were_told_to_wait_leave_room_for_the_others(tmp_path: Path) -> None:
    async with office_of(tmp_path, queue=3) as office:
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


async def test_full_of_what_is_on_its_way_it_drops_what_comes(tmp_path: Path) -> None:
    async with office_of(tmp_path, queue=2) as office:
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


async def test_of_one_site_so_many_are_under_way_and_the_others_wait_for_their_turn() -> None:
    began: list[str] = []
    gates = {site: asyncio.Event() for site in ("slow", "quick")}
    counts: Counter[str] = Counter()

    async def send(message: Message[str]) -> Outcome:
        began.append(message.key)
        await gates[message.site].wait()
        return Outcome("sent")

    outbox: Outbox[str] = Outbox(send, counts, queue=100, at_once=4, of_a_site=2)
    for number in range(5):
        outbox.offer(Message(f"slow {number}", "", "", "slow"))
    outbox.offer(Message("quick", "", "", "quick"))
    gates["quick"].set()
    async with asyncio.timeout(10):
        while not counts["sent"]:
            await asyncio.sleep(0.005)
    assert began == ["slow 0", "slow 1", "quick"]
    gates["slow"].set()
    async with asyncio.timeout(10):
        while counts["sent"] < 6:
            await asyncio.sleep(0.005)
    assert began[3:] == ["slow 2", "slow 3", "slow 4"]
    await outbox.stop()


async def test_a_subscription_that_was_told_has_its_rest() -> None:
    sent: list[str] = []
    counts: Counter[str] = Counter()

    async def send(message: Message[str]) -> Outcome:
        sent.append(message.content)
        return Outcome("sent")

    outbox: Outbox[str] = Outbox(send, counts, queue=100, at_once=4, rest=0.2)
    loop = asyncio.get_running_loop()
    began = loop.time()
    outbox.offer(Message("a", "", "one"))
    async with asyncio.timeout(10):
        while not counts["sent"]:
            await asyncio.sleep(0.005)
        for word in ("two", "three", "four"):
            outbox.offer(Message("a", "", word))
        while counts["sent"] < 2:
            await asyncio.sleep(0.005)
    assert (sent, counts["replaced"]) == (["one", "four"], 2)
    assert loop.time() - began >= 0.2
    await outbox.stop()
