"""A network that tests can break: a way to a port of this machine, which passes bytes, resets connections, or stands still."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from .ports import held_port

T = TypeVar("T")

_RESET, _IN_ORDER = struct.pack("ii", 1, 0), struct.pack("ii", 0, 0)
"""What SO_LINGER makes of a close: an RST, or the usual."""


class Link:
    """Listens on `port` and passes everything to `target_port` and back, in a thread of its own.

    When a verb returns, what it says is so: after `stall()` it passes not one byte. (What it passed before may still lie in the
    kernel for somebody who reads slowly.)
    """

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="link")
        self._listener: socket.socket | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()

    def __enter__(self) -> Self:
        self._held = held_port()
        self.port = self._held.getsockname()[1]
        self._thread.start()
        self.heal()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._held.close()

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    def cut(self) -> None:
        """Connections are reset, new ones refused."""

        async def cutting() -> None:
            if self._listener is not None:
                self._loop.remove_reader(self._listener)
                self._listener.close()
                self._listener = None
            ended = list(self._connections)
            for connection in ended:
                connection.cancel()
            await asyncio.gather(*ended, return_exceptions=True)

        self._do(cutting())

    def stall(self) -> None:
        """A partition: connections stay open and new ones open, and no byte and no end passes, in neither direction."""

        async def stalling() -> None:
            self._flows.clear()

        self._do(stalling())

    def heal(self) -> None:
        """What was held goes on; new connections are taken."""

        async def healing() -> None:
            self._flows.set()
            if self._listener is None:
                self._listener = socket.socket()
                self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                self._listener.bind(("127.0.0.1", self.port))
                self._listener.listen(1000)
                self._listener.setblocking(False)
                self._loop.add_reader(self._listener, self._accept, self._listener)

        self._do(healing())

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            near, _ = listener.accept()
            connection = self._loop.create_task(self._connect(near))
            self._connections.add(connection)
            connection.add_done_callback(self._connections.discard)

    async def _connect(self, near: socket.socket) -> None:
        with near, socket.socket() as far:
            for end in (near, far):
                end.setblocking(False)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            try:
                await self._flows.wait()
                await self._loop.sock_connect(far, ("127.0.0.1", self.target_port))
                async with asyncio.TaskGroup() as ways:
                    ways.create_task(self._pass(near, far))
                    ways.create_task(self._pass(far, near))
                for end in (near, far):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _IN_ORDER)
            except* OSError:  # what breaks one end breaks the other
                await self._flows.wait()

    async def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        while held := memoryview(await self._loop.sock_recv(source, 65_536)):
            while held:
                await self._flows.wait()
                try:
                    held = held[sink.send(held) :]
                except BlockingIOError:
                    await self._writable(sink)
        await self._flows.wait()
        sink.shutdown(socket.SHUT_WR)

    async def _writable(self, sink: socket.socket) -> None:
        """Not `sock_sendall`: that would go on in a stall."""
        can = asyncio.Event()
        self._loop.add_writer(sink, can.set)
        try:
            await can.wait()
        finally:
            self._loop.remove_writer(sink)
