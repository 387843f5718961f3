"""Devices that ask to be woken, and whether and how often they are, on whatever store. The push service is the test."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from hongyan.config import Identity as IdentitySettings
from hongyan.config import Settings
from hongyan.core.errors import NotAuthenticated, NotFound, Overloaded
from hongyan.core.model import Caller
from hongyan.core.own import Notify
from hongyan.features.identity import Identity
from hongyan.features.push import Outcome, Push, outbox
from hongyan.features.push.tables import push_subscriptions
from hongyan.features.xmpp import Registrations, Summary, Wake, Waking, waking
from hongyan.features.xmpp.subscriptions import Subscriptions
from hongyan.messaging import now_ms
from tests.build import House, house

PASSWORD = "correct horse"
SERVICE = "push.example"
_DAY = 86_400_000


class Site:
    """A house whose people have log-ins of XMPP, and nodes that wake their devices."""

    def __init__(self, home: House, identity: Identity, nodes: int, patience: float) -> None:
        self.home = home
        self.identity = identity
        self.now = now_ms
        log = home.messaging.log
        self.registrations = Registrations(home.store, log, 3, details=True, clock=lambda: self.now(), random=secrets.token_bytes)
        self.told: list[tuple[str, Summary]] = []
        """By node of the service, when it was asked."""
        self.answer: Callable[[Wake], Awaitable[Outcome]] = self._takes
        present = home.messaging.attendance.awake_of
        self.ways = [
            Waking(
                self.registrations,
                self._publish,
                present=present,
                site=lambda service: service,
                queue=100,
                clock=lambda: self.now(),
            )
            for _ in range(nodes)
        ]
        self.pushes = [
            Push(home.store, log, way, present=present, clock=now_ms, look=0.01, patience=patience) for way in self.ways
        ]

    async def _takes(self, wake: Wake) -> Outcome:
        return Outcome("sent")

    async def _publish(self, wake: Wake, summary: Summary) -> Outcome:
        self.told.append((wake.to.node, summary))
        return await self.answer(wake)

    async def log_in(self, user: str = "bob", device: str = "XMPP phone", password: str = PASSWORD) -> Caller:
        proven = await self.identity.prove(user, password, "192.0.2.1")
        return self.identity.check((await self.identity.enter(proven, device)).token)

    async def asleep(
        self, node: str = "a", user: str = "bob", device: str = "XMPP phone", options: str = "", password: str = PASSWORD
    ) -> None:
        caller = await self.log_in(user, device, password)
        await self.registrations.enable(caller, SERVICE, node, options)
        await self.identity.logout(caller)

    async def nodes(self, user: str = "bob", device: str = "XMPP phone") -> list[str]:
        return sorted(one.node for one in await self.registrations.of(user, device))

    async def say(self, text: str = "你好", sender: str = "alice", whom: str = "bob") -> int:
        direct, _ = await self.home.messaging.conversations.create_direct(self.home.caller(sender), whom)
        return (await self.home.send(sender, direct.id, text)).position

    async def looked(self) -> None:
        """Every node has looked at everything, and nothing waits."""
        await self.home.settled()
        for push, way in zip(self.pushes, self.ways, strict=True):
            await until(lambda push=push: not push._missed)
            await push.turn()
            await until(lambda way=way: not way._outbox._lines)

    async def until_told(self, count: int) -> None:
        await until(lambda: len(self.told) >= count)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def site_on(place: Path | str, nodes: int = 1, patience: float = 0.05) -> AsyncIterator[Site]:
    chosen = Settings(identity=IdentitySettings(iterations=4_096), domain="example.org")
    async with house(place, chosen) as home:
        identity = Identity(home.store, home.messaging.people, chosen.identity)
        await identity.start(home.messaging.log, home.messaging.end_token)
        for name in ("alice", "bob", "carol"):
            await identity.add(name, PASSWORD, display=name.title())
        await home.settled()
        site = Site(home, identity, nodes, patience)
        for push in site.pushes:
            push.start()
        try:
            yield site
        finally:
            for push in site.pushes:
                await push.stop()
            await identity.stop()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waking, "_REST_SECONDS", 0.001)
    monkeypatch.setattr(outbox, "_RESTS", 0.0)  # on a slow machine everything is slow


@pytest.fixture
async def site(place: Path | str) -> AsyncIterator[Site]:
    async with site_on(place) as built:
        yield built


async def test_device_that_has_no_log_in_any_more_is_woken(site: Site) -> None:
    await site.asleep(options="<x/>")
    await site.say()
    await site.until_told(1)
    ((node, summary),) = site.told
    assert (node, summary.unread, summary.asking, summary.options) == ("a", 1, 0, "<x/>")
    await site.looked()
    assert site.ways[0].counts == {"sent": 1}


async def test_it_is_told_how_much_is_unread_and_who_asks(site: Site) -> None:
    subscriptions = Subscriptions(site.home.store, site.home.messaging.log, clock=lambda: 1)
    await subscriptions.change("bob", "romeo@other.example", lambda now: type(now)(asked=True))
    await site.say(whom="bob")
    group = await site.home.group("alice", "bob")
    sent = await site.home.send("alice", group, "读过")
    await site.home.messaging.receipts.read(site.home.caller("bob"), group, sent.seq)
    await site.asleep()
    await site.say(whom="bob")
    await site.until_told(1)
    assert (site.told[0][1].unread, site.told[0][1].asking) == (2, 1)


async def test_last_request_of_a_node_counts(site: Site) -> None:
    await site.asleep(options="one")
    await site.asleep(options="other", device="XMPP tablet")
    assert (await site.nodes(), await site.nodes(device="XMPP tablet")) == ([], ["a"])
    await site.say()
    await site.until_told(1)
    await site.looked()
    assert [summary.options for _, summary in site.told] == ["other"]


async def test_of_an_account_the_last_that_asked_are_woken(site: Site) -> None:
    for time, node in enumerate("abcad"):
        site.now = lambda time=time: 1_000 + time
        await site.asleep(node)
    assert await site.nodes() == ["a", "c", "d"]
    await site.asleep("b", user="carol")
    assert len(await site.nodes()) == 3


async def test_nothing_is_asked_for_with_a_token_that_has_ended(site: Site) -> None:
    caller = await site.log_in()
    await site.identity.logout(caller)
    with pytest.raises(NotAuthenticated):
        await site.registrations.enable(caller, SERVICE, "a", "")
    assert await site.nodes() == []


async def test_all_log_ins_end_and_nobody_is_woken(site: Site) -> None:
    await site.asleep("a")
    await site.asleep("b", device="XMPP tablet")
    caller = await site.log_in(device="XMPP tablet")
    await site.asleep("c", user="carol")
    await site.identity.change_password(caller, PASSWORD, "another one", "192.0.2.1")
    assert (await site.nodes(), await site.nodes(device="XMPP tablet")) == ([], [])  # a thief may call theirs the same
    await site.asleep("b", device="XMPP tablet", password="another one")
    await site.identity.set_password("bob", PASSWORD)
    assert await site.nodes(device="XMPP tablet") == []
    await site.asleep("a")
    await site.identity.disable("bob")
    await site.identity.enable("bob")
    assert (await site.nodes(), await site.nodes("carol")) == ([], ["c"])


async def test_device_that_another_one_logs_out_is_not_woken(site: Site) -> None:
    phone, desk = await site.log_in(), await site.log_in(device="XMPP desk")
    await site.registrations.enable(phone, SERVICE, "a", "")
    await site.registrations.enable(desk, SERVICE, "b", "")
    await site.identity.end(desk, phone.token_id)
    assert (await site.nodes(), await site.nodes(device="XMPP desk")) == ([], ["b"])


async def test_device_that_sleeps_is_seen_among_the_log_ins_and_can_be_ended(site: Site) -> None:
    await site.asleep("a")
    await site.asleep("b")
    await site.asleep("c", user="carol")
    await site.asleep("d", device="XMPP tablet")
    desk = await site.log_in(device="XMPP desk")
    await site.registrations.enable(desk, SERVICE, "e", "")
    listed = await site.identity.tokens(desk)
    assert [(one.name, one.kind, one.expires is None) for one in listed] == [
        ("XMPP desk", "xmpp", False),
        ("XMPP tablet", "asleep", True),
        ("XMPP phone", "asleep", True),
    ]
    theirs = (await site.identity.tokens(await site.log_in("carol", "XMPP desk")))[-1]
    with pytest.raises(NotFound):
        await site.identity.end(desk, theirs.id)
    await site.identity.end(desk, listed[2].id)
    assert (await site.nodes(), await site.nodes(device="XMPP tablet"), await site.nodes("carol")) == ([], ["d"], ["c"])
    assert [one.name for one in await site.identity.tokens(desk)] == ["XMPP desk", "XMPP tablet"]


async def test_disabled_is_one_node_or_the_whole_service(site: Site) -> None:
    for node in "abc":
        await site.asleep(node)
    caller = await site.log_in()
    assert not await site.registrations.disable(await site.log_in("carol"), SERVICE, "a")
    assert await site.registrations.disable(caller, SERVICE, "a")
    assert not await site.registrations.disable(caller, SERVICE, "a")
    assert not await site.registrations.disable(caller, "other.example")
    assert await site.nodes() == ["b", "c"]
    assert await site.registrations.disable(caller, SERVICE)
    assert await site.nodes() == []


async def test_what_waits_while_it_is_disabled_is_not_sent(site: Site) -> None:
    gate = asyncio.Event()

    async def takes_its_time(wake: Wake) -> Outcome:
        await gate.wait()
        return Outcome("sent")

    site.answer = takes_its_time
    await site.asleep()
    await site.say("一")
    await site.until_told(1)
    await site.say("二")
    await until(lambda: site.ways[0].waiting)
    await site.registrations.disable(await site.log_in(), SERVICE, "a")
    gate.set()
    await site.looked()
    assert len(site.told) == 1


async def test_disabled_and_told_at_the_same_time(site: Site) -> None:
    """However it falls, nothing is sent when it is known to be disabled."""
    for number in range(20):
        await site.asleep()
        caller = await site.log_in("bob", "XMPP desk")
        await site.say(str(number))
        await asyncio.sleep(number / 1_000)
        await site.registrations.disable(caller, SERVICE, "a")
        before = len(site.told)
        await site.looked()
        assert len(site.told) - before <= 1  # it was on its way
        before = len(site.told)
        await site.say("没人听")
        await site.looked()
        assert len(site.told) == before


async def test_many_messages_wake_once_for_what_waits(site: Site) -> None:
    gate = asyncio.Event()

    async def takes_its_time(wake: Wake) -> Outcome:
        await gate.wait()
        return Outcome("sent")

    site.answer = takes_its_time
    await site.asleep()
    await site.say("0")
    await site.until_told(1)
    for number in range(1, 20):
        last = await site.say(str(number))
    (line,) = site.ways[0]._outbox._lines.values()
    await until(lambda: line.waiting and line.waiting[""].content.position == last)
    gate.set()
    await site.until_told(2)
    await site.looked()
    assert [summary.unread for _, summary in site.told] == [1, 20]


async def test_one_that_says_later_is_asked_again_and_one_that_says_never_is_not(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = [Outcome("later", 0.001), Outcome("later", 0.001), Outcome("sent"), Outcome("gone")]

    async def answer(wake: Wake) -> Outcome:
        return outcomes.pop(0)

    site.answer = answer
    await site.asleep()
    await site.say("一")
    await site.until_told(3)
    await site.looked()
    assert await site.nodes() == ["a"]
    await site.say("二")
    await site.until_told(4)
    await until(lambda: site.ways[0].counts["gone"])
    await site.say("三")
    await site.looked()
    assert (len(site.told), await site.nodes()) == (4, [])


async def test_what_is_to_be_tried_again_is_not_lost_when_it_is_told_of_anew(site: Site) -> None:
    outcomes = [Outcome("later", 0.1), Outcome("sent")]

    async def answer(wake: Wake) -> Outcome:
        return outcomes.pop(0)

    site.answer = answer
    await site.asleep()
    await site.say()
    await site.until_told(1)
    site.pushes[0].missed(site.ways[0], "bob", "XMPP phone", 0)
    await site.looked()
    assert (len(site.told), outcomes) == (2, [])


async def test_service_that_takes_nothing_for_a_week_is_forgotten(site: Site) -> None:
    async def nothing(wake: Wake) -> Outcome:
        return Outcome("failed")

    began = now_ms()
    await site.asleep()
    site.answer = nothing
    site.now = lambda: began + 6 * _DAY
    await site.say("一")
    await until(lambda: site.ways[0].counts["failed"] == 1)
    site.answer = site._takes
    await site.say("二")
    await until(lambda: site.ways[0].counts["sent"] == 1)
    site.answer = nothing
    site.now = lambda: began + 12 * _DAY
    await site.say("三")
    await until(lambda: site.ways[0].counts["failed"] == 2)
    site.now = lambda: began + 12 * _DAY + _DAY // 2
    await site.say("四")
    await until(lambda: site.ways[0].counts["failed"] == 3)
    site.now = lambda: began + 14 * _DAY
    await site.say("五")
    await until(lambda: site.ways[0].counts["gone"] == 1)
    assert await site.nodes() == []


async def test_one_failure_after_a_quiet_week_forgets_nobody(site: Site) -> None:
    async def nothing(wake: Wake) -> Outcome:
        return Outcome("failed")

    began = now_ms()
    await site.asleep()
    site.answer = nothing
    site.now = lambda: began + 30 * _DAY
    await site.say()
    await until(lambda: site.ways[0].counts["failed"] == 1)
    assert await site.nodes() == ["a"]


async def test_what_was_missed_is_found_behind_much_that_others_said(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hongyan.features.push.service._MISSED_EVENTS", 10)
    await site.asleep()
    async with connected(site, await site.log_in()):
        for number in range(20):
            last = await site.say(str(number), "alice", "carol")
        await site.say("没到")
        await site.looked()
    assert site.told == []
    await until(lambda: not site.home.messaging.attendance.devices_of("bob"))
    site.pushes[0].missed(site.ways[0], "bob", "XMPP phone", last - 20)
    await site.until_told(1)


async def test_what_was_missed_is_looked_for_again_when_the_store_could_not_be_read(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = 0

    async def fails(fn: Any) -> Any:
        nonlocal failed
        failed += 1
        raise Overloaded

    monkeypatch.setattr("hongyan.features.push.service._TROUBLE_SECONDS", 0.01)
    await site.asleep()
    async with connected(site, await site.log_in()):
        said = await site.say("没到")
        await site.looked()
    await until(lambda: not site.home.messaging.attendance.devices_of("bob"))
    with monkeypatch.context() as away:
        away.setattr(site.home.store, "read", fails)
        site.pushes[0].missed(site.ways[0], "bob", "XMPP phone", said - 1)
        await until(lambda: failed > 2)
    await site.until_told(1)


async def test_of_many_who_are_lost_only_those_with_a_registration_are_looked_at(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    look = site.pushes[0]._look_back_for

    async def watched(way: Any, user: str, device: str, after: int) -> None:
        looked.append(device)
        await look(way, user, device, after)

    monkeypatch.setattr(site.pushes[0], "_look_back_for", watched)
    await site.asleep()
    for number in range(50):
        site.pushes[0].missed(site.ways[0], "bob", f"XMPP {number}", 0)
    site.pushes[0].missed(site.ways[0], "bob", "XMPP phone", 0)
    await site.looked()
    assert looked == ["XMPP phone"]


@contextlib.asynccontextmanager
async def connected(site: Site, caller: Caller) -> AsyncIterator[Callable[[bool], None]]:
    """A stream of theirs that is available; what is given tells whether it answers."""
    messaging = site.home.messaging
    session = await messaging.sessions.open(caller, "xmpp", None, lambda: None, lambda verdict: None)
    messaging.presence.appear(session, "online", None, "phone")
    await until(lambda: caller.token_id in [device.token_id for device in messaging.attendance.awake_of(caller.user)])
    yield lambda answers: messaging.presence.answers(session, answers)
    session.close()


async def test_device_that_is_connected_is_woken_when_it_does_not_answer(site: Site) -> None:
    await site.asleep()
    phone = await site.log_in()
    attendance = site.home.messaging.attendance
    async with connected(site, phone) as answers:
        await site.say("看着")
        await site.looked()
        assert site.told == []
        answers(False)
        await until(lambda: not attendance.awake_of("bob"))
        assert len(attendance.devices_of("bob")) == 1  # for others it is there
        await site.say("睡着")
        await site.until_told(1)
        answers(True)
        await until(lambda: attendance.awake_of("bob"))
        await site.say("醒了")
        await site.looked()
        assert len(site.told) == 1


async def test_what_it_may_not_have_wakes_it_once_when_it_is_out_of_reach(site: Site) -> None:
    await site.asleep()
    await site.asleep("b", device="XMPP tablet")
    async with connected(site, await site.log_in()), connected(site, await site.log_in(device="XMPP tablet")):
        first = await site.say("到了")
        last = await site.say("没到")
        await site.looked()
    await until(lambda: not site.home.messaging.attendance.devices_of("bob"))
    push, way = site.pushes[0], site.ways[0]
    push.missed(way, "bob", "XMPP phone", last)  # it has everything
    await site.looked()
    assert site.told == []
    push.missed(way, "bob", "XMPP phone", first)
    await site.until_told(1)
    push.missed(way, "bob", "XMPP phone", first)
    await site.looked()
    assert [node for node, _ in site.told] == ["a"]


async def test_who_is_back_soon_is_not_woken(site: Site) -> None:
    await site.asleep()
    async with connected(site, await site.log_in()):
        await site.say("没到")
        await site.looked()
        site.pushes[0].missed(site.ways[0], "bob", "XMPP phone", 0)
        await site.looked()
    assert site.told == []


async def test_who_looks_at_a_page_is_not_woken(site: Site) -> None:
    """One that shows notifications itself, as for Web Push; another one changes nothing."""
    await site.asleep()
    page = await site.log_in(device="Chrome")
    messaging = site.home.messaging
    session = await messaging.sessions.open(page, "websocket", None, lambda: None, lambda verdict: None)
    await until(lambda: messaging.attendance.awake_of("bob"))
    await site.say("一")
    await site.until_told(1)
    row = dict(token=page.token_id, user="bob", endpoint="https://a", public=b"", auth=b"", created=1)
    await site.home.store.transaction(lambda tx: tx.connection.execute(insert(push_subscriptions).values(**row)))
    await site.say("二")
    await site.looked()
    assert len(site.told) == 1
    session.close()


async def test_own_messages_and_those_nobody_wants_wake_nobody(site: Site) -> None:
    await site.asleep()
    group = await site.home.group("alice", "bob")
    await site.home.messaging.owning.do(site.home.caller("bob"), Notify(group, "nothing"))
    await site.home.send("alice", group)
    await site.say("我的", sender="bob", whom="alice")
    await site.looked()
    assert site.told == []


async def test_of_several_nodes_one_wakes(postgresql_url: str) -> None:
    async with site_on(postgresql_url, nodes=3) as site:
        for node in "ab":
            await site.asleep(node)
        for count in range(1, 11):
            await site.say()
            await site.looked()
            assert [node for node, _ in site.told].count("a") == [node for node, _ in site.told].count("b") == count
