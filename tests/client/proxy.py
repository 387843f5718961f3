"""A small TCP proxy that does to connections what the world does: refuses, resets, and lets nothing through."""

import asyncio
import contextlib
from types import TracebackType
from typing import Literal, Self

Deed = Literal["pass", "refuse", "busy", "reset", "swallow", "nothing"]
"""`refuse` answers 403 in HTML, `busy` the 503 of a server with too much to do; `swallow` passes the head of the answer and then
nothing; `nothing` never answers."""
_BUSY = b'{"type":"urn:hongyan:error:overloaded","title":"Busy","status":503,"detail":"Come later","retry_after":30}'


class Proxy:
    """`deeds` say what is done to requests for a path that begins so; the first that fits counts, and `pass` otherwise."""

    def __init__(self, port: int) -> None:
        self.deeds: dict[str, Deed] = {}
        self.asked: list[str] = []
        """The paths of the requests, in order."""
        self._port = port
        self._own = 0
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.StreamWriter, str] = {}
        """Connections of clients, with the path that was asked for last."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._server is not None
        self._server.close()
        while self._tasks:
            self.drop()
            await asyncio.wait(self._tasks)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """The same for ever."""
        return self._own

    async def listen(self) -> None:
        """Be there; again after `cut`."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._own)
        self._own = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Be gone: connections break, new ones are refused."""
        assert self._server is not None
        self._server.close()
        self.drop()

    def say(self, path: str, data: bytes) -> int:
        """As if the server said it, to every client whose last request was for a path that begins so; gives how many."""
        those = [writer for writer, asked in self._open.items() if asked.startswith(path)]
        for writer in those:
            writer.write(data)
        return len(those)

    def drop(self) -> None:
        """Break every connection, without a word."""
        for writer in list(self._open):
            writer.transport.abort()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[writer] = ""
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError):
                await self._both_ways(reader, writer)
        finally:
            self._open.pop(writer, None)
            writer.transport.abort()

    async def _both_ways(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._port)
        swallow = asyncio.Event()

        async def back() -> None:
            while chunk := await inner_reader.read(65_536):
                if swallow.is_set():
                    chunk = chunk[: chunk.find(b"\r\n\r\n") + 4]
                    writer.write(chunk)
                    await asyncio.Event().wait()
                writer.write(chunk)
                await writer.drain()

        async def forth() -> None:
            while chunk := await reader.read(65_536):
                match self._deed(writer, chunk):
                    case "refuse":
                        body = b"<html>Forbidden by your friendly proxy</html>"
                        head = f"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
                        writer.write(head.encode() + body)
                        await writer.drain()
                        return
                    case "busy":
                        kind = "application/problem+json\r\nRetry-After: 30"
                        head = f"HTTP/1.1 503 Busy\r\nContent-Type: {kind}\r\nContent-Length: {len(_BUSY)}\r\n\r\n"
                        writer.write(head.encode() + _BUSY)
                        await writer.drain()
                        return
                    case "reset":
                        return
                    case "nothing":
                        await reader.read()
                        return
                    case "swallow":
                        swallow.set()
                    case _:
                        pass
                inner_writer.write(chunk)
                await inner_writer.drain()

        ways = [asyncio.create_task(back()), asyncio.create_task(forth())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            inner_writer.transport.abort()

    def _deed(self, writer: asyncio.StreamWriter, chunk: bytes) -> Deed:
        method, _, rest = chunk.partition(b" ")
        if method not in (b"GET", b"POST", b"PUT", b"PATCH", b"DELETE"):
            return "pass"
        path = rest.partition(b" ")[0].decode()
        self.asked.append(path)
        self._open[writer] = path
        return next((deed for begin, deed in self.deeds.items() if path.startswith(begin)), "pass")
