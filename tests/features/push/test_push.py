"""Telling browsers: who is told, what they read, what becomes of subscriptions, and that several nodes tell once."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from hongyan.config import Identity as IdentitySettings
from hongyan.config import Push as PushSettings
from hongyan.config import Settings
from hongyan.core.content import Text
from hongyan.core.errors import Invalid, NotAuthenticated, NotFound
from hongyan.core.model import Caller
from hongyan.core.own import Follow, Notify, SetPreferences
from hongyan.core.preferences import Preferences
from hongyan.features.identity import Identity
from hongyan.features.push import Browsers, NewSubscription, Push, recipients
from hongyan.features.push import browsers as web
from hongyan.features.push.model import SubscriptionKeys
from hongyan.features.push.tables import push_claims, push_subscriptions
from hongyan.messaging import now_ms
from tests.build import House, house
from tests.features.push.browser import Browser, PushService, push_service, unb64


class Site:
    """A house whose people have log-ins, and nodes that tell browsers; they have no sessions unless a test opens one."""

    def __init__(self, home: House, identity: Identity, nodes: list[tuple[Push, Browsers]]) -> None:
        self.home = home
        self.identity = identity
        self.nodes = nodes
        self.push = nodes[0][1]
        self.callers: dict[str, Caller] = {}

    async def log_in(self, user: str, device: str = "phone") -> Caller:
        token = (await self.identity.login(user, "correct horse", device, "192.0.2.1")).token
        return self.identity.check(token)

    async def subscribe(self, browser: Browser, caller: Caller) -> None:
        browser.server_key = unb64((await self.push.view(caller)).key)
        given = browser.subscription()
        await self.push.subscribe(caller, NewSubscription(given["endpoint"], SubscriptionKeys(**given["keys"])))

    async def endpoints(self) -> list[str]:
        statement = select(push_subscriptions.c.endpoint)
        return await self.home.store.read(lambda connection: list(connection.execute(statement).scalars()))

    async def counted(self, outcome: str) -> None:
        """Wait until something has had this outcome."""
        async with asyncio.timeout(10):
            while not self.push.counts[outcome]:
                await asyncio.sleep(0.005)

    async def looked(self) -> None:
        """Every node has looked at everything, and nothing waits."""
        await self.home.settled()
        async with asyncio.timeout(10):
            for push, way in self.nodes:
                await push.turn()
                while way.waiting:
                    await asyncio.sleep(0.005)


def settings(**chosen: object) -> Settings:
    push = PushSettings(**{"private_addresses": True, **chosen})  # type: ignore[arg-type]
    return Settings(push=push, identity=IdentitySettings(iterations=4_096), domain="example.org")


@contextlib.asynccontextmanager
async def site_on(place: Path | str, chosen: Settings, nodes: int = 1) -> AsyncIterator[Site]:
    async with house(place, chosen) as home:
        identity = Identity(home.store, home.messaging.people, chosen.identity)
        await identity.start(home.messaging.log, home.messaging.end_token)
        ways = [
            Browsers(home.store, home.messaging.log, chosen, clock=now_ms, random=secrets.token_bytes, first_pause=0.01)
            for _ in range(nodes)
        ]
        present = home.messaging.attendance.awake_of
        pushes = [Push(home.store, home.messaging.log, way, present=present, clock=now_ms, look=0.01) for way in ways]
        for name in ("alice", "bob", "carol"):
            await identity.add(name, "correct horse", display=name.title())
        await home.settled()
        for push in pushes:
            push.start()
        try:
            yield Site(home, identity, list(zip(pushes, ways, strict=True)))
        finally:
            for push in pushes:
                await push.stop()
            await identity.stop()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_on(tmp_path / "db", settings()) as built:
        yield built


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with push_service() as built:
        yield built


async def test_browser_is_told_what_was_said(site: Site, service: PushService) -> None:
    browser = service.browser()
    await site.subscribe(browser, await site.log_in("bob"))
    group = await site.home.group("alice", "bob")
    sent = await site.home.send("alice", group, "今天 **下午** 三点\n演练")
    (received,) = await browser.wait_for(1)
    assert received.notice == {
        "title": "项目组",
        "text": "Alice: 今天 **下午** 三点 演练",
        "conversation": group,
        "seq": sent.seq,
        "kind": "group",
        "sender": "alice",
        "time": sent.time,
        "why": "all",
    }
    assert (received.headers["urgency"], received.headers["ttl"]) == ("normal", "86400")
    assert len(received.headers["topic"]) == 32
    await site.counted("sent")
    assert site.push.counts == {"sent": 1}


async def test_direct_message_has_the_others_name_and_goes_at_once(site: Site, service: PushService) -> None:
    browser = service.browser()
    await site.subscribe(browser, await site.log_in("bob"))
    direct, _ = await site.home.messaging.conversations.create_direct(site.home.caller("alice"), "bob")
    await site.home.send("alice", direct.id, "长" * 500)
    (received,) = await browser.wait_for(1)
    assert received.notice["title"] == "Alice"
    assert received.notice["text"] == "长" * 199 + "…"
    assert received.headers["urgency"] == "high"


async def test_nobody_is_told_of_their_own_nor_of_what_they_do_not_want(site: Site, service: PushService) -> None:
    alices, bobs, carols = service.browser(), service.browser(), service.browser()
    await site.subscribe(alices, await site.log_in("alice"))
    await site.subscribe(bobs, await site.log_in("bob"))
    await site.subscribe(carols, await site.log_in("carol"))
    group = await site.home.group("alice", "bob", "carol")
    caller = site.home.caller
    await site.home.messaging.owning.do(caller("bob"), Notify(group, "mentions"))
    quiet = Preferences(dnd_until=now_ms() + 60_000)
    await site.home.messaging.owning.do(caller("carol"), SetPreferences(quiet))
    await site.home.send("alice", group, "一")
    await site.home.messaging.sender.send(caller("alice"), group, "m", Text("二", mentions=("bob", "carol")))
    await bobs.wait_for(1)
    await site.looked()
    assert [one.notice["text"] for one in bobs.received] == ["Alice: 二"]
    assert bobs.received[0].notice["why"] == "mention"
    assert alices.received == carols.received == []


async def test_only_members_are_told_and_only_of_what_they_may_read(site: Site, service: PushService) -> None:
    carols = service.browser()
    await site.subscribe(carols, await site.log_in("carol"))
    group = await site.home.group("alice", "bob", "carol")
    await site.home.messaging.conversations.remove(site.home.caller("alice"), group, "carol")
    await site.home.send("alice", group, "秘密")
    await site.looked()
    assert carols.received == []


async def test_threads_are_told_to_who_follows_them(site: Site, service: PushService) -> None:
    bobs, carols = service.browser(), service.browser()
    await site.subscribe(bobs, await site.log_in("bob"))
    await site.subscribe(carols, await site.log_in("carol"))
    group = await site.home.group("alice", "bob", "carol")
    await site.home.messaging.owning.do(
        site.home.caller("bob"), Follow(group, (await site.home.send("alice", group, "话题")).seq)
    )
    await bobs.wait_for(1)
    seq = bobs.received[0].notice["seq"]
    await site.home.messaging.sender.send(site.home.caller("alice"), group, "r", Text("回复", thread=seq))
    await bobs.wait_for(2)
    await site.looked()
    assert bobs.received[1].notice["thread"] == seq
    assert len(carols.received) == 1


async def test_who_has_a_page_open_is_not_told_unless_they_are_away(site: Site, service: PushService) -> None:
    browser = service.browser()
    bob = await site.log_in("bob", "desk")
    await site.subscribe(browser, bob)
    group = await site.home.group("alice", "bob")
    ended: list[object] = []
    session = await site.home.messaging.sessions.open(bob, "websocket", None, lambda: None, ended.append)
    async with asyncio.timeout(5):
        while not site.home.messaging.attendance.devices_of("bob"):
            await asyncio.sleep(0.01)
    await site.home.send("alice", group, "看着")
    await site.looked()
    site.home.messaging.presence.set_status(bob, "away", None)
    async with asyncio.timeout(5):
        while site.home.messaging.attendance.devices_of("bob")[0].status != "away":
            await asyncio.sleep(0.01)
    await site.home.send("alice", group, "走开")
    await browser.wait_for(1)
    assert [one.notice["text"] for one in browser.received] == ["Alice: 走开"]
    session.close()


async def test_session_of_another_kind_of_client_keeps_nobody_from_being_told(site: Site, service: PushService) -> None:
    browser = service.browser()
    await site.subscribe(browser, await site.log_in("bob", "phone"))
    robot = await site.log_in("bob", "robot")
    session = await site.home.messaging.sessions.open(robot, "sse", None, lambda: None, lambda verdict: None)
    async with asyncio.timeout(5):
        while not site.home.messaging.attendance.devices_of("bob"):
            await asyncio.sleep(0.01)
    group = await site.home.group("alice", "bob")
    await site.home.send("alice", group)
    await browser.wait_for(1)
    session.close()


async def test_another_browser_of_the_same_name_keeps_nobody_from_being_told(site: Site, service: PushService) -> None:
    browser = service.browser()
    await site.subscribe(browser, await site.log_in("bob", "Chrome"))
    other = await site.log_in("bob", "Chrome")
    session = await site.home.messaging.sessions.open(other, "websocket", None, lambda: None, lambda verdict: None)
    async with asyncio.timeout(5):
        while not site.home.messaging.attendance.devices_of("bob"):
            await asyncio.sleep(0.01)
    group = await site.home.group("alice", "bob")
    await site.home.send("alice", group)
    await browser.wait_for(1)
    session.close()


@pytest.mark.parametrize("status", [404, 410])
async def test_subscription_that_is_gone_is_removed(site: Site, service: PushService, status: int) -> None:
    browser = service.browser()
    await site.subscribe(browser, await site.log_in("bob"))
    browser.statuses = [status]
    group = await site.home.group("alice", "bob")
    await site.home.send("alice", group)
    await browser.wait_asked(1)
    async with asyncio.timeout(5):
        while await site.endpoints():
            await asyncio.sleep(0.01)
    assert site.push.counts == {"gone": 1}


async def test_service_in_trouble_gets_it_later(site: Site, service: PushService) -> None:
    browser = service.browser()
    await site.subscribe(browser, await site.log_in("bob"))
    browser.statuses = [503, 429]
    group = await site.home.group("alice", "bob")
    await site.home.send("alice", group)
    await browser.wait_for(1)
    await site.counted("sent")
    assert (browser.asked, site.push.counts) == (3, {"sent": 1})


async def test_service_that_stays_in_trouble_is_given_up_and_the_subscription_kept(site: Site, service: PushService) -> None:
    browser = service.browser()
    await site.subscribe(browser, await site.log_in("bob"))
    browser.statuses = [500] * 20
    group = await site.home.group("alice", "bob")
    await site.home.send("alice", group)
    await site.counted("failed")
    assert browser.asked <= 4
    assert await site.endpoints() == [browser.endpoint]


async def test_redirection_leads_nowhere(site: Site, service: PushService) -> None:
    browser, other = service.browser(), service.browser()
    await site.subscribe(browser, await site.log_in("bob"))
    browser.statuses, browser.extra = [307] * 20, f"Location: {other.endpoint}\r\n"
    group = await site.home.group("alice", "bob")
    await site.home.send("alice", group)
    await site.counted("failed")
    assert other.asked == 0


async def test_logged_out_is_told_nothing(site: Site, service: PushService) -> None:
    browser = service.browser()
    bob = await site.log_in("bob")
    await site.subscribe(browser, bob)
    await site.identity.logout(bob)
    assert await site.endpoints() == []
    group = await site.home.group("alice", "bob")
    await site.home.send("alice", group)
    await site.looked()
    assert browser.asked == 0
    with pytest.raises(NotAuthenticated):
        await site.subscribe(browser, bob)


async def test_browser_that_changes_hands_tells_nobody_of_the_one_before(site: Site, service: PushService) -> None:
    browser = service.browser()
    await site.subscribe(browser, await site.log_in("bob"))
    await site.subscribe(browser, await site.log_in("carol"))
    group = await site.home.group("alice", "bob")
    await site.home.send("alice", group)
    await site.looked()
    assert browser.asked == 0
    assert await site.endpoints() == [browser.endpoint]


async def test_device_has_one_subscription_until_it_ends_it(site: Site, service: PushService) -> None:
    one, other = service.browser(), service.browser()
    bob = await site.log_in("bob")
    await site.subscribe(one, bob)
    await site.subscribe(other, bob)
    assert await site.endpoints() == [other.endpoint]
    assert (await site.push.view(bob)).subscribed
    await site.push.unsubscribe(bob)
    await site.push.unsubscribe(bob)
    assert not (await site.push.view(bob)).subscribed


async def test_addresses_of_this_network_are_refused_unless_allowed(tmp_path: Path, service: PushService) -> None:
    async with site_on(tmp_path / "db", settings(private_addresses=False)) as site:
        bob, keys = await site.log_in("bob"), SubscriptionKeys(**service.browser().subscription()["keys"])
        for url in (service.browser().endpoint, "https://127.0.0.1/a", "https://localhost/a", "https://[::ffff:10.0.0.1]/a"):
            with pytest.raises(Invalid):
                await site.push.subscribe(bob, NewSubscription(url, keys))


async def test_name_that_leads_here_later_is_not_called(
    tmp_path: Path, service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = service.browser()
    async with site_on(tmp_path / "db", settings()) as site:
        await site.subscribe(browser, await site.log_in("bob"))
    async with site_on(tmp_path / "db2", settings(private_addresses=False)) as site:
        bob, keys = await site.log_in("bob"), SubscriptionKeys(**browser.subscription()["keys"])
        loop = asyncio.get_running_loop()
        answers = ["142.250.1.95", "127.0.0.1"]

        async def getaddrinfo(host: str, port: int, **more: object) -> list[object]:
            return [(2, 1, 6, "", (answers.pop(0), port))]

        monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo, raising=False)
        await site.push.subscribe(bob, NewSubscription("https://push.example/a", keys))
        group = await site.home.group("alice", "bob")
        await site.home.send("alice", group)
        await site.counted("refused")
    assert browser.asked == 0


async def test_full_queue_drops(tmp_path: Path, service: PushService) -> None:
    async with site_on(tmp_path / "db", settings(queue=1)) as site:
        browser = service.browser()
        browser.gate = asyncio.Event()
        await site.subscribe(browser, await site.log_in("bob"))
        one, two, three = [await site.home.group("alice", "bob") for _ in range(3)]
        await site.home.send("alice", one)
        await browser.wait_at_gate(1)
        await site.home.send("alice", two)
        async with asyncio.timeout(5):
            while not site.push.waiting:
                await asyncio.sleep(0.01)
        await site.home.send("alice", three)
        await site.counted("dropped")
        browser.gate.set()
        await browser.wait_for(2)
        assert [received.notice["conversation"] for received in browser.received] == [one, two]


async def test_switched_off_is_not_found(tmp_path: Path, service: PushService) -> None:
    async with site_on(tmp_path / "db", settings(enabled=False)) as site:
        bob = await site.log_in("bob")
        with pytest.raises(NotFound):
            await site.push.view(bob)


async def test_key_is_the_same_after_a_restart(tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        async with house(tmp_path / "db", settings()) as home:
            push = Browsers(home.store, home.messaging.log, home.settings, clock=now_ms, random=secrets.token_bytes)
            keys.append((await push.view(home.caller("alice"))).key)
    assert keys[0] == keys[1]


async def test_one_of_several_nodes_tells(postgresql_url: str, service: PushService) -> None:
    async with site_on(postgresql_url, settings(), nodes=3) as site:
        browser = service.browser()
        await site.subscribe(browser, await site.log_in("bob"))
        for number in range(20):
            await site.home.send("alice", await site.home.group("alice", "bob"), str(number))
        await browser.wait_for(20)
        await site.looked()
        assert sorted(int(one.notice["text"].removeprefix("Alice: ")) for one in browser.received) == list(range(20))


async def test_nodes_take_what_somebody_subscribed_to_and_one_of_them_makes_it_once(
    postgresql_url: str, service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    notice = web.notice
    monkeypatch.setattr(web, "notice", lambda told: made.append(told.event.seq) or notice(told))
    async with site_on(postgresql_url, settings(), nodes=3) as site:
        browsers = [service.browser() for _ in range(2)]
        await site.subscribe(browsers[0], await site.log_in("bob", "one"))
        await site.subscribe(browsers[1], await site.log_in("bob", "two"))
        for number in range(3):
            await site.home.send("alice", await site.home.group("alice", "carol"), str(number))
        sent = await site.home.send("alice", await site.home.group("alice", "bob"))
        for browser in browsers:
            await browser.wait_for(1)
        await site.looked()
        claims = select(push_claims.c.position)
        taken = await site.home.store.read(lambda connection: list(connection.execute(claims).scalars()))
        assert (taken, made) == ([sent.position], [sent.seq])


async def test_subscriptions_are_looked_at_page_by_page(
    site: Site, service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipients, "_PAGE", 2)
    bobs, carols = [service.browser() for _ in range(3)], [service.browser() for _ in range(4)]
    tokens = [await site.log_in("bob", str(number)) for number in range(3)]
    for browser, caller in zip(bobs, tokens, strict=True):
        await site.subscribe(browser, caller)
    for browser in carols:
        await site.subscribe(browser, await site.log_in("carol"))
    last = max(tokens, key=lambda caller: caller.token_id)
    session = await site.home.messaging.sessions.open(last, "websocket", None, lambda: None, lambda verdict: None)
    async with asyncio.timeout(5):
        while not site.home.messaging.attendance.devices_of("bob"):
            await asyncio.sleep(0.01)
    group = await site.home.group("alice", "bob", "carol")
    await site.home.send("alice", group)
    for browser in carols:
        await browser.wait_for(1)
    await site.looked()
    assert [browser.asked for browser in bobs + carols] == [0, 0, 0, 1, 1, 1, 1]
    session.close()


async def test_without_room_no_more_subscriptions_are_looked_at(
    tmp_path: Path, service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    page = recipients.page
    monkeypatch.setattr(recipients, "_PAGE", 2)
    monkeypatch.setattr(recipients, "page", lambda *asked: looked.append(asked) or page(*asked))
    async with site_on(tmp_path / "db", settings(queue=1)) as site:
        for _ in range(7):
            await site.subscribe(service.browser(), await site.log_in("bob"))
        await site.home.send("alice", await site.home.group("alice", "bob"))
        await site.counted("sent")
        await site.looked()
        assert (len(looked), site.push.counts) == (1, {"sent": 1, "dropped": 1})
