"""The writing side of one WebSocket: events, signals and answers, all of one turn of the loop in one write.

What waits for a slow peer is bounded: over `limits.write_buffer` nothing more is taken from the session, which keeps references
only, falls behind, and reads the log again when there is room.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator

from hongyan.core.errors import HongyanError
from hongyan.gateways.door.progress import progress
from hongyan.gateways.web.problems import unexpected
from hongyan.gateways.web.websocket.codec import Codec
from hongyan.gateways.web.websocket.context import Context
from hongyan.gateways.web.websocket.deflate import Deflater
from hongyan.gateways.web.websocket.output import Frames
from hongyan.messaging import Chunk, Session, Verdict
from hongyan.store import Appended

_AT_ONCE = 100
"""Events that are taken from a session at a time."""
_LARGE = 262_144
_PIECE = 65_536
"""A larger frame of several events is split into ones of about this size, so that a slow peer gets forward frame by frame."""


class Writer:
    """`fault` is called with a verdict when there is nothing more to be read for the session."""

    __slots__ = (
        "_context", "_deflater", "_dirty", "_fault", "_follower", "_full", "_open", "_out", "_rest", "_session", "_transport",
        "codec",
    )  # fmt: skip

    def __init__(
        self,
        context: Context,
        transport: asyncio.Transport,
        codec: Codec,
        deflater: Deflater | None,
        fault: Callable[[Verdict], None],
    ) -> None:
        self._context = context
        self._transport = transport
        self.codec = codec
        self._deflater = deflater
        self._fault = fault
        self._session: Session | None = None
        self._open = False
        self._dirty = False
        self._full = False
        """More than `write_buffer` waits for the peer."""
        self._out: list[bytes] = []
        self._rest: deque[Chunk] | None = None
        """Taken from the session and not yet written."""
        self._follower: asyncio.Task[None] | None = None

    def begin(self, session: Session, welcome: bytes) -> None:
        """`welcome` goes out first, then where the reader is, then everything after that."""
        self._session = session
        self._open = True
        self._transport.set_write_buffer_limits(high=self._context.write_buffer)
        if welcome:
            self._out.append(welcome)
        frames = Frames()
        chunk = session.take(_AT_ONCE)
        if chunk is None:
            self._out.append(frames.events(self.codec, None, (), session.cursor))
        else:
            self._put(chunk, frames)
        self.wake()

    def wake(self) -> None:
        """There is something to take or to write."""
        if not self._dirty:
            self._dirty = True
            self._context.output.add(self)

    def tell(self, frame: bytes) -> None:
        """Let a frame go out with the others of this turn."""
        if self._open:
            self._out.append(frame)
            if not self._dirty:
                self._dirty = True
                self._context.output.add(self)

    def sent(self, ref: int, result: Appended | HongyanError) -> None:
        """The answer to a send."""
        if isinstance(result, Appended):
            self.tell(self.codec.sent(ref, result.seq, result.position, result.time))
        else:
            self.tell(self.codec.error(ref, result))

    def beat(self, frames: Frames) -> None:
        """Tell where the reader is, if it is up to date."""
        session = self._session
        if session is not None and not session.behind and not self._full and self._rest is None:
            self.tell(frames.events(self.codec, None, (), session.cursor))

    def cursor(self) -> str:
        """Everything up to there was written."""
        if self._rest:
            return _before(self._rest[0])
        return self._session.cursor if self._session is not None else ""

    @property
    def full(self) -> bool:
        return self._full

    def pause(self) -> None:
        self._full = True
        if self._open:
            self._transport.pause_reading()
            self._context.upkeep.full(self)

    def resume(self) -> None:
        self._full = False
        self._context.upkeep.not_full(self)
        if self._open:
            self._transport.resume_reading()
            self.wake()

    def progress(self) -> object:
        return progress(self._transport)

    def stuck(self) -> None:
        self._fault(Verdict("resume", reason="Nothing was read for too long"))

    def drop(self) -> None:
        """Cut the connection without a word."""
        self._transport.abort()

    def stop(self, last: bytes = b"") -> None:
        """Write the last words and nothing after them."""
        if not self._open:
            return
        self._open = False
        self._fault = _nobody
        if last:
            self._out.append(last)
            self._write()
        self._out.clear()
        if self._full:
            self._transport.resume_reading()
        self._context.upkeep.not_full(self)
        self._session = self._rest = None
        if self._follower is not None:
            self._follower.cancel()

    def flush(self, frames: Frames) -> None:
        self._dirty = False
        session = self._session
        if session is None or self._full:
            return
        if self._rest is not None:
            self._write_rest(frames)
        else:
            chunk = session.take(_AT_ONCE)
            if chunk is not None:
                self._put(chunk, frames)
            elif session.behind and self._follower is None:
                self._follower = self._context.task(self._follow(session))
        self._write()

    def _put(self, chunk: Chunk, frames: Frames) -> None:
        out, entries = self._out, chunk.entries
        if chunk.limited is not None:
            out.append(self.codec.limited(_before(chunk) if entries else chunk.cursor, chunk.limited))
        for body in chunk.signals:
            out.append(frames.signal(self.codec, body))
        if entries or not (chunk.signals or chunk.limited):
            frame = frames.events(self.codec, self._deflater, entries, chunk.cursor)
            if len(frame) > _LARGE and len(entries) > 1:
                self._rest = deque(_cut(chunk))
                self._write_rest(frames)
            else:
                out.append(frame)
        if chunk.more:
            self.wake()

    def _write_rest(self, frames: Frames) -> None:
        """Frame by frame, until the buffer is full."""
        rest = self._rest
        while rest and not self._full:
            piece = rest.popleft()
            self._out.append(frames.events(self.codec, self._deflater, piece.entries, piece.cursor))
            self._write()
        if not rest:
            self._rest = None
            self.wake()

    def _write(self) -> None:
        out = self._out
        if out:
            data = out[0] if len(out) == 1 else b"".join(out)
            out.clear()
            self._transport.write(data)

    async def _follow(self, session: Session) -> None:
        """Read the log until the session is up to date, or the buffer is full: then `resume` begins again."""
        try:
            while session.behind and self._open and not self._full and self._rest is None:
                chunk = await session.next(_AT_ONCE)
                if self._open:
                    self._put(chunk, Frames())
                    self._write()
                await asyncio.sleep(0)
        except HongyanError as error:
            self._fault(Verdict("later", error.retry_after or 1.0, error.detail))
        except Exception as error:
            self._fault(Verdict("later", 1.0, unexpected(error, "reading the log for a WebSocket").detail))
        finally:
            self._follower = None
        self.wake()


def _nobody(verdict: Verdict) -> None:
    """Who is told after the end; a connection that is gone is not kept by its writer."""


def _before(chunk: Chunk) -> str:
    """The cursor of somebody who was given everything before this chunk."""
    epoch = chunk.cursor.rpartition(".")[0]
    return f"{epoch}.{chunk.entries[0].event.position - 1}"


def _cut(chunk: Chunk) -> Iterator[Chunk]:
    """The events in pieces of about `_PIECE` bytes, each with its own cursor."""
    begin, filled, last = 0, 0, len(chunk.entries) - 1
    for at, entry in enumerate(chunk.entries):
        filled += len(entry.event.content)
        if at == last:
            yield Chunk(chunk.entries[begin:], [], chunk.cursor)
        elif filled >= _PIECE:
            yield Chunk(chunk.entries[begin : at + 1], [], entry.cursor)
            begin, filled = at + 1, 0
