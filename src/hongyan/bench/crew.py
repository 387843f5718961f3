"""The conductor's side of the worker processes: start them, ask them all the same thing, gather the answers, end them."""

import contextlib
import multiprocessing
import time
from array import array
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Self, TypeVar

from hongyan.bench.ledger import Verdict
from hongyan.bench.plan import Audit, Audited, Command, Load, Loaded, Open, Opened, Ping, Plan, Stop, Storm
from hongyan.bench.stamp import now_us
from hongyan.bench.worker import main

_LEAD_US = 100_000
"""Commands that begin together begin this much after they were given."""
_GRACE = 15.0

Answer = TypeVar("Answer", Opened, Loaded, Audited)


class BenchError(Exception):
    """The benchmark cannot go on; the text says why and what to do."""


class Crew:
    """Worker processes with a plan each. Use as a context manager: leaving it ends them, come what may."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        context = multiprocessing.get_context("spawn")
        self._plans = plans
        self._pipes = []
        self._processes = []
        for plan in plans:
            mine, theirs = context.Pipe()
            process = context.Process(target=main, args=(theirs, plan), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(mine)
            self._processes.append(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for pipe in self._pipes:
            with contextlib.suppress(OSError):
                pipe.send(Stop())
        for process in self._processes:
            process.join(10)
            if process.is_alive():
                process.kill()
                process.join()

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes if process.pid is not None]

    @property
    def connections(self) -> int:
        return sum(len(plan.persons) for plan in self._plans)

    def _ask(self, commands: Sequence[Command], kind: type[Answer], seconds: float) -> list[Answer]:
        for pipe, command in zip(self._pipes, commands, strict=True):
            pipe.send(command)
        deadline = time.monotonic() + seconds + _GRACE
        answers: list[Answer] = []
        for pipe in self._pipes:
            if not pipe.poll(max(0.0, deadline - time.monotonic())):
                raise BenchError(f"A worker process gave no answer within {seconds + _GRACE:.0f} s")
            try:
                answer = pipe.recv()
            except EOFError:
                raise BenchError("A worker process died; its error is printed above") from None
            if not isinstance(answer, kind):
                raise BenchError(f"A worker process answered {answer!r}")
            answers.append(answer)
        return answers

    def _all(self, command: Command) -> list[Command]:
        return [command] * len(self._pipes)

    def open(self, seconds: float) -> Opened:
        """Open every connection. Raises BenchError if some stay closed."""
        opened = join_opened(self._ask(self._all(Open(seconds)), Opened, seconds + 5))
        if opened.failed:
            errors = ", ".join(f"{kind} ({count})" for kind, count in self.audit().errors.items()) or "no answer"
            raise BenchError(f"{opened.failed} of {self.connections} connections could not be opened: {errors}")
        return opened

    def load(self, *, seconds: float, rate: float | None, window: int, drain: float = 15.0) -> Loaded:
        """Send for `seconds`: `rate` messages a second in all, or `window` in flight in each lane. The workers begin together."""
        lanes = sum(len(plan.lanes) for plan in self._plans)
        at = now_us() + _LEAD_US
        commands: list[Command] = [
            Load(at, seconds, None if rate is None else rate * len(plan.lanes) / lanes, window, drain) for plan in self._plans
        ]
        return join_loaded(self._ask(commands, Loaded, seconds + drain))

    def storm(self, *, missed: int, seconds: float) -> Opened:
        return join_opened(self._ask(self._all(Storm(now_us() + _LEAD_US, missed, seconds)), Opened, 2 * seconds))

    def ping(self, seconds: float) -> Opened:
        return join_opened(self._ask(self._all(Ping(seconds)), Opened, seconds))

    def audit(self) -> Audited:
        parts = self._ask(self._all(Audit()), Audited, 60)
        errors: Counter[str] = Counter()
        verdict = Verdict()
        for part in parts:
            errors.update(part.errors)
            verdict += part.verdict
        return Audited(
            verdict,
            sum(part.strays for part in parts),
            sum(part.disorder for part in parts),
            dict(errors),
            sum(part.reconnects for part in parts),
        )


def join_opened(parts: Sequence[Opened]) -> Opened:
    return Opened(
        opened=sum(part.opened for part in parts),
        failed=sum(part.failed for part in parts),
        began=min(part.began for part in parts),
        ended=max(part.ended for part in parts),
        delays=b"".join(part.delays for part in parts),
        refused=sum(part.refused for part in parts),
    )


def join_loaded(parts: Sequence[Loaded]) -> Loaded:
    return Loaded(
        sent=sum(part.sent for part in parts),
        acked=sum(part.acked for part in parts),
        delivered=sum(part.delivered for part in parts),
        began=min(part.began for part in parts),
        ended=max(part.ended for part in parts),
        delays=b"".join(part.delays for part in parts),
        late=max(part.late for part in parts),
        position=max(part.position for part in parts),
        drained=all(part.drained for part in parts),
    )


def milliseconds(delays: bytes, *quantiles: float) -> list[float | None]:
    """Quantiles (0 to 1) of an array('I') of microseconds, in milliseconds; None where there is nothing."""
    values = array("I", delays)
    if not values:
        return [None] * len(quantiles)
    ordered = sorted(values)
    return [ordered[min(len(ordered) - 1, int(quantile * len(ordered)))] / 1000 for quantile in quantiles]
