"""Events over plain HTTP: short poll, long poll, server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from hongyan.core.errors import HongyanError
from hongyan.core.model import Caller
from hongyan.gateways.web.asgi import Headers, Receive, Scope, Send, answer, disconnected
from hongyan.gateways.web.frames import ANSWER, is_empty, pieces, poll_body, sse_close, sse_frame, sse_heartbeat
from hongyan.gateways.web.headers import first_of
from hongyan.gateways.web.problems import unexpected
from hongyan.gateways.web.queries import given, parse_query
from hongyan.gateways.web.schemas import PollQuery, StreamQuery
from hongyan.gateways.web.services import WebServices
from hongyan.messaging import Chunk, Session, Verdict

HEARTBEAT = 15.0
"""Seconds of silence before an event stream says that it is there."""
_AT_ONCE = 200
_PIECE = 65_536
_STREAM: Headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]


class Streams:
    """The event transports of one gateway."""

    def __init__(self, services: WebServices, *, heartbeat: float = HEARTBEAT) -> None:
        self._messaging = services.messaging
        self._limits = services.settings.limits
        self._heartbeat = heartbeat

    async def poll(self, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
        """`GET /v1/events`. Raises what `messaging.poll` raises."""
        query = parse_query(scope["query_string"], PollQuery)
        wait = min(query.wait, self._limits.poll_wait)
        limit = min(query.limit, self._limits.page)
        after = given(query.after)
        gone = asyncio.Event()
        if wait > 0:
            async with _watching(receive, gone.set):
                chunk = await self._messaging.poll(caller, after, limit, wait, gone=gone)
        else:
            chunk = await self._messaging.poll(caller, after, limit)
        if not gone.is_set():
            body = poll_body(next(pieces(chunk, ANSWER)))
            headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
            await answer(send, 200, headers, body)

    async def event_stream(self, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
        """`GET /v1/events/sse`. Raises what `Sessions.open` raises; returns when the stream has ended."""
        query = parse_query(scope["query_string"], StreamQuery)
        after = first_of(scope["headers"], b"last-event-id") or given(query.after)
        stream = _EventStream(send, self._heartbeat)
        session = await self._messaging.sessions.open(caller, "sse", after, stream.awake.set, stream.end)
        try:
            async with _watching(receive, stream.leave):
                await stream.run(session)
        finally:
            session.close()


class _EventStream:
    """One stream, from the session to the socket. It takes from the session only when the socket took what was before, so a slow
    reader costs one piece and what the session keeps. Who takes nothing at all is cut off by the listener.
    """

    def __init__(self, send: Send, heartbeat: float) -> None:
        self._send = send
        self._heartbeat = heartbeat
        self._verdict: Verdict | None = None
        self.awake = asyncio.Event()
        self._left = False

    def end(self, verdict: Verdict) -> None:
        """The server ends it."""
        self._verdict = verdict
        self.awake.set()

    def leave(self) -> None:
        """The client has gone."""
        self._left = True
        self.awake.set()

    async def run(self, session: Session) -> None:
        await self._send({"type": "http.response.start", "status": 200, "headers": _STREAM})
        verdict = await self._follow(session)
        if verdict is not None:
            await self._send({"type": "http.response.body", "body": sse_close(verdict)})

    async def _follow(self, session: Session) -> Verdict | None:
        """Until somebody ends it: the verdict to tell the client, None when nobody is there to be told."""
        try:
            await self._give(session, await self._next(session))
            while self._verdict is None and not self._left:
                chunk = await self._next(session)
                if chunk is not None and not is_empty(chunk):
                    await self._give(session, chunk)
                elif not session.behind:
                    await self._rest(session)
        except HongyanError as error:
            if self._verdict is None:
                return Verdict("later", error.retry_after or 1.0, error.detail)
        except Exception as error:
            return Verdict("later", 1.0, unexpected(error, "an event stream").detail)
        return None if self._left else self._verdict

    async def _next(self, session: Session) -> Chunk | None:
        self.awake.clear()
        chunk = session.take(_AT_ONCE)
        return await session.next(_AT_ONCE) if chunk is None and session.behind else chunk

    async def _give(self, session: Session, chunk: Chunk | None) -> None:
        if chunk is None or is_empty(chunk):
            await self._write(sse_heartbeat(session.cursor))
        else:
            for piece in pieces(chunk, _PIECE):
                await self._write(sse_frame(piece))

    async def _rest(self, session: Session) -> None:
        try:
            async with asyncio.timeout(self._heartbeat):
                await self.awake.wait()
        except TimeoutError:
            await self._write(sse_heartbeat(session.cursor))

    async def _write(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})


@asynccontextmanager
async def _watching(receive: Receive, gone: Callable[[], None]) -> AsyncIterator[None]:
    """Call `gone` when the client goes away meanwhile."""

    async def watch() -> None:
        await disconnected(receive)
        gone()

    task = asyncio.create_task(watch(), name="hongyan watch")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
