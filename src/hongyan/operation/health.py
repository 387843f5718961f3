"""Health: can this server do its work, and if not, why. Asked at `/health`; every answer looks again, nothing is remembered."""

from collections.abc import Callable
from typing import Literal

import msgspec

Check = Callable[[], str | None]
"""Gives a sentence for people when something is wrong. Called often, in the loop's thread: cheap and without waiting."""


class Report(msgspec.Struct, frozen=True):
    """The answer of `/health`: 200 when `works`, otherwise 503."""

    status: Literal["ok", "degraded", "down"]
    """`degraded`: it works, and somebody should look at it. `down`: it cannot do its work now."""
    reasons: tuple[str, ...]
    version: str
    position: int
    """Where this node is in the log."""

    @property
    def works(self) -> bool:
        return self.status != "down"


class Health:
    """Collects the checks of the parts."""

    def __init__(self, version: str, position: Callable[[], int]) -> None:
        self._version = version
        self._position = position
        self._checks: list[tuple[Check, bool]] = []
        self.stopping = False
        """Set when the server has begun to stop, so that a balancer sends nobody here."""

    def watch(self, check: Check, *, needed: bool = False) -> None:
        """Ask `check` at every report. `needed`: without it the server cannot do its work."""
        self._checks.append((check, needed))

    def report(self) -> Report:
        reasons: list[str] = []
        down = self.stopping
        if self.stopping:
            reasons.append("The server is stopping")
        for check, needed in self._checks:
            reason = check()
            if reason is not None:
                reasons.append(reason)
                down = down or needed
        status: Literal["ok", "degraded", "down"] = "down" if down else "degraded" if reasons else "ok"
        return Report(status, tuple(reasons), self._version, self._position())
