"""Timers go exactly once: what is sent and told, what cannot go, and races for the moment itself."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hongyan.config import Settings
from hongyan.config import Timers as Limits
from hongyan.core.content import Forward, Text
from hongyan.core.errors import ClientIdReused, Conflict, Invalid, NotFound
from hongyan.features.timers import Going, NewReminder, NewSend, Timers, TimerView
from tests.build import House, house

BEGIN = 1_700_000_000_000


class Time:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> int:
        return self.now


class Watch:
    """A house with timers, and `nodes` loops that are not running: a test lets them look."""

    def __init__(self, home: House, settings: Settings, nodes: int = 1) -> None:
        self.home = home
        self.time = Time()
        self.timers = Timers(home.store, home.messaging.log, settings, clock=self.time, random=random.randbytes)
        self.nodes = [Going(home.store, home.messaging.log, settings, clock=self.time, look=0.02) for _ in range(nodes)]
        self._ids = 0

    async def later(self, conversation: str, text: str = "晚安", user: str = "alice", after: int = 1000) -> TimerView:
        self._ids += 1
        new = NewSend(conversation, Text(text), self.time.now + after, f"t{self._ids}")
        return await self.timers.make(self.home.caller(user), new)

    async def go(self) -> None:
        """All nodes look at the same moment."""
        await asyncio.gather(*(node.round() for node in self.nodes))
        await self.home.settled()

    async def texts(self, conversation: str) -> list[str]:
        log = [event for event in await self.home.log() if event.lane == conversation and event.type == "message"]
        return [msgspec.json.decode(event.content)["text"] for event in log]

    async def listed(self, user: str = "alice") -> list[TimerView]:
        return (await self.timers.all(self.home.caller(user))).timers


@pytest.fixture
async def watch(place: Path | str) -> AsyncIterator[Watch]:
    async with house(place) as home:
        await home.add("alice", "bob", "carol")
        yield Watch(home, Settings(), 2)


async def test_message_is_sent_when_it_is_due_and_not_before(watch: Watch) -> None:
    group = await watch.home.group("alice", "bob")
    timer = await watch.later(group)
    await watch.go()
    assert await watch.texts(group) == []
    assert await watch.listed() == [timer]
    watch.time.now += 1000
    await watch.go()
    await watch.go()
    assert await watch.texts(group) == ["晚安"]
    assert await watch.listed() == []
    assert sum(node.gone["sent"] for node in watch.nodes) == 1
    sent = next(event for event in await watch.home.log() if event.lane == group and event.type == "message")
    assert (sent.sender, sent.time, sent.client_id) == ("alice", BEGIN + 1000, f"timer-{timer.id}")


async def test_reminder_comes_in_ones_own_lane(watch: Watch) -> None:
    group = await watch.home.group("alice", "bob")
    seq = (await watch.home.send("bob", group)).seq
    timer = await watch.timers.make(watch.home.caller("alice"), NewReminder(group, seq, BEGIN + 5, "回他"))
    reader = await watch.home.reader("alice")
    watch.time.now += 5
    await watch.go()
    await reader.wait_for(1, "timer")
    told = [(event.type, msgspec.json.decode(event.content)) for event in reader.events]
    assert told[0] == ("reminder", {"id": timer.id, "conversation": group, "seq": seq, "note": "回他"})
    assert told[1][0] == "timer"
    assert "timer" not in told[1][1]


async def test_all_that_are_due_at_once_go_once_each(watch: Watch) -> None:
    group = await watch.home.group("alice", "bob")
    for n in range(60):
        await watch.later(group, f"{n}")
    watch.time.now += 1000
    await watch.go()
    assert sorted(await watch.texts(group), key=int) == [f"{n}" for n in range(60)]


async def test_text_of_a_timer_leaves_the_log_with_it(watch: Watch) -> None:
    group = await watch.home.group("alice", "bob")
    before = watch.home.messaging.log.cursor()
    one, two = await watch.later(group, "秘密一"), await watch.later(group, "秘密二")
    await watch.timers.change(watch.home.caller("alice"), one.id, content=Text("公开"))
    await watch.timers.cancel(watch.home.caller("alice"), two.id)
    watch.time.now += 1000
    await watch.go()
    assert not any("秘密".encode() in event.content for event in await watch.home.log())
    reader = await watch.home.reader("alice", before)
    await reader.caught_up()
    assert not any("秘密".encode() in event.content for event in reader.events)


async def test_what_cannot_be_sent_stays_with_the_reason_until_it_is_changed(watch: Watch) -> None:
    home, group = watch.home, await watch.home.group("bob", "alice")
    timer = await watch.later(group)
    await home.messaging.conversations.remove(home.caller("bob"), group, "alice")
    watch.time.now += 1000
    reader = await home.reader("alice")
    await watch.go()
    await watch.go()
    [failed] = await watch.listed()
    assert (failed.id, failed.failed) == (timer.id, "not-found")
    assert failed.detail
    [told] = await reader.wait_for(1, "timer")
    assert msgspec.json.decode(told.content)["timer"]["failed"] == "not-found"
    with pytest.raises(Invalid):
        await watch.timers.change(home.caller("alice"), timer.id, content=Text("另一句"))
    await home.messaging.conversations.add(home.caller("bob"), group, ["alice"])
    await watch.timers.change(home.caller("alice"), timer.id, due=watch.time.now + 1)
    watch.time.now += 1
    await watch.go()
    assert await watch.texts(group) == ["晚安"]
    assert await watch.listed() == []


async def test_a_disabled_account_sends_nothing(watch: Watch) -> None:
    home, group = watch.home, await watch.home.group("alice", "bob")
    await watch.later(group)
    await home.store.transaction(lambda tx: home.messaging.people.disable(tx, "alice", True))
    watch.time.now += 1000
    await watch.go()
    assert await watch.texts(group) == []
    assert [timer.failed for timer in await watch.listed()] == ["forbidden"]


async def test_rights_are_those_of_the_moment_of_sending(watch: Watch) -> None:
    home, source = watch.home, await watch.home.group("bob", "alice")
    aim = await home.group("alice", "carol")
    seq = (await home.send("bob", source, "内部")).seq
    new = NewSend(aim, Forward(source, (seq,)), BEGIN + 1, "f")
    await watch.timers.make(home.caller("alice"), new)
    await home.messaging.conversations.remove(home.caller("bob"), source, "alice")
    watch.time.now += 1
    await watch.go()
    assert not [event for event in await home.log() if event.lane == aim and event.type == "message"]
    assert [timer.failed for timer in await watch.listed()] == ["not-found"]


async def test_cancel_against_sending(watch: Watch) -> None:
    group = await watch.home.group("alice", "bob")
    for n in range(12):
        timer = await watch.later(group, f"{n}")
        watch.time.now += 1000
        cancelled, *_ = await asyncio.gather(
            watch.timers.cancel(watch.home.caller("alice"), timer.id), watch.go(), watch.go(), return_exceptions=True
        )
        assert cancelled is None or isinstance(cancelled, NotFound)
        assert (f"{n}" in await watch.texts(group)) == isinstance(cancelled, NotFound)
        assert await watch.listed() == []


async def test_change_against_sending(watch: Watch) -> None:
    home, group = watch.home, await watch.home.group("alice", "bob")
    for n in range(12):
        timer = await watch.later(group, f"old {n}")
        watch.time.now += 1000
        later = watch.time.now + 500
        change = watch.timers.change(home.caller("alice"), timer.id, content=Text(f"new {n}"), due=later)
        changed, *_ = await asyncio.gather(change, watch.go(), watch.go(), return_exceptions=True)
        if isinstance(changed, NotFound):
            assert (await watch.texts(group))[-1] == f"old {n}"
        else:
            assert f"old {n}" not in await watch.texts(group)
        watch.time.now += 500
        await watch.go()
        assert len(await watch.texts(group)) == n + 1


async def test_leaving_against_sending_never_sends_from_outside(watch: Watch) -> None:
    home = watch.home
    for n in range(8):
        group = await home.group("bob", "alice")
        await watch.later(group, f"{n}")
        watch.time.now += 1000
        await asyncio.gather(home.messaging.conversations.remove(home.caller("alice"), group, "alice"), watch.go())
        lane = [event for event in await home.log() if event.lane == group]
        kinds = [event.type for event in lane]
        assert kinds in (["create", "message", "member"], ["create", "member"])
        for timer in await watch.listed():
            await watch.timers.cancel(home.caller("alice"), timer.id)


async def test_a_clock_that_jumps_changes_only_when(watch: Watch) -> None:
    group = await watch.home.group("alice", "bob")
    await watch.later(group)
    watch.time.now -= 86_400_000
    await watch.go()
    assert await watch.texts(group) == []
    watch.time.now += 10 * 86_400_000
    await watch.go()
    watch.time.now -= 5 * 86_400_000
    await watch.go()
    assert await watch.texts(group) == ["晚安"]


async def test_retry_makes_one_timer_also_when_it_has_gone(watch: Watch) -> None:
    home, group = watch.home, await watch.home.group("alice", "bob")
    new = NewSend(group, Text("晚安"), BEGIN + 1000, "same")
    made = await asyncio.gather(*(watch.timers.make(home.caller("alice"), new) for _ in range(10)))
    assert len({timer.id for timer in made}) == 1
    watch.time.now += 1000
    await watch.go()
    watch.time.now -= 500
    again = await watch.timers.make(home.caller("alice"), new)
    assert (again.id, again.gone) == (made[0].id, True)
    assert await watch.listed() == []
    await home.send("alice", group, "x", "taken")
    with pytest.raises(ClientIdReused):
        await watch.timers.make(home.caller("alice"), NewSend(group, Text("晚安"), BEGIN + 9000, "taken"))


async def test_what_is_refused(watch: Watch) -> None:
    home, group = watch.home, await watch.home.group("alice", "bob")
    alice, carol = home.caller("alice"), home.caller("carol")
    year = 366 * 86_400_000
    for due in (0, BEGIN, BEGIN + year + 1):
        with pytest.raises(Invalid):
            await watch.timers.make(alice, NewSend(group, Text("晚安"), due, "x"))
    with pytest.raises(Invalid):
        await watch.timers.make(alice, NewSend(group, Text(" "), BEGIN + 1, "x"))
    for seq in (1, 99):
        with pytest.raises(NotFound):
            await watch.timers.make(alice, NewReminder(group, seq, BEGIN + 1))
    with pytest.raises(NotFound):
        await watch.timers.make(carol, NewSend(group, Text("晚安"), BEGIN + 1, "x"))
    timer = await watch.later(group)
    for call in (watch.timers.cancel(carol, timer.id), watch.timers.change(carol, timer.id, due=BEGIN + 5)):
        with pytest.raises(NotFound):
            await call
    with pytest.raises(Invalid):
        await watch.timers.change(alice, timer.id, note="提醒")
    assert await watch.listed() == [timer]


async def test_no_more_than_the_bound(tmp_path: Path) -> None:
    settings = Settings(timers=Limits(most=2))
    async with house(tmp_path / "data", settings) as home:
        await home.add("alice", "bob")
        watch = Watch(home, settings)
        group = await home.group("alice", "bob")
        await watch.later(group)
        await watch.later(group)
        with pytest.raises(Conflict):
            await watch.later(group)


async def test_the_loop_wakes_for_a_new_timer_and_at_its_time(tmp_path: Path) -> None:
    async with house(tmp_path / "data") as home:
        await home.add("alice", "bob")
        watch = Watch(home, Settings())
        group = await home.group("alice", "bob")
        going = Going(home.store, home.messaging.log, Settings(), clock=watch.time, look=60.0)
        going.start()
        await asyncio.sleep(0.05)
        await watch.later(group, after=30)
        await asyncio.sleep(0.01)
        watch.time.now += 30
        reader = await home.reader("bob")
        await reader.wait_for(1)
        await going.stop()


@pytest.mark.parametrize("seed", range(4))
async def test_list_and_events_are_the_later_list(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    async with house(tmp_path / "data") as home:
        await home.add("alice", "bob")
        watch, alice = Watch(home, Settings()), home.caller("alice")
        group = await home.group("alice", "bob")
        lists: list[Any] = []
        for _ in range(50):
            known = await watch.timers.all(alice)
            lists.append(known)
            watch.time.now += dice.randrange(400)
            one = dice.choice(known.timers).id if known.timers else ""
            match dice.randrange(5):
                case 0 | 1:
                    await watch.later(group, f"{dice.random()}", after=dice.randrange(1, 2000))
                case 2 if one:
                    due = watch.time.now + dice.randrange(1, 2000)
                    await watch.timers.change(alice, one, due=due, content=Text(f"{dice.random()}"))
                case 3 if one:
                    await watch.timers.cancel(alice, one)
                case 4:
                    await watch.go()
        await home.settled()
        now = await watch.timers.all(alice)
        log = [event for event in await home.log() if event.lane == "user:alice"]
        for known in lists:
            folded = {timer.id: msgspec.json.decode(msgspec.json.encode(timer)) for timer in known.timers}
            for event in log:
                if event.position > int(known.cursor.partition(".")[2]) and event.type == "timer":
                    told = msgspec.json.decode(event.content)
                    folded.pop(told["id"], None)
                    if "timer" in told:
                        folded[told["id"]] = told["timer"]
            assert folded == {timer.id: msgspec.json.decode(msgspec.json.encode(timer)) for timer in now.timers}
