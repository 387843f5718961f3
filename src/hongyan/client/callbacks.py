"""Callbacks: plain or async functions, called one after the other. One that fails is logged and harms nobody."""

import inspect
import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger("hongyan.client")

Callback = Callable[..., Any]


class Callbacks:
    """Named lists of functions."""

    def __init__(self) -> None:
        self._functions: dict[str, list[Callback]] = {}

    def add(self, name: str, function: Callback) -> Callable[[], None]:
        """Register; gives a function that takes it out again."""
        functions = self._functions.setdefault(name, [])
        functions.append(function)

        def remove() -> None:
            if function in functions:
                functions.remove(function)

        return remove

    def has(self, name: str) -> bool:
        return bool(self._functions.get(name))

    async def call(self, name: str, *arguments: Any) -> None:
        """Call in the order of registration, each to its end."""
        for function in tuple(self._functions.get(name, ())):
            try:
                result = function(*arguments)
                if inspect.isawaitable(result):
                    await result
            except Exception:
                log.exception("a callback for %s failed", name)
