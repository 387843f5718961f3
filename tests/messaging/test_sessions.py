import asyncio
import random
from pathlib import Path

import pytest
from msgspec.structs import replace

from hongyan.bus import Message
from hongyan.bus.local import LocalBus
from hongyan.config import Settings
from hongyan.core.errors import InvalidCursor, NotAuthenticated, Overloaded
from hongyan.core.model import Batch, TransportName
from hongyan.messaging import Session
from tests.build import House, Reader, house, visible


async def test_reader_gets_what_comes_and_nothing_from_before(home: House) -> None:
    await home.send("alice", "lobby", "before")
    reader = await home.reader("bob")
    await home.send("alice", "lobby", "after")
    await reader.wait_for(1)
    assert reader.texts() == ["after"]


async def test_cursor_resumes_after_what_was_given(home: House) -> None:
    reader = await home.reader("bob")
    await home.send("alice", "lobby", "one")
    await reader.wait_for(1)
    await reader.disconnect()
    await home.send("alice", "lobby", "two")
    await reader.connect()
    await home.send("alice", "lobby", "three")
    await reader.wait_for(3)
    assert reader.texts() == ["one", "two", "three"]


async def test_cursor_resumes_after_a_restart(tmp_path: Path) -> None:
    async with house(tmp_path / "data") as home:
        await home.add("alice", "bob")
        reader = await home.reader("bob")
        await reader.disconnect()
        await home.send("alice", "lobby", "while away")
        cursor = reader.cursor
    async with house(tmp_path / "data") as home:
        reader = await home.reader("bob", cursor)
        await reader.wait_for(1)
        assert reader.texts() == ["while away"]


async def test_cursor_older_than_the_ring_is_read_from_the_store(tmp_path: Path) -> None:
    settings = Settings(log=replace(Settings().log, ring=10))
    async with house(tmp_path / "data", settings) as home:
        await home.add("alice", "bob")
        reader = await home.reader("bob")
        await reader.disconnect()
        for number in range(300):
            await home.send("alice", "lobby", str(number))
        assert home.messaging.log.ring_size == 10
        await reader.connect()
        await reader.wait_for(300)
        assert reader.texts() == [str(number) for number in range(300)]


async def test_reader_that_does_not_take_costs_a_bounded_queue_and_misses_nothing(tmp_path: Path) -> None:
    settings = Settings(limits=replace(Settings().limits, session_queue=20))
    async with house(tmp_path / "data", settings) as home:
        await home.add("alice", "bob")
        session: Session = await home.messaging.sessions.open(
            home.caller("bob"), "websocket", None, lambda: None, lambda verdict: None
        )
        for number in range(100):
            await home.send("alice", "lobby", str(number))
        await home.settled()
        assert session.behind
        assert len(session.pending) <= 20
        taken = []
        while session.behind or not taken:
            taken += (await session.next(7)).entries
        while chunk := session.take(7):
            taken += chunk.entries
        assert [entry.event.seq for entry in taken] == list(range(taken[0].event.seq, taken[0].event.seq + 100))
        session.close()


async def test_who_is_added_sees_the_adding_and_what_follows(home: House) -> None:
    group = await home.group("alice", "bob")
    reader = await home.reader("carol")
    await home.send("alice", group, "secret")
    await home.messaging.conversations.add(home.caller("alice"), group, ["carol"])
    await home.send("alice", group, "welcome")
    await reader.wait_for(1)
    assert [(event.type, event.seq) for event in reader.events] == [("member", 3), ("message", 4)]


async def test_who_is_removed_sees_the_removal_and_nothing_after_it(home: House) -> None:
    group = await home.group("alice", "bob", "carol")
    live, away = await home.reader("carol"), await home.reader("carol")
    await away.disconnect()
    await home.send("alice", group, "for all")
    await home.messaging.conversations.remove(home.caller("alice"), group, "carol")
    await home.send("alice", group, "for the rest")
    await away.connect()
    for reader in (live, away):
        await reader.caught_up()
        assert [event.type for event in reader.events] == ["message", "member"]
        assert reader.texts() == ["for all"]


async def test_nobody_sees_lanes_of_others_or_of_the_system(home: House) -> None:
    readers = [await home.reader(user) for user in ("alice", "bob")]
    direct, _ = await home.messaging.conversations.create_direct(home.caller("carol"), "dave")
    await home.send("carol", direct.id, "just us")
    await home.messaging.receipts.read(home.caller("dave"), direct.id, 2)
    for reader in readers:
        await reader.caught_up()
        assert reader.events == []


