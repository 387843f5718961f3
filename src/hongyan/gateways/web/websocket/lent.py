"""A WebSocket that another gateway has borrowed: messages of text in both directions, read to the byte like those before log-in,
so that nobody who has not logged in there keeps more than that gateway's own limit.
"""

import asyncio

from hongyan.gateways.door.lent import Talker
from hongyan.gateways.door.progress import progress
from hongyan.gateways.web.problems import unexpected
from hongyan.gateways.web.websocket.codec import CLOSE, PING, PONG, TEXT, close_frame, control, header
from hongyan.gateways.web.websocket.context import Context
from hongyan.gateways.web.websocket.login import ClientFrame, read_frame
from hongyan.gateways.web.websocket.message import BAD_DATA, Message, Violation

_NORMAL = 1000
_BROKEN = 1011
_PROMPT_BYTES = 65_536
"""More is not gathered before it is written."""


class Lent(asyncio.Protocol):
    """`talker` is set before anything comes."""

    talker: Talker

    def __init__(self, context: Context, transport: asyncio.Transport) -> None:
        self._context = context
        self._transport = transport
        self._in = bytearray()
        self._out: list[bytes] = []
        self._size = 0
        self._message: Message | None = None
        self._open = True
        self._paused = self._full = False
        self._counted = False

    def begin(self, pipelined: bytes) -> None:
        """`pipelined` is what came behind the handshake."""
        self._context.open += 1
        self._counted = True
        self._transport.set_write_buffer_limits(high=self._context.write_buffer)
        self.data_received(pipelined)

    # Link

    def write(self, text: str) -> None:
        if not self._open:
            return
        payload = text.encode()
        if not self._out:
            self._context.loop.call_soon(self._flush)
        self._out += (header(TEXT, len(payload)), payload)
        self._size += len(payload)
        if self._size >= _PROMPT_BYTES:
            self._flush()

    def pause(self) -> None:
        self._paused = True
        self._read()

    def resume(self) -> None:
        self._paused = False
        self._read()
        if self._in:
            self._context.loop.call_soon(self.data_received, b"")

    def close(self) -> None:
        self._leave(close_frame(_NORMAL))

    def abort(self) -> None:
        self._transport.abort()

    drop = abort

    def progress(self) -> object:
        return progress(self._transport)

    # asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        self._in += data
        try:
            while self._in and not (self._paused and self._open):
                frame = read_frame(self._in, False, self.talker.most)
                if frame is None:
                    return
                del self._in[: frame.size]
                self._take(frame)
        except Violation as violation:
            self._in.clear()
            self._leave(close_frame(violation.code, violation.reason))
        except Exception as error:
            unexpected(error, "a borrowed WebSocket")
            self._in.clear()
            self._leave(close_frame(_BROKEN))

    def pause_writing(self) -> None:
        self._full = True
        self._read()
        self.talker.full()

    def resume_writing(self) -> None:
        self._full = False
        self._read()
        if self._open:
            self.talker.room()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._context.upkeep.closed(self)
        self._over()
        self.talker.gone()

    def _take(self, frame: ClientFrame) -> None:
        if frame.opcode == CLOSE:
            self._leave(control(CLOSE, frame.payload[:2]))
            self._transport.close()
        elif not self._open or frame.opcode == PONG:
            return
        elif frame.opcode == PING:
            self._transport.write(control(PONG, frame.payload))
        else:
            most = self.talker.most
            message = self._message = self._message or Message(most, most)
            message.add(frame.opcode, False, frame.payload)
            if frame.final:
                self._message = None
                self._whole(message)

    def _whole(self, message: Message) -> None:
        if message.opcode != TEXT:
            raise Violation(BAD_DATA, "Messages are text")
        self.talker.message(message.whole())

    def _read(self) -> None:
        if self._transport.is_closing():
            return
        if self._open and (self._paused or self._full):
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _flush(self) -> None:
        if self._out and not self._transport.is_closing():
            self._transport.write(b"".join(self._out))
        self._out.clear()
        self._size = 0

    def _leave(self, last: bytes) -> None:
        if not self._open:
            return
        self._flush()
        self._transport.write(last)
        self._context.upkeep.closing(self)
        self._over()
        self._read()

    def _over(self) -> None:
        """It counts no more."""
        self._open = False
        self._out.clear()
        if self._counted:
            self._counted = False
            self._context.open -= 1
