"""Commands without the seconds that importing takes: one process has imported everything, and each `hongyan` is a fork of it.

A fork is a process of its own with its own arguments, environment, input, output, signals and exit code, as when it is typed. Its
parent is a second fork, which waits for it and tells how it ended; when the test's process ends, all of them do.
"""

import atexit
import ctypes
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_MOST_BYTES = 1 << 20


def die_with_the_parent() -> None:
    """Runs in a new process: when the thread that started it ends, by whatever, so does this."""
    _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))


class Fork:
    """What is used of `subprocess.Popen`."""

    def __init__(self, pid: int, ended: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = ended

    def __del__(self) -> None:
        os.close(self._ended)

    def poll(self) -> int | None:
        if self.returncode is None and self._has_ended(0):
            self.returncode = int(os.read(self._ended, 16) or -signal.SIGKILL)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None and not self._has_ended(timeout):
            raise subprocess.TimeoutExpired("hongyan", timeout or 0)
        status = self.poll()
        assert status is not None
        return status

    def _has_ended(self, seconds: float | None) -> bool:
        looks = select.poll()  # `select` takes no numbers above 1,023
        looks.register(self._ended, select.POLLIN)
        return bool(looks.poll(None if seconds is None else seconds * 1000))

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(arguments: Sequence[str], environment: Mapping[str, str], output: Path) -> Fork:
    """`hongyan ARGUMENTS`, with what it writes at the end of `output`."""
    with open(os.devnull, "rb") as nothing, output.open("ab") as writes:
        return _start(arguments, environment, nothing.fileno(), writes.fileno(), writes.fileno())


def run(
    arguments: Sequence[str], environment: Mapping[str, str], input: str = "", timeout: float = 60.0
) -> "subprocess.CompletedProcess[str]":
    """`hongyan ARGUMENTS` until it ends, as `subprocess.run` has it."""
    with tempfile.TemporaryFile() as reads, tempfile.TemporaryFile() as writes, tempfile.TemporaryFile() as errors:
        reads.write(input.encode())
        reads.seek(0)
        fork = _start(arguments, environment, reads.fileno(), writes.fileno(), errors.fileno())
        try:
            status = fork.wait(timeout)
        finally:
            fork.kill()
        told = []
        for file in (writes, errors):
            file.seek(0)
            told.append(file.read().decode())
    return subprocess.CompletedProcess(["hongyan", *arguments], status, *told)


def _start(arguments: Sequence[str], environment: Mapping[str, str], *streams: int) -> Fork:
    """`streams` are what it reads, writes, and tells as errors."""
    ended, tells = os.pipe()
    order = {"arguments": list(arguments), "environment": dict(environment), "cwd": os.getcwd()}
    try:
        first = _first()
        socket.send_fds(first, [json.dumps(order).encode()], [tells, *streams])
        pid = int(first.recv(16))
    except BaseException:
        os.close(ended)
        raise
    finally:
        os.close(tells)
    return Fork(pid, ended)


@functools.cache
def _first() -> socket.socket:
    """The way to the process that has imported everything, which lives as long as this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(60.0)
    with theirs:
        process = subprocess.Popen([sys.executable, "-m", "tests.forks"], stdin=theirs, start_new_session=True)

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _serve(orders: socket.socket) -> None:
    """Fork for each order, until the tests close their end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        text, files, _, _ = socket.recv_fds(orders, _MOST_BYTES, 4)
        if not text:
            return
        if os.fork() == 0:
            tells, *streams = files
            _look_after(orders, json.loads(text), tells, streams)
        for file in files:
            os.close(file)


def _look_after(orders: socket.socket, order: dict[str, object], tells: int, streams: Sequence[int]) -> NoReturn:
    die_with_the_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    mine = os.getpid()
    pid = os.fork()
    if pid == 0:
        die_with_the_parent()
        if os.getppid() != mine:
            os._exit(1)
        os.close(tells)
        orders.close()
        sys.exit(_become(order, streams))
    for stream in streams:
        os.close(stream)
    orders.send(str(pid).encode())
    _, status = os.waitpid(pid, 0)
    os.write(tells, str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(order: dict[str, object], streams: Sequence[int]) -> int:
    from hongyan.cli import main

    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(str(order["cwd"]))
    environment, arguments = order["environment"], order["arguments"]
    assert isinstance(environment, dict)
    assert isinstance(arguments, list)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = ["hongyan", *arguments]
    return main(arguments)


if __name__ == "__main__":
    import gc

    import hongyan.server  # noqa: F401
    from hongyan.store import migrate

    migrate.newest()
    gc.collect()
    gc.freeze()  # otherwise each fork walks, and so copies, all that is shared
    die_with_the_parent()
    _serve(socket.socket(fileno=os.dup(0)))