async def test_cursor_of_another_history_is_limited_and_goes_on_from_now(home: House) -> None:
    reader = await home.reader("bob", "otherepoch.1")
    await home.send("alice", "lobby", "now")
    await reader.wait_for(1)
    assert reader.limited == ["epoch"]
    assert reader.texts() == ["now"]


async def test_cursor_ahead_of_the_log_is_limited(home: House) -> None:
    reader = await home.reader("bob", f"{home.store.epoch}.999999")
    await home.send("alice", "lobby", "now")
    await reader.wait_for(1)
    assert reader.limited == ["ahead"]


@pytest.mark.parametrize("cursor", ["", "x", "1", "a.b", "../..", "a.-1", "A.1", "a.1 ", "a.9999999999999999999", "é.1"])
async def test_what_is_no_cursor_is_refused(home: House, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        await home.reader("bob", cursor or "?")
    assert len(home.messaging.sessions) == 0


async def test_ended_token_closes_its_sessions_with_login_and_no_others(home: House) -> None:
    mine, other = await home.reader("bob"), await home.reader("alice")
    home.messaging.end_token("bob", "bob-laptop")
    assert [verdict.do for verdict in mine.verdicts] == ["login"]
    assert other.verdicts == []
    await home.send("alice", "lobby", "gone?")
    await other.wait_for(1)
    assert mine.events == []


async def test_token_that_ends_while_its_session_is_opened_gets_none(tmp_path: Path) -> None:
    async with house(tmp_path / "data") as home:
        await home.add("alice", "bob")
    async with house(tmp_path / "data") as home:
        opening = asyncio.create_task(home.reader("bob"))
        await asyncio.sleep(0)  # the view is being loaded
        home.messaging.end_token("bob", "bob-laptop")
        with pytest.raises(NotAuthenticated):
            await opening
        assert len(home.messaging.sessions) == 0


async def test_stop_tells_everybody_to_come_back_later_each_at_another_moment(home: House) -> None:
    readers = [await home.reader("bob") for _ in range(20)]
    home.messaging.sessions.stop(after=1.0)
    verdicts = [reader.verdicts[0] for reader in readers]
    assert {verdict.do for verdict in verdicts} == {"later"}
    assert len({verdict.after for verdict in verdicts}) > 1
    with pytest.raises(Overloaded):
        await home.reader("bob")


async def test_connections_are_bounded_for_each_user_and_in_all(tmp_path: Path) -> None:
    settings = Settings(limits=replace(Settings().limits, connections=3, connections_per_user=2))
    async with house(tmp_path / "data", settings) as home:
        await home.add("alice", "bob")
        first = await home.reader("alice")
        await home.reader("alice")
        with pytest.raises(Overloaded) as refused:
            await home.reader("alice")
        assert (refused.value.retry_after or 0) > 0
        await home.reader("bob")
        with pytest.raises(Overloaded):
            await home.reader("bob")
        await first.disconnect()
        await home.reader("bob")


async def test_storm_is_admitted_at_a_bounded_rate(tmp_path: Path) -> None:
    settings = Settings(limits=replace(Settings().limits, opens_per_second=1.0, opens_burst=5))
    async with house(tmp_path / "data", settings) as home:
        await home.add("alice")
        results = await asyncio.gather(*(home.reader("alice") for _ in range(20)), return_exceptions=True)
        refused = [result for result in results if isinstance(result, Overloaded)]
        assert sum(isinstance(result, Reader) for result in results) == 5
        assert all(1.0 <= (one.retry_after or 0) <= 2.0 for one in refused)
        assert len({one.retry_after for one in refused}) > 1


class UnreliableBus(LocalBus):
    """Loses, doubles and swaps batches by dice."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self._dice = dice
        self._held: Batch | None = None

    def publish(self, message: Message, to: str | None = None) -> None:
        if not isinstance(message, Batch):
            super().publish(message, to)
            return
        fate = self._dice.random()
        if fate < 0.2:
            return
        if fate < 0.4 and self._held is None:
            self._held = message
            return
        super().publish(message)
        if fate > 0.8:
            super().publish(message)
        if self._held is not None:
            held, self._held = self._held, None
            super().publish(held)


async def test_bus_that_loses_doubles_and_swaps_changes_nothing_for_readers(tmp_path: Path) -> None:
    settings = Settings(log=replace(Settings().log, look_seconds=0.02))
    async with house(tmp_path / "data", settings, UnreliableBus(random.Random(7))) as home:
        await home.add("alice", "bob")
        reader = await home.reader("bob")
        for number in range(200):
            await home.send("alice", "lobby", str(number))
        await reader.wait_for(200)
        assert reader.texts() == [str(number) for number in range(200)]
        assert home.messaging.log.holes > 0


async def test_who_makes_a_group_may_send_to_it_although_the_bus_is_late(tmp_path: Path) -> None:
    settings = Settings(log=replace(Settings().log, look_seconds=0.02))
    async with house(tmp_path / "data", settings, UnreliableBus(random.Random(3))) as home:
        await home.add("alice", "bob")
        for _ in range(20):
            group = await home.group("alice", "bob")
            await home.send("bob", group)


async def test_ring_is_bounded_in_bytes_and_what_fell_out_is_read_from_the_store(tmp_path: Path) -> None:
    settings = Settings(log=replace(Settings().log, ring_bytes=100_000))
    async with house(tmp_path / "data", settings) as home:
        await home.add("alice", "bob")
        reader = await home.reader("bob")
        await reader.disconnect()
        for number in range(30):
            await home.send("alice", "lobby", f"{number} " + "x" * 20_000)
        assert home.messaging.log.ring_size <= 2
        await reader.connect()
        await reader.wait_for(30)
        assert [text.split()[0] for text in reader.texts()] == [str(number) for number in range(30)]


async def test_history_page_of_large_messages_ends_early_and_says_that_there_is_more(home: House) -> None:
    group = await home.group("alice", "bob")
    for _ in range(120):
        await home.send("alice", group, "x" * 20_000)
    page = await home.messaging.history.page(home.caller("bob"), group, limit=1000)
    assert page.more
    assert len(page.entries) == 100
    assert page.entries[-1].event.seq == 121
    first = page.entries[0].event.seq
    rest = await home.messaging.history.page(home.caller("bob"), group, before=first, limit=1000)
    assert (len(rest.entries), rest.more) == (21, False)


@pytest.mark.parametrize("seed", range(6))
async def test_everybody_sees_exactly_what_the_replayed_log_shows_them(tmp_path: Path, seed: int) -> None:
    """People talk, join, leave and are removed at once, readers come and go: nothing is missed, doubled or shown wrongly."""
    dice = random.Random(seed)
    settings = Settings(log=replace(Settings().log, ring=50), limits=replace(Settings().limits, session_queue=5))
    users = ["alice", "bob", "carol", "dave", "erin"]
    transports: list[TransportName] = ["websocket", "sse"]
    async with house(tmp_path / "data", settings) as home:
        home.messaging.views._most_idle = 1 + seed % 3  # views are forgotten and loaded again all the time
        await home.add(*users)
        policies = ["joined", "all", "joined"]
        groups = [await home.group(dice.choice(users), *dice.sample(users, 2), history=policy) for policy in policies]
        conversations = home.messaging.conversations
        begun = home.messaging.log.position
        readers = [await home.reader(user) for user in users]

        async def act() -> None:
            user, other, group = dice.choice(users), dice.choice(users), dice.choice(groups)
            caller = home.caller(user)
            action = dice.random()
            try:
                if action < 0.6:
                    await home.send(user, dice.choice([group, "lobby"]), "话")
                elif action < 0.75:
                    await conversations.add(caller, group, [other])
                elif action < 0.9:
                    await conversations.remove(caller, group, other)
                elif action < 0.95:
                    await home.messaging.receipts.read(caller, group, 2)
                else:
                    await conversations.create_direct(caller, other)
            except Exception as error:
                if not hasattr(error, "code"):
                    raise

        async def talk() -> None:
            for _ in range(40):
                await act()
                await asyncio.sleep(dice.random() * 0.002)

        async def flicker(reader: Reader) -> None:
            for _ in range(10):
                await asyncio.sleep(dice.random() * 0.03)
                await reader.disconnect()
                await asyncio.sleep(dice.random() * 0.02)
                reader.transport = dice.choice(transports)
                await reader.connect()

        await asyncio.gather(*(talk() for _ in range(6)), *(flicker(reader) for reader in readers))
        log = await home.log()
        for reader in readers:
            await reader.caught_up()
            wanted = [position for position in visible(log, reader.user) if position > begun]
            assert [event.position for event in reader.events] == wanted, reader.user
        fresh = await asyncio.gather(*(home.reader(user, f"{home.store.epoch}.0") for user in users))
        for reader in fresh:
            await reader.caught_up()
            assert [event.position for event in reader.events] == visible(log, reader.user), reader.user
