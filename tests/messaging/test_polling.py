import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hongyan.config import Settings
from hongyan.core.errors import NotAuthenticated, Overloaded
from tests.build import House, house


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


async def test_server_that_stops_while_the_log_is_read_does_not_send_anybody_to_log_in(tmp_path: Path) -> None:
    async with house(tmp_path / "data", Settings(log=replace(Settings().log, ring=1))) as home:
        await home.add("alice", "bob", "carol")
        direct, _ = await home.messaging.conversations.create_direct(home.caller("alice"), "carol")
        cursor = home.messaging.log.cursor()
        for number in range(3):
            await home.send("alice", direct.id, str(number))
        plain = home.store.read

        async def read(fn: Callable[..., Any]) -> Any:
            found = await plain(fn)
            home.messaging.sessions.store = home.store
            await home.send("alice", direct.id, "meanwhile")
            await home.settled()
            home.messaging.sessions.stop()
            return found

        home.messaging.sessions.store = Reading(read)  # type: ignore[assignment]
        with pytest.raises(Overloaded):
            await home.messaging.poll(home.caller("bob"), cursor, 10, 5.0)


class Reading:
    """A store that reads in its own way."""

    def __init__(self, read: Callable[..., Any]) -> None:
        self.read = read
