"""Work for a client, for as long as the client is there."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def while_there(work: Coroutine[Any, Any, T], gone: Coroutine[Any, Any, None]) -> T | None:
    """What `work` gives; None when `gone` was first, and then `work` is cancelled."""
    working = asyncio.create_task(work)
    tasks: tuple[asyncio.Task[Any], ...] = working, asyncio.create_task(gone)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
