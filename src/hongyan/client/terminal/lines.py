"""Lines of a pipe, a file or a terminal as they come, without holding up the event loop."""

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable

_AHEAD = 100
_LONGEST = 1024 * 1024


class Lines:
    """Reads one file descriptor. What is no UTF-8 becomes U+FFFD; a line that has no end is cut after 1 MiB.

    Reading goes on in a thread of its own, at most 100 lines ahead: a read cannot be cancelled, and neither the event loop nor
    the end of the process may wait for it. (`os.read` and not `sys.stdin`, whose lock would hold up the interpreter's end.)
    """

    def __init__(self, file: int, read: Callable[[int, int], bytes] = os.read) -> None:
        self._file = file
        self._read = read
        self._rest = b""
        self._ready: deque[str | None] = deque()
        self._news = asyncio.Event()
        self._room = threading.Semaphore(_AHEAD)
        self._thread: threading.Thread | None = None

    def first(self) -> str:
        """The first line, waiting for it; only before `next` was called. Empty at the end."""
        return self._line() or ""

    async def next(self) -> str | None:
        """The next line without its end; None after the last one."""
        if self._thread is None:
            loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._pump, args=(loop,), daemon=True, name="standard input")
            self._thread.start()
        while not self._ready:
            self._news.clear()
            await self._news.wait()
        self._room.release()
        return self._ready.popleft()

    def _pump(self, loop: asyncio.AbstractEventLoop) -> None:
        line: str | None = ""
        while line is not None:
            line = self._line()
            self._room.acquire()
            try:
                loop.call_soon_threadsafe(self._put, line)
            except RuntimeError:  # the loop has ended first
                return

    def _put(self, line: str | None) -> None:
        self._ready.append(line)
        self._news.set()

    def _line(self) -> str | None:
        while b"\n" not in self._rest and len(self._rest) < _LONGEST:
            try:
                chunk = self._read(self._file, 65_536)
            except OSError:
                chunk = b""
            if not chunk:
                line, self._rest = self._rest, b""
                return _text(line) if line else None
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n") if b"\n" in self._rest else (self._rest, b"", b"")
        return _text(line)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").removesuffix("\r")
