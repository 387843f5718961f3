"""A server in memory that speaks as much of the wire as the generator needs, and loses or doubles messages when told to."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

Sink = Callable[[dict[str, Any]], None]


class FaultyServer:
    """Users are their tokens. `lose` and `double` are numbers of deliveries (counted over the server's life) to treat so."""

    def __init__(self, lose: set[int] | None = None, double: set[int] | None = None, busy: int = 0) -> None:
        self.lose = lose or set()
        self.double = double or set()
        self.busy = busy
        """So many WebSocket handshakes are answered 503 with Retry-After: 0."""
        self.port = 0
        self.members: dict[str, list[str]] = {}
        self.log: list[dict[str, Any]] = []
        self.first_answers: dict[tuple[str, str], dict[str, Any]] = {}
        self.seqs: dict[str, int] = {}
        self.grown = asyncio.Event()
        self._deliveries = itertools.count()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "FaultyServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def visible(self, user: str, after: int) -> list[dict[str, Any]]:
        """What the user is given of the log after a position, faults included."""
        given = []
        for event in self.log[after:]:
            if user in self.members[event["conversation"]]:
                number = next(self._deliveries)
                given += [event] * (0 if number in self.lose else 2 if number in self.double else 1)
        return given

    def append(self, user: str, frame: dict[str, Any]) -> dict[str, Any]:
        key = (user, frame["client_id"])
        if key not in self.first_answers:
            lane = frame["conversation"]
            self.seqs[lane] = seq = self.seqs.get(lane, 0) + 1
            event = {"conversation": lane, "seq": seq, "type": "message", "sender": user, "time": 0, "content": frame["content"]}
            self.log.append(event)
            self.first_answers[key] = {"op": "ack", "seq": seq, "position": len(self.log)}
            self.grown.set()
            self.grown = asyncio.Event()
        return self.first_answers[key] | {"ref": frame["ref"]}

    def _start(self, work: Awaitable[None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)  # type: ignore[arg-type]
        return task  # type: ignore[return-value]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        current = asyncio.current_task()
        assert current is not None
        self._tasks.add(current)
        try:
            while await self._request(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.rstrip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        user = headers.get("authorization", "").removeprefix("Bearer ")
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        after = int(query.get("after", len(self.log)))
        match parts.path:
            case "/v1/events/ws" if self.busy:
                self.busy -= 1
                _answer(writer, 503, {}, "Retry-After: 0\r\n")
                return True
            case "/v1/events/ws":
                binary = headers["sec-websocket-protocol"] == "hongyan.msgpack"
                writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
                await self._websocket(reader, writer, user, after, binary)
                return False
            case "/v1/events/sse":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")

                def chunk(found: dict[str, Any]) -> None:
                    data = f"id: {found['cursor']}\ndata: {msgspec.json.encode(found).decode()}\n\n".encode()
                    writer.write(b"%x\r\n%s\r\n" % (len(data), data))

                await self._follow(user, after, chunk)
            case "/v1/events":
                if after >= len(self.log) and "wait" in query:
                    await self.grown.wait()
                _answer(writer, 200, {"events": self.visible(user, after), "cursor": str(len(self.log)), "more": False})
            case "/v1/conversations" if method == "POST":
                wanted = msgspec.json.decode(body)
                members = sorted({user, *wanted["members"]})
                lane = "+".join(members)
                self.members[lane] = members
                _answer(writer, 201, {"id": lane})
            case "/v1/conversations":
                _answer(writer, 200, {"conversations": []})
            case "/v1/me":
                _answer(writer, 200, {"id": user})
            case _:
                _answer(writer, 404, {})
        return True

    async def _follow(self, user: str, after: int, tell: Sink) -> None:
        while True:
            grown = self.grown
            events, after = self.visible(user, after), len(self.log)
            if events:
                tell({"op": "events", "events": events, "cursor": str(after)})
            await grown.wait()

    async def _websocket(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, user: str, after: int, binary: bool
    ) -> None:
        def tell(found: dict[str, Any]) -> None:
            data = msgspec.msgpack.encode(found) if binary else msgspec.json.encode(found)
            length = bytes((len(data),)) if len(data) < 126 else b"\x7e" + len(data).to_bytes(2, "big")
            if len(data) > 65535:
                length = b"\x7f" + len(data).to_bytes(8, "big")
            writer.write((b"\x82" if binary else b"\x81") + length + data)

        following = self._start(self._follow(user, after, tell))
        try:
            while True:
                opcode, size = await reader.readexactly(2)
                size &= 0x7F
                if size == 126:
                    size = int.from_bytes(await reader.readexactly(2), "big")
                mask = await reader.readexactly(4)
                data = bytes(byte ^ mask[at % 4] for at, byte in enumerate(await reader.readexactly(size)))
                found = msgspec.msgpack.decode(data) if opcode == 0x82 else msgspec.json.decode(data)
                if found["op"] == "ping":
                    tell({"op": "pong", "ref": found["ref"], "cursor": str(len(self.log))})
                else:
                    tell(self.append(user, found))
        finally:
            following.cancel()


def _answer(writer: asyncio.StreamWriter, status: int, body: object, headers: str = "") -> None:
    data = msgspec.json.encode(body)
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n{headers}\r\n"
    writer.write(head.encode() + data)
