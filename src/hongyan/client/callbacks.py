"""Callbacks: plain or async functions, called one after the other. One that fails is logged and harms nobody."""

import asyncio
import contextlib
import inspect
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

log = logging.getLogger("hongyan.client")

Callback = Callable[..., Any]


class Callbacks:
    """Named lists of functions."""

    def __init__(self) -> None:
        self._functions: dict[str, list[Callback]] = {}
        self._depth: Counter[asyncio.Task[Any] | None] = Counter()
        self._returned = asyncio.Event()

    def add(self, name: str, function: Callback) -> Callable[[], None]:
        """Register; gives a function that takes it out again."""
        functions = self._functions.setdefault(name, [])
        functions.append(function)

        def remove() -> None:
            if function in functions:
                functions.remove(function)

        return remove

    async def call(self, name: str, *arguments: Any) -> None:
        """Call in the order of registration, each to its end."""
        functions = tuple(self._functions.get(name, ()))
        if not functions:
            return
        task = asyncio.current_task()
        self._depth[task] += 1
        try:
            for function in functions:
                try:
                    result = function(*arguments)
                    if inspect.isawaitable(result):
                        await result
                except Exception:
                    log.exception("a callback for %s failed", name)
        finally:
            self._depth[task] -= 1
            if not self._depth[task]:
                del self._depth[task]
                self._returned.set()
                self._returned = asyncio.Event()

    def inside(self, task: asyncio.Task[Any] | None) -> bool:
        """Whether the task runs a callback right now."""
        return task in self._depth

    async def quiet(self, within: float) -> None:
        """Return when no callback is running, or after `within` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._depth:
                    await self._returned.wait()
