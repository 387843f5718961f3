"""`hongyan serve --workers N`: N processes behind one port, each a node of its own. One that dies is started again.

The first process only looks after them. It passes signals on, and on SIGUSR1 restarts them one after the other, each when the
one before takes clients again.
"""

import contextlib
import ctypes
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from hongyan.cli.refused import sentence

if TYPE_CHECKING:
    from hongyan.config import Settings

Serve = Callable[["Settings", Callable[[], None]], int]
"""Runs one server until it is told to stop; calls the second when it takes clients."""

_SHORT_SECONDS = 10.0
"""Who lives for less than this has failed, and waits before the next start."""
_MOST_PAUSE = 30.0
_STOP_SECONDS = 12.0
_LOOK_SECONDS = 0.1
_PR_SET_PDEATHSIG = 1


def run(settings: "Settings", serve: Serve) -> int:
    """Until a signal, or until none can be started: the exit code of the last."""
    from msgspec.structs import replace

    from hongyan.config import Endpoint, parse_endpoint

    with contextlib.ExitStack() as held:

        def hold(listen: str) -> str:
            wanted = parse_endpoint(listen)
            return str(Endpoint(wanted.host, held.enter_context(_held(wanted.host, wanted.port))))

        http = replace(settings.http, listen=hold(settings.http.listen))
        cim = settings.cim
        if cim.listen:
            cim = replace(cim, listen=hold(cim.listen), route=hold(cim.route))
        settings = replace(settings, http=http, cim=cim)
        name = settings.node.name or f"{socket.gethostname()}:{parse_endpoint(http.listen).port}"
        workers = [
            _Worker(number, replace(settings, node=replace(settings.node, name=f"{name}-{number}")), serve)
            for number in range(1, settings.node.workers + 1)
        ]
        return _Keeper(workers).run()


@contextlib.contextmanager
def _held(host: str, port: int) -> Iterator[int]:
    """The port's number, kept for us: bound, never listening, so that no connection comes here."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with contextlib.suppress(OSError):  # the workers say in a sentence why the port cannot be had
            one.bind((host, port))
            port = one.getsockname()[1]
        yield port


class _Worker:
    def __init__(self, number: int, settings: "Settings", serve: Serve) -> None:
        self.number = number
        self._settings = settings
        self._serve = serve
        self._began = 0.0
        self._pause = 0.0
        self._ready = -1
        self._told = False
        """It takes clients, or did when it ended."""
        self.due = 0.0
        """When it is to be started, by the monotonic clock."""
        self.pid = 0
        self.status = 0

    def start(self) -> None:
        self._close()
        self._ready, told = os.pipe()
        self._told = False
        self._began = time.monotonic()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._ready)
            _be_a_worker(parent, self.number, told, self._settings, self._serve)
        os.close(told)

    def ended(self, status: int) -> None:
        lived = time.monotonic() - self._began
        self._pause = 0.0 if lived >= _SHORT_SECONDS else min(max(self._pause * 2, 0.5), _MOST_PAUSE)
        self.due = time.monotonic() + self._pause
        self.status = status
        self.pid = 0

    def signal(self, number: int) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def is_ready(self) -> bool:
        if self.pid and not self._told and select.select([self._ready], [], [], 0)[0]:
            self._told = os.read(self._ready, 1) == b"1"  # the end of the pipe can be read too: it has died
        return self.pid != 0 and self._told

    def _close(self) -> None:
        if self._ready >= 0:
            os.close(self._ready)
            self._ready = -1


class _Keeper:
    def __init__(self, workers: list[_Worker]) -> None:
        self._workers = workers
        self._stop = 0
        self._served = False
        """Some worker has taken clients. Until then one that ends ends all: what it could not do no other can."""
        self._restart: list[_Worker] = []

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # as nohup leaves SIGHUP
                signal.signal(number, self._stopping)
        signal.signal(signal.SIGUSR1, self._restarting)
        while not self._stop:
            now = time.monotonic()
            for worker in self._workers:
                if not worker.pid and now >= worker.due:
                    worker.start()
            self._served = self._served or any(worker.is_ready() for worker in self._workers)
            self._reap()
            self._go_on()
            time.sleep(_LOOK_SECONDS)
        return self._end()

    def _stopping(self, number: int, frame: FrameType | None) -> None:
        if self._stop:  # told a second time: nobody waits
            for worker in self._workers:
                worker.signal(signal.SIGTERM)
        self._stop += 1

    def _restarting(self, number: int, frame: FrameType | None) -> None:
        self._restart = list(self._workers)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for worker in self._workers:
                if worker.pid == pid:
                    self._served = self._served or worker.is_ready()
                    code = os.waitstatus_to_exitcode(status)
                    worker.ended(code)
                    if not self._served:
                        self._stop += 1
                    if not self._stop and worker not in self._restart:
                        _say(f"worker {worker.number} ended with {code} and is started again")

    def _go_on(self) -> None:
        """The next step of a restart: one at a time, and none before all take clients."""
        if not self._restart:
            return
        first = self._restart[0]
        if first.pid and all(worker.is_ready() for worker in self._workers):
            first.signal(signal.SIGTERM)
            deadline = time.monotonic() + _STOP_SECONDS
            while first.pid and time.monotonic() < deadline and not self._stop:
                time.sleep(_LOOK_SECONDS)
                self._reap()
            first.signal(signal.SIGKILL)
            first.due = 0.0
            self._restart.pop(0)

    def _end(self) -> int:
        for worker in self._workers:
            worker.signal(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while any(worker.pid for worker in self._workers):
            if time.monotonic() > deadline:
                for worker in self._workers:
                    worker.signal(signal.SIGKILL)
            time.sleep(_LOOK_SECONDS)
            self._reap()
        return max(1 if worker.status < 0 and self._served else worker.status for worker in self._workers)


def _be_a_worker(parent: int, number: int, told: int, settings: "Settings", serve: Serve) -> NoReturn:
    """In the new process: never returns. When the first process dies, by whatever, this one stops too."""
    status = 1
    try:
        for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            if signal.getsignal(one) != signal.SIG_IGN:
                signal.signal(one, signal.SIG_DFL)
        os.setpgid(0, 0)  # Ctrl-C goes to the whole group: it is passed on by the first process, and must not come twice
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
        if os.getppid() != parent:
            os._exit(1)
        if number > 1:  # the first speaks for all
            silent = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silent, 1)
        status = serve(settings, lambda: _ready(told))
    except Exception as error:
        sentenced = sentence(error)
        if sentenced is None:
            traceback.print_exc()
        else:
            _say(sentenced)
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _ready(told: int) -> None:
    os.write(told, b"1")


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        print(f"hongyan: {text}", file=sys.stderr, flush=True)
