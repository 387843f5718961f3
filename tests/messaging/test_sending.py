import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hongyan.config import Settings
from hongyan.core.content import Text
from hongyan.core.errors import ClientIdReused, HongyanError, Invalid, NotFound, RateLimited, TooLarge
from tests.build import House, house


async def test_seq_is_dense_and_the_same_for_everybody(home: House) -> None:
    group = await home.group("alice", "bob")
    reader = await home.reader("bob")
    places = [await home.send(user, group) for user in ("alice", "bob", "alice")]
    assert [place.seq for place in places] == [2, 3, 4]
    assert [event.seq for event in await reader.wait_for(3)] == [2, 3, 4]


async def test_retry_with_same_client_id_returns_first_seq(home: House) -> None:
    group = await home.group("alice", "bob")
    first = await home.send("alice", group, "一", "same")
    again = await home.send("alice", group, "一", "same")
    assert (again.seq, again.position, again.time) == (first.seq, first.position, first.time)
    assert sum(event.client_id == "same" for event in await home.log()) == 1


async def test_fifty_twins_at_once_are_one_message(home: House) -> None:
    group = await home.group("alice", "bob")
    reader = await home.reader("bob")
    twins = await asyncio.gather(*(home.send("alice", group, "一", "twin") for _ in range(50)))
    assert len({(twin.seq, twin.position) for twin in twins}) == 1
    await home.send("alice", group, "last")
    await reader.wait_for(2)
    assert reader.texts() == ["一", "last"]


async def test_same_client_id_of_two_people_are_two_messages(home: House) -> None:
    group = await home.group("alice", "bob")
    one, two = await home.send("alice", group, client_id="x"), await home.send("bob", group, client_id="x")
    assert one.seq != two.seq


async def test_client_id_in_another_conversation_is_refused(home: House) -> None:
    one, two = await home.group("alice", "bob"), await home.group("alice", "bob")
    await home.send("alice", one, client_id="x")
    with pytest.raises(ClientIdReused):
        await home.send("alice", two, client_id="x")


async def test_stranger_is_told_that_there_is_no_such_conversation(home: House) -> None:
    group = await home.group("alice", "bob")
    before = await home.log()
    for conversation in (group, "nothing", "user:alice", "directory", "_tokens"):
        with pytest.raises(NotFound):
            await home.send("carol", conversation)
    assert await home.log() == before


async def test_retry_after_being_removed_returns_the_first_seq_and_nothing_new_gets_in(home: House) -> None:
    group = await home.group("alice", "bob")
    first = await home.send("bob", group, client_id="before")
    await home.messaging.conversations.remove(home.caller("alice"), group, "bob")
    again = await home.send("bob", group, client_id="before")
    assert (again.seq, again.position, again.repeated) == (first.seq, first.position, True)
    for client_id, conversation in (("after", group), ("before", "elsewhere")):
        with pytest.raises(NotFound):
            await home.send("bob", conversation, client_id=client_id)


async def test_who_is_let_in_while_it_is_looked_up_gets_their_message_in(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    group = await home.group("alice")
    await home.reader("bob")
    read = home.store.read

    async def lets_in_meanwhile(fn: Any) -> Any:
        found = await read(fn)
        if not found:  # nothing of this client id
            monkeypatch.setattr(home.store, "read", read)
            await home.messaging.conversations.add(home.caller("alice"), group, ["bob"])
            await home.settled()
        return found

    monkeypatch.setattr(home.store, "read", lets_in_meanwhile)
    async with asyncio.timeout(5):
        assert (await home.send("bob", group, "进来了")).seq == 3


async def test_twin_that_was_stored_without_what_it_names_stays_as_it_is(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain message under the same id may come between the look for it and the append: on PostgreSQL it is no transaction."""
    group = await home.group("alice", "bob")
    first = await home.send("alice", group, "看看", "same")
    monkeypatch.setattr("hongyan.messaging.composing.repeated", lambda *asked: None)
    content = Text("看看", mentions=("bob",), thread=first.seq)
    again = await home.messaging.sender.send(home.caller("alice"), group, "same", content)
    assert (again.seq, again.repeated) == (first.seq, True)
    seen = await home.messaging.conversations.get(home.caller("bob"), group)
    assert (seen.mentioned, seen.amended) == (0, None)


async def test_send_is_answered_although_the_store_cannot_be_read(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(fn: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(home.store, "read", broken)
    async with asyncio.timeout(5):
        with pytest.raises(HongyanError) as refused:
            await home.send("carol", "nothing")
    assert refused.value.code == "internal"


@pytest.mark.parametrize("client_id", ["", " ", "a b", "é", "中", "x" * 65, "a\n", "\0"])
async def test_client_id_of_another_form_is_refused(home: House, client_id: str) -> None:
    with pytest.raises(Invalid):
        await home.messaging.sender.send(home.caller("alice"), "lobby", client_id, Text("hi"))


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "a\0b"])
async def test_text_that_is_none_is_refused(home: House, text: str) -> None:
    with pytest.raises(Invalid):
        await home.send("alice", "lobby", text)


async def test_text_above_the_limit_is_refused_and_below_is_stored(home: House) -> None:
    most = home.settings.limits.message_bytes - len('{"type":"text","text":""}')
    with pytest.raises(TooLarge):
        await home.send("alice", "lobby", "x" * (most + 1))
    assert (await home.send("alice", "lobby", "x" * most)).seq > 0


async def test_sending_too_fast_is_refused_with_the_time_to_wait(tmp_path: Path) -> None:
    settings = Settings(limits=replace(Settings().limits, sends_per_second=1.0, sends_burst=3))
    async with house(tmp_path / "data", settings) as home:
        await home.add("alice")
        for _ in range(3):
            await home.send("alice", "lobby")
        with pytest.raises(RateLimited) as refused:
            await home.send("alice", "lobby")
        assert 0 < (refused.value.retry_after or 0) <= 1


async def test_who_is_removed_while_sending_gets_nothing_in_afterwards(home: House) -> None:
    """The removal races with a stream of sends: in the log no message of the removed follows the removal."""
    group = await home.group("alice", "bob")

    async def chatter() -> int:
        sent = 0
        try:
            while True:
                await asyncio.gather(*(home.send("bob", group, "还在") for _ in range(5)))
                sent += 5
        except NotFound:
            return sent

    talking = asyncio.create_task(chatter())
    await asyncio.sleep(0.02)
    await home.messaging.conversations.remove(home.caller("alice"), group, "bob")
    sent = await talking
    lane = [event for event in await home.log() if event.lane == group]
    removal = next(event.seq for event in lane if event.type == "member")
    assert [event.seq for event in lane if event.sender == "bob" and event.seq > removal] == []
    assert len([event for event in lane if event.sender == "bob"]) >= sent


async def test_flood_to_conversations_that_one_is_not_in_is_told_to_slow_down(home: House) -> None:
    tries = [home.send("alice", "nowhere", client_id=f"f{number}") for number in range(300)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {NotFound, RateLimited}
    with pytest.raises(NotFound):
        await home.send("alice", "nowhere", client_id="later")


async def test_text_that_a_store_cannot_keep_refuses_nobody_elses_mark(home: House) -> None:
    group = await home.group("alice", "bob")
    read = home.messaging.receipts.read
    marks = await asyncio.gather(read(home.caller("alice"), "\0", 1), read(home.caller("bob"), group, 1), return_exceptions=True)
    assert isinstance(marks[0], NotFound)
    assert marks[1] == 1
    try:
        found = await home.messaging.people.search("\0", 10)
    except Invalid:
        found = []
    assert found == []
