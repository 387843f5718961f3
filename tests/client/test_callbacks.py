"""Callbacks: in order, each to its end, and none harms another."""

import asyncio

import pytest

from hongyan.client.callbacks import Callbacks


async def test_plain_and_async_functions_are_called_in_the_order_of_registration() -> None:
    callbacks = Callbacks()
    seen: list[str] = []

    async def slow(word: str) -> None:
        await asyncio.sleep(0)
        seen.append(f"slow {word}")

    callbacks.add("event", slow)
    callbacks.add("event", lambda word: seen.append(f"plain {word}"))
    callbacks.add("other", lambda word: seen.append("never"))
    await callbacks.call("event", "x")
    assert seen == ["slow x", "plain x"]


async def test_one_that_fails_is_logged_and_the_next_is_called(caplog: pytest.LogCaptureFixture) -> None:
    callbacks = Callbacks()
    seen: list[int] = []

    async def fail(_: int) -> None:
        raise RuntimeError("broken on purpose")

    callbacks.add("event", lambda _: 1 / 0)
    callbacks.add("event", fail)
    callbacks.add("event", seen.append)
    await callbacks.call("event", 7)
    assert seen == [7]
    assert "broken on purpose" in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_registration_can_be_ended_even_from_inside() -> None:
    callbacks = Callbacks()
    seen: list[int] = []
    end = callbacks.add("event", lambda at: (seen.append(at), end()))
    callbacks.add("event", lambda at: seen.append(-at))
    await callbacks.call("event", 1)
    await callbacks.call("event", 2)
    end()
    assert seen == [1, -1, -2]


async def test_quiet_waits_for_those_that_run_and_not_for_ever() -> None:
    callbacks = Callbacks()
    go = asyncio.Event()
    done: list[bool] = []

    async def slow() -> None:
        await go.wait()
        done.append(callbacks.inside(asyncio.current_task()))

    callbacks.add("event", slow)
    running = asyncio.create_task(callbacks.call("event"))
    await asyncio.sleep(0)
    await callbacks.quiet(0.01)
    assert not running.done()
    waiting = asyncio.create_task(callbacks.quiet(1000))
    await asyncio.sleep(0)
    go.set()
    await asyncio.wait_for(waiting, 30)
    assert done == [True]
    assert not callbacks.inside(running)
    await running
