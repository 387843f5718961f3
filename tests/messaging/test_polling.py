import asyncio

import pytest

from hongyan.core.errors import NotAuthenticated
from tests.build import House


async def test_poll_without_cursor_is_from_now(home: House) -> None:
    await home.send("alice", "lobby", "before")
    chunk = await home.messaging.poll(home.caller("bob"), None, 10)
    assert (chunk.entries, chunk.cursor) == ([], home.messaging.log.cursor())


async def test_poll_gives_pages_in_order_and_says_when_there_is_more(home: House) -> None:
    start = home.messaging.log.cursor()
    seqs = [(await home.send("alice", "lobby", str(number))).seq for number in range(25)]
    found, cursor, more = [], start, True
    pages = 0
    while more:
        chunk = await home.messaging.poll(home.caller("bob"), cursor, 10)
        found += [entry.event.seq for entry in chunk.entries]
        cursor, more = chunk.cursor, chunk.more
        pages += 1
    assert (found, pages) == (seqs, 3)


async def test_long_poll_answers_as_soon_as_there_is_something(home: House) -> None:
    cursor = home.messaging.log.cursor()
    waiting = asyncio.create_task(home.messaging.poll(home.caller("bob"), cursor, 10, 30.0))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await home.send("alice", "lobby", "now")
    async with asyncio.timeout(5):
        chunk = await waiting
    assert len(chunk.entries) == 1


async def test_long_poll_answers_empty_when_the_time_is_over(home: House) -> None:
    chunk = await home.messaging.poll(home.caller("bob"), home.messaging.log.cursor(), 10, 0.05)
    assert chunk.entries == []


async def test_hung_up_long_poll_ends_at_once_and_leaves_no_session(home: House) -> None:
    gone = asyncio.Event()
    waiting = asyncio.create_task(home.messaging.poll(home.caller("bob"), None, 10, 30.0, gone=gone))
    await asyncio.sleep(0.05)
    assert len(home.messaging.sessions) == 1
    gone.set()
    async with asyncio.timeout(5):
        await waiting
    assert len(home.messaging.sessions) == 0


async def test_token_that_ends_during_a_long_poll_is_refused(home: House) -> None:
    waiting = asyncio.create_task(home.messaging.poll(home.caller("bob"), None, 10, 30.0))
    await asyncio.sleep(0.05)
    home.messaging.end_token("bob", "bob-laptop")
    with pytest.raises(NotAuthenticated):
        await waiting
