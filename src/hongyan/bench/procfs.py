"""CPU seconds and memory of processes as Linux counts them; None elsewhere and for a process that is not there."""

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

_TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def cpu_seconds(pid: int) -> float | None:
    """User and system time of all threads of the process since it began; a resolution of 10 ms."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / _TICK


def tree_cpu_seconds(root: int) -> float | None:
    """The same of a process and all below it, those that have ended included; None when it is not there."""
    parents: dict[int, int] = {}
    spent: dict[int, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue
        pid, fields = int(text.split(" ", 1)[0]), text.rpartition(")")[2].split()
        parents[pid] = int(fields[1])
        spent[pid] = sum(int(field) for field in fields[11:15]) / _TICK
    if root not in spent:
        return None

    def below(pid: int) -> bool:
        while pid in parents and pid != root:
            pid = parents[pid]
        return pid == root

    return sum(seconds for pid, seconds in spent.items() if below(pid))


def resident_kib(pid: int) -> int | None:
    """Resident memory (VmRSS) in KiB. Socket buffers are the kernel's and not in it."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return None


def machine_busy_seconds() -> float | None:
    """CPU seconds that all cores together have not been idle since the machine began, stolen time included."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    except OSError:
        return None
    user, nice, system, _idle, _iowait, irq, softirq, steal = (int(field) for field in fields)
    return (user + nice + system + irq + softirq + steal) / _TICK


class Spent(msgspec.Struct, frozen=True):
    """CPU seconds between two moments: of the server, of the generator, and of everybody else on the machine."""

    seconds: float
    server: float | None
    generator: float | None
    others: float | None


class Meter:
    """Reads the clocks of server and generator processes when made, and what was spent since with `spent()`."""

    def __init__(self, server: Iterable[int], generator: Iterable[int], clock: float) -> None:
        self._server = list(server)
        self._generator = list(generator)
        self._began = clock
        self._at_begin = self._read()

    def _read(self) -> tuple[float | None, float | None, float | None]:
        return _total(self._server), _total(self._generator), machine_busy_seconds()

    def spent(self, clock: float) -> Spent:
        server, generator, machine = (_less(now, then) for now, then in zip(self._read(), self._at_begin, strict=True))
        others = None if machine is None else max(0.0, machine - (server or 0.0) - (generator or 0.0))
        return Spent(clock - self._began, server, generator, others)


def _total(pids: list[int]) -> float | None:
    known = [seconds for pid in pids if (seconds := cpu_seconds(pid)) is not None]
    return sum(known) if known else None


def _less(now: float | None, then: float | None) -> float | None:
    return None if now is None or then is None else now - then
